"""What every source promises, checked on every fixture of every kind.

A fixture is a folder `fixtures/<kind>/<case>/` with `input` (a file or folder of that name, whatever its ending), `golden.jsonl`, and
`source.toml` with the keys of [[source]] (name, kind and path need not be there). A table [fixture] in it may say `compress = false`
where the input is a container that is never compressed again, `cut = false` where a truncated file is checked by tests of its own, and
`garbage = false` where any bytes are evidence.
"""

import gzip
import io
import json
import os
import random
import shutil
import struct
import tomllib
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import zstandard

from forensics import records
from forensics.case import reading
from forensics.evidence import compression, open_text
from forensics.model import Event, Evidence, Reject, SourceConfig, Tier
from forensics.source import Source, kinds, load

FIXTURES = Path(__file__).parent / "fixtures"
SMALL = 4 << 10


@dataclass(frozen=True, slots=True)
class Fixture:
    kind: str
    folder: Path

    @property
    def input(self) -> Path:
        return next(path for path in sorted(self.folder.iterdir()) if path.name.split(".")[0] == "input")

    def keys(self) -> dict[str, Any]:
        toml = self.folder / "source.toml"
        return tomllib.loads(toml.read_text(encoding="utf-8")) if toml.exists() else {}

    def may(self, what: str) -> bool:
        return bool(self.keys().get("fixture", {}).get(what, True))


def _fixtures() -> list[Fixture]:
    return [Fixture(kind, folder) for kind in kinds() for folder in sorted((FIXTURES / kind).glob("*")) if folder.is_dir()]


every_kind = pytest.mark.parametrize("kind", kinds())
every_fixture = pytest.mark.parametrize("fixture", _fixtures(), ids=lambda f: f"{f.kind}/{f.folder.name}")


def every_text_that(may: str = "") -> pytest.MarkDecorator:
    """Give the fixtures that are files of records; with `may`, those whose source.toml does not say that this is not to be done to them."""
    found = [f for f in _fixtures() if load(f.kind).prepare is None and (not may or f.may(may))]
    return pytest.mark.parametrize("fixture", found, ids=lambda f: f"{f.kind}/{f.folder.name}")


every_text = every_text_that()


@pytest.fixture
def lay(tmp_path: Path, source_config: Callable[..., SourceConfig], evidence_at: Callable[[Path, SourceConfig], Evidence]):
    """Copy a fixture's input into a case of its own, changed by the test, and collect it."""

    def laid(fixture: Fixture, change: Callable[[bytes], bytes] = bytes, ending: str = "", place: str = "case") -> Evidence:
        root = tmp_path / place
        shutil.rmtree(root, ignore_errors=True)
        source = fixture.input
        files = [source] if source.is_file() else [path for path in sorted(source.rglob("*")) if path.is_file()]
        for file in files:
            target = root / (file.relative_to(fixture.folder).as_posix() + ending)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(change(file.read_bytes()))
        keys = {key: value for key, value in fixture.keys().items() if key not in ("kind", "fixture")}
        keys["path"] = keys.get("path", source.name) + (ending if source.is_file() else "")
        return evidence_at(root, source_config(fixture.kind, **keys))

    return laid


def _bare(rows: list[tuple[str, Event | Reject]], ending: str = "") -> list[tuple[str, Event | Reject]]:
    return sorted(((name.removesuffix(ending), row) for name, row in rows), key=lambda row: row[0])


def _lengths(evidence: Evidence) -> dict[str, int]:
    """Return each file's bytes after decompression."""
    found = {}
    for file in evidence.files:
        with open_text(file) as stream:
            found[file.file] = 0
            while data := stream.read(1 << 20):
                found[file.file] += len(data)
    return found


# --- what each says about itself ------------------------------------------------------------------------------------


@every_kind
def test_has_a_fixture(kind):
    assert [f for f in _fixtures() if f.kind == kind], f"lay one down in {FIXTURES / kind}/<case>/"


@every_kind
def test_says_what_it_is(kind):
    source = load(kind)
    assert isinstance(source, Source)
    assert source.name == kind
    assert source.reads
    assert source.keeps
    assert source.collect
    assert all(isinstance(command, str) and command for command in source.collect)
    assert source.reference.startswith("https://")
    assert isinstance(source.tier, Tier)


# --- what it reads --------------------------------------------------------------------------------------------------


def _line(name: str, row: Event | Reject) -> str:
    shown = {key: value for key, value in row._asdict().items() if value is not None}
    if "attrs" in shown:
        shown["attrs"] = json.loads(shown["attrs"])
    if name:
        shown["file"] = name
    return json.dumps({"event" if isinstance(row, Event) else "reject": shown}, sort_keys=True, ensure_ascii=False)


@every_fixture
def test_reads_what_its_golden_says(fixture, lay, read_evidence, update_goldens):
    rows = read_evidence(lay(fixture)).rows
    found = "".join(f"{_line(name, row)}\n" for name, row in rows)
    golden = fixture.folder / "golden.jsonl"
    if update_goldens:
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")


@every_fixture
def test_events_keep_the_contract(fixture, lay, read_evidence):
    for event in read_evidence(lay(fixture)).events:
        assert event.action
        assert (0 <= event.start < event.end) or event.locator
        assert event.time_hi is None or (event.time is not None and event.time < event.time_hi)
        assert event.ip is None or event.ip.startswith("ip:")
        if event.attrs is not None:
            assert event.attrs == json.dumps(json.loads(event.attrs), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@every_text
def test_every_byte_is_booked(fixture, lay, read_evidence):
    evidence = lay(fixture)
    found = read_evidence(evidence)
    assert {name: found.booked.get(name, 0) for name in _lengths(evidence)} == _lengths(evidence)


# --- the same rows, however it is read ------------------------------------------------------------------------------


@every_text
@pytest.mark.parametrize("size", [1, 100, 1000])
def test_by_pieces_as_a_whole(fixture, lay, read_evidence, monkeypatch, size):
    evidence = lay(fixture)
    whole = read_evidence(evidence)
    monkeypatch.setattr(records, "PIECE", size)
    pieces = read_evidence(evidence)
    assert pieces.rows == whole.rows
    assert pieces.booked == whole.booked


@every_text
@pytest.mark.parametrize("size", [1, 7, 64])
def test_by_small_blocks(fixture, lay, read_evidence, monkeypatch, size):
    evidence = lay(fixture)
    if sum(file.size for file in evidence.files) > SMALL * 16:
        size *= 1000
    whole = read_evidence(evidence)
    blocks = records.stream_blocks
    monkeypatch.setattr(records, "stream_blocks", lambda piece, tally, _size=0: blocks(piece, tally, size))
    assert read_evidence(evidence).rows == whole.rows


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


@every_text_that(may="compress")
@pytest.mark.parametrize(("ending", "compress"), [(".gz", _gzip), (".zst", _zstd)])
def test_compressed(fixture, lay, read_evidence, ending, compress):
    whole = read_evidence(lay(fixture))
    found = read_evidence(lay(fixture, compress, ending))
    assert _bare(found.rows, ending) == whole.rows


@every_text
@pytest.mark.parametrize(("ending", "compress"), [(".gz", _gzip), (".zst", _zstd)])
@pytest.mark.parametrize("part", [1.0, 0.5])
def test_bytes_of_compressed_files_add_up(fixture, lay, tmp_path, ending, compress, part):
    evidence = lay(fixture, lambda data: (packed := compress(data))[: int(len(packed) * part)], ending)
    accounts = reading.read_all(reading.plan([evidence], tmp_path / "tables"), 1)
    for row in reading.files_table([evidence], accounts).to_pylist():
        if row["counted"] and compression(row["file"] or evidence.source.path):
            assert row["parsed"] + row["skipped"] + row["rejected"] == row["stored"]
            assert row["stored"] > 0
            assert bool(row["damage"]) == (part < 1 and row["stored"] > 0)


@pytest.mark.slow
def test_same_rows_for_one_worker_and_two(lay, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "TASK", 1)
    evidences = [lay(f, place=f"case-{i}") for i, f in enumerate(_fixtures()) if load(f.kind).prepare is None]
    parts = []
    for workers in (1, 2):
        folder = tmp_path / f"tables-{workers}"
        accounts = reading.read_all(reading.plan(evidences, folder), workers)
        parts.append((accounts, {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}))
    assert parts[0] == parts[1]
    assert parts[0][1]


# --- hostile and broken input ---------------------------------------------------------------------------------------


@every_text_that(may="cut")
def test_cut_at_any_byte(fixture, lay, read_evidence):
    evidence = lay(fixture)
    for file in evidence.files:
        content = Path(file.path).read_bytes()
        step = 1 if len(content) < SMALL and len(evidence.files) == 1 else max(1, len(content) // 200)
        for size in range(len(content), -1, -step):
            os.truncate(file.path, size)
            files = tuple(replace(f, size=size) if f is file else f for f in evidence.files)
            assert read_evidence(replace(evidence, files=files)).booked.get(file.file, 0) == size, size
        Path(file.path).write_bytes(content)


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress(b"".join(b"\0" + bytes((x, y, 0) * 1)[:3] * 16 for y in range(16) for x in [y]))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("notes.txt"), "nothing of interest\n" * 20)
    return buffer.getvalue()


GARBAGE = {
    "random": random.Random(7).randbytes(5000),
    "zeros": bytes(3000),
    "png": _png(),
    "zip": _zip(),
    "prose": b"The quick brown fox\njumps over the lazy dog.\n\n" * 20,
    "brackets": b"[" * 3000 + b"{" * 3000,
    "long": b"x" * (records.LONGEST + 5000) + b"\n",
}


@every_text_that(may="garbage")
@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_says_nothing(fixture, lay, read_evidence, garbage):
    evidence = lay(fixture, lambda _: GARBAGE[garbage])
    found = read_evidence(evidence)
    assert found.events == []
    assert {name: found.booked.get(name, 0) for name in _lengths(evidence)} == _lengths(evidence)


@every_text_that(may="cut")
def test_noise_within(fixture, lay, read_evidence):
    """Bytes flipped here and there cost records, never the reading."""
    noise = random.Random(fixture.folder.name)

    def spoil(data: bytes) -> bytes:
        spoilt = bytearray(data)
        for _ in range(max(1, len(data) // 50)):
            spoilt[noise.randrange(len(spoilt))] = noise.choice(b'\0\n\r"{}[]\xff|,:9 =')
        return bytes(spoilt)

    for _ in range(10):
        evidence = lay(fixture, spoil)
        found = read_evidence(evidence)
        assert {name: found.booked.get(name, 0) for name in _lengths(evidence)} == _lengths(evidence)
        for row in found.events:
            for value in row:
                assert not isinstance(value, str) or value.encode() is not None
