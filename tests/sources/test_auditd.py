"""Records put together, and what they say."""

import json
import time
from pathlib import Path

import pytest

from forensics import records, times
from forensics.model import Evidence, EvidenceFile, SourceConfig
from forensics.sources.auditd import groups
from forensics.sources.auditd.fields import fields

FIXTURES = Path(__file__).parent / "fixtures/auditd"
GOLDENS = sorted(FIXTURES.glob("*/libaudit.json"))


def _line(serial: int, kind: str = "SYSCALL", body: str = "pid=1 auid=1000 ses=7") -> bytes:
    return f"type={kind} msg=audit(1718155800.466:{serial}): {body}\n".encode()


# --- against another reader -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda path: path.parent.name)
def test_fields_are_those_that_libaudit_reads(golden):
    """The same records, read by elastic/go-libaudit."""
    lines = [line for line in (golden.parent / "input").read_bytes().split(b"\n") if line and b"msg=audit(" in line]
    expected = [record for record in json.loads(golden.read_text()) if record]
    assert len(lines) == len(expected)
    for line, record in zip(lines, expected, strict=True):
        found = fields(line.partition(b"): ")[2])
        data = record.get("data") or {}
        for key in ("pid", "ppid", "syscall_number", "comm", "acct", "exe", "terminal", "addr", "op", "cwd"):
            mine = found.get(key.encode(), b"").strip(b'"')
            if key in data and mine and not (len(mine) % 2 == 0 and len(mine) > 12 and mine.isupper()):
                assert mine.decode() == data[key], (key, line)


def _told(name: str, read) -> list[tuple[int | None, str, str | None]]:
    found = read("auditd", (FIXTURES / name / "input").read_bytes(), host="h")
    assert not found.rejects
    return sorted((e.time, e.action, e.object) for e in found.events)


def test_order_of_lines_does_not_matter(read):
    """The files of go-libaudit's own test of reassembly: https://github.com/elastic/go-libaudit/blob/main/reassembler_test.go."""
    assert len(_told("libaudit-normal", read)) == 5
    assert _told("libaudit-out-of-order", read) == _told("libaudit-normal", read)
    assert len(_told("libaudit-lost-messages", read)) == 5
    assert len(_told("libaudit-rollover", read)) == 5


# --- groups -----------------------------------------------------------------------------------------------------------


def test_lines_between_are_told(read):
    data = _line(1) + _line(2) + _line(1, "CWD", 'cwd="/"') + _line(2, "CWD", 'cwd="/"') + _line(3)
    found = read("auditd", data)
    length = len(_line(1))
    first, second, third = found.events
    assert (first.start, first.end) == (0, length)
    assert json.loads(first.attrs)["lines"] == [[2 * length, 2 * length + len(_line(1, "CWD", 'cwd="/"'))]]
    assert "lines" in json.loads(second.attrs)
    assert "lines" not in json.loads(third.attrs)


def test_a_group_ends_where_its_next_line_is_far(read):
    other = _line(2) * (groups.REACH // len(_line(2)) + 2)
    found = read("auditd", _line(1) + other + _line(1))
    assert found.events[0].start == 0
    assert len(found.events) == 3


def test_nodes_are_kept_apart(read):
    found = read("auditd", b"node=a " + _line(1) + b"node=b " + _line(1))
    assert [(e.host, e.session) for e in found.events] == [("a", "audit:a/7"), ("b", "audit:b/7")]


def _evidence(path: Path, data: bytes) -> Evidence:
    path.write_bytes(data)
    return Evidence(SourceConfig("audit", "auditd", "audit.log", host="h"), (EvidenceFile("", str(path), len(data)),))


@pytest.mark.parametrize("size", [500, 3000])
@pytest.mark.parametrize("reach", [300, 2000])
def test_no_cut_parts_a_group(tmp_path, read_evidence, monkeypatch, size, reach):
    lines = []
    for n in range(400):  # each event's lines lie among those of the next two
        lines += [(n * 10, _line(n)), (n * 10 + 11, _line(n, "CWD", f'cwd="/{n}"')), (n * 10 + 22, _line(n, "PROCTITLE", 'proctitle="x"'))]
        if n % 7 == 0:
            lines.append((n * 10 + 23, b"rubbish\n" * (n % 5)))
    data = b"".join(line for _, line in sorted(lines)) + b"".join(_line(n) * 3 for n in range(1000, 1100))
    monkeypatch.setattr(groups, "REACH", reach)
    evidence = _evidence(tmp_path / "audit.log", data)
    whole = read_evidence(evidence)
    monkeypatch.setattr(records, "PIECE", size)
    pieces = list(groups.split(evidence))
    assert [p.start for p in pieces[1:]] == [p.end for p in pieces[:-1]]
    assert len(pieces) > 3
    assert read_evidence(evidence).rows == whole.rows
    assert whole.booked[""] == len(data)


def test_one_event_without_end_is_bounded(read, monkeypatch):
    monkeypatch.setattr(groups, "LONGEST", 10_000)
    found = read("auditd", _line(1) * 1000)
    assert len(found.events) > 1


# --- meaning ----------------------------------------------------------------------------------------------------------

_CALL = 'arch=c000003e syscall={} success=yes exit=0 a0=ffffff9c a1={} a2={} a3=0 items=1 ppid=1 pid=2 auid=1000 uid=0 tty=pts0 ses=7 comm="x" exe="/usr/bin/x" key=(null)'


@pytest.mark.parametrize(
    ("call", "a1", "a2", "action"),
    [(2, "0", "0", "file.read"), (2, "1", "0", "file.write"), (2, "2", "0", "file.write"), (2, "80000", "0", "file.read"), (257, "0", "0", "file.read"),
     (257, "0", "241", "file.write"), (257, "1", "80000", "file.read"), (85, "1a4", "0", "file.write"), (90, "1ff", "0", "file.attribute"), (77, "3", "0", "file.write"), (285, "3", "0", "file.write"),
     (87, "0", "0", "file.delete"), (42, "0", "0", "log.message")],
)  # fmt: skip
def test_what_an_open_was_for(read, call, a1, a2, action):
    data = _line(1, body=_CALL.format(call, a1, a2)) + _line(1, "CWD", 'cwd="/w"') + _line(1, "PATH", 'item=0 name="f" nametype=NORMAL')
    (event,) = read("auditd", data, host="h").events
    assert event.action == action
    assert event.object == (None if action == "log.message" else "file://h/w/f")
    assert (event.actor, event.target) == ("unix:#1000", "unix:#0")


def test_enrichment_names_accounts(read):
    body = _CALL.format(59, 1, 2) + '\x1dARCH=x86_64 SYSCALL=execve AUID="mei" UID="root"'
    (event,) = read("auditd", _line(1, body=body), host="h").events
    assert (event.action, event.actor, event.target, event.session) == ("process.exec", "unix:mei", "unix:root", "audit:h/7")


@pytest.mark.parametrize("auid", ["4294967295", "-1", "unset"])
def test_no_login_no_actor(read, auid):
    (event,) = read("auditd", _line(1, "SERVICE_START", f"pid=1 uid=0 auid={auid} ses=4294967295 msg='unit=x res=success'")).events
    assert (event.actor, event.session) == (None, None)


def test_a_programs_words_do_not_replace_the_kernels(read):
    body = 'pid=9 uid=1000 auid=1000 ses=7 msg=\'auid=0 ses=1 op=login acct="root" addr=10.0.0.1 res=success\'\x1dUID="kai" AUID="kai"'
    (event,) = read("auditd", _line(1, "USER_LOGIN", body), host="h").events
    assert (event.actor, event.session) == ("unix:kai", "audit:h/7")


def test_arguments(read):
    data = (
        _line(1, body=_CALL.format(59, 1, 2))
        + _line(1, "EXECVE", 'argc=12 a0="x" a1=2D2D a2="" a10="last"')
        + _line(1, "EXECVE", "a3[0]=6162 a3[1]=63")
    )
    (event,) = read("auditd", data).events
    assert json.loads(event.attrs)["argv"] == ["x", "--", "", "abc", "last"]


def test_times_to_the_millisecond(read):
    (event,) = read("auditd", _line(1)).events
    assert times.show(event.time) == "2024-06-12T01:30:00.466Z"


def test_a_serial_of_very_many_lines_takes_time_by_the_line_and_not_by_its_square(read):
    """In processor time, which a busy machine does not stretch: four times the lines, far from sixteen times the time."""

    def seconds(count: int) -> float:
        call = _line(1, "SYSCALL", "arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c a1=0 a2=241 pid=1 auid=1000 ses=7")
        data = call + b"".join(_line(1, "PATH", f'item={n} name="/share/{n}" nametype=CREATE') for n in range(count))
        begun = time.process_time()
        assert len(read("auditd", data).events) == count
        return time.process_time() - begun

    seconds(100)
    assert min(seconds(8000) for _ in range(2)) < 10 * max(seconds(2000) for _ in range(2))
