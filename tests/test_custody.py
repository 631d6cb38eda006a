"""The custody log is a chain: whatever is changed in it shows."""

import json

import pytest

from forensics import custody
from forensics.errors import IntegrityError

ACTOR = custody.Actor("e", "2024-08-01T00:00:00Z", "tool 1")


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "custody.jsonl"
    custody.append(path, ACTOR, [{"action": "received", "subject": f"file-{n}", "sha256": "0" * 64} for n in range(5)])
    return path


def test_a_whole_chain_verifies_and_grows(log):
    head = custody.verify(log)
    assert custody.append(log, ACTOR, [{"action": "examined", "subject": "x"}]) != head
    assert custody.verify(log) != head
    assert len(log.read_text().splitlines()) == 6


@pytest.mark.parametrize("line", range(5))
def test_a_changed_entry_is_found(log, line):
    rows = log.read_text().splitlines()
    entry = json.loads(rows[line])
    rows[line] = json.dumps(entry | {"subject": "other"})
    log.write_text("\n".join(rows) + "\n")
    with pytest.raises(IntegrityError, match="broken"):
        custody.verify(log)


@pytest.mark.parametrize(
    "change", [lambda r: r[1:], lambda r: r[:2] + r[3:], lambda r: [r[1], r[0], *r[2:]], lambda r: [*r[:3], r[2], *r[3:]]]
)
def test_a_missing_moved_or_doubled_entry_is_found(log, change):
    rows = log.read_text().splitlines()
    log.write_text("\n".join(change(rows)) + "\n")
    with pytest.raises(IntegrityError, match="broken"):
        custody.verify(log)
