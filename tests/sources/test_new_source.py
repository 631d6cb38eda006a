"""Adding a source is one file and one fixture folder: a made-up one, laid down beside the others for the length of a test."""

import importlib
import shutil
import sys
from pathlib import Path

import pytest

from forensics import sources
from forensics.case import reading
from forensics.engine import run
from forensics.source import Source, kinds, load
from forensics.tables import open_tables

CODE = '''
"""Reads the doorbell's log: `<time> <who>` a line."""

from collections.abc import Iterator

from forensics import records, times
from forensics.errors import RecordError
from forensics.model import Batch, Event, Evidence, Piece, Tier
from forensics.source import Source


def split(evidence: Evidence) -> Iterator[Piece]:
    """Cut at line ends."""
    return records.split_lines(evidence)


def read(piece: Piece) -> Iterator[Batch]:
    """Read the rings of a piece."""

    def parse(data: bytes, start: int, end: int) -> list[Event]:
        when, parted, who = data.decode("utf-8", "backslashreplace").partition(" ")
        if not parted:
            raise RecordError("no ring: it says when, but not who")
        time, time_hi = times.instant(when, piece.source.timezone)
        return [Event(start, end, time, "person.present", f"badge:{who}", "place:door", time_hi=time_hi)]

    return records.each_line(piece, parse)


SOURCE = Source(
    name="doorbell",
    reads="who rang, and when",
    collect=("scp doorbell:/var/log/rings .",),
    reference="https://doorbell.example/log",
    tier=Tier.T2,
    keeps="the doorbell, for a week",
    split=split,
    read=read,
)
'''
RINGS = b"2024-06-12T08:00:00Z 477976\nnobody\n2024-06-12T08:05:00Z 250074\n"


@pytest.fixture
def doorbell(tmp_path, monkeypatch):
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "doorbell.py").write_text(CODE)
    monkeypatch.setattr(sources, "__path__", [*sources.__path__, str(folder)])
    importlib.invalidate_caches()
    yield
    sys.modules.pop("forensics.sources.doorbell", None)
    vars(sources).pop("doorbell", None)


def test_one_file_is_enough(doorbell, read):
    assert "doorbell" in kinds()
    assert isinstance(load("doorbell"), Source)
    found = read("doorbell", RINGS)
    assert [(e.actor, e.start, e.end) for e in found.events] == [("badge:477976", 0, 28), ("badge:250074", 35, 63)]
    assert [r.reason for r in found.rejects] == ["no ring: it says when, but not who"]


def test_its_rows_stand_in_the_tables(doorbell, tmp_path, source_config, evidence_at):
    (tmp_path / "rings").write_bytes(RINGS)
    evidence = evidence_at(tmp_path, source_config("doorbell", "rings"))
    accounts = [account for part in run(reading.read_task, reading.plan([evidence], tmp_path / "tables"), 1) for account in part]
    (row,) = reading.files_table([evidence], accounts).to_pylist()
    assert (row["parsed"], row["skipped"], row["rejected"], row["stored"]) == (len(RINGS) - 7, 0, 7, len(RINGS))
    with open_tables(tmp_path / "tables") as tables:
        assert tables.rows("SELECT source, actor FROM events ORDER BY id") == [
            {"source": "doorbell", "actor": "badge:477976"},
            {"source": "doorbell", "actor": "badge:250074"},
        ]


def test_one_folder_is_its_test(doorbell, tmp_path):
    """All that every source promises is checked of it, too, once its fixture lies there."""
    here = Path(__file__).parent
    room = tmp_path / "tests"
    shutil.copy(here.parent / "conftest.py", _made(room))
    shutil.copy(here / "test_all.py", _made(room / "sources"))
    shutil.copytree(here / "fixtures/metrics/points", room / "sources/fixtures/metrics/points")
    fixture = _made(room / "sources/fixtures/doorbell/two-rings")
    (fixture / "input").write_bytes(RINGS)
    arguments = ["-q", "-p", "no:cacheprovider", "-k", "doorbell", "--rootdir", str(room), str(room)]
    assert pytest.main([*arguments, "--update-goldens"]) == pytest.ExitCode.OK
    assert (fixture / "golden.jsonl").read_text().count("\n") == 3
    (fixture / "golden.jsonl").write_text("")
    assert pytest.main(arguments) == pytest.ExitCode.TESTS_FAILED


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_it_is_gone_again():
    with pytest.raises(KeyError):
        load("doorbell")
