"""What all tests share: reading a source as the first step of an examination does, and the flag that writes goldens anew."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from forensics.evidence import collect
from forensics.model import CaseConfig, Event, Evidence, Piece, Reject, SourceConfig, Tier
from forensics.source import Source, load


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-goldens", action="store_true", help="write the golden files anew; read their diff before you commit it")


@pytest.fixture
def update_goldens(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-goldens"))


@lru_cache(maxsize=64)
def _load(kind: str) -> Source:
    return load(kind)


@dataclass(slots=True)
class Reading:
    """All rows of a source, and where the bytes of each of its files went."""

    events: list[Event] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    named: list[tuple[str, Event | Reject]] = field(default_factory=list)
    booked: dict[str, int] = field(default_factory=dict)
    parsed: int = 0
    damage: str = ""

    @property
    def rows(self) -> list[tuple[str, Event | Reject]]:
        """All rows with their files' names, in the order of files and bytes."""
        return sorted(self.named, key=lambda row: (row[0], row[1].start, isinstance(row[1], Reject)))

    def add(self, piece: Piece) -> None:
        for batch in _load(piece.source.kind).read(piece):
            self.events += batch.events
            self.rejects += batch.rejects
            self.named += [(piece.file.file, row) for row in [*batch.events, *batch.rejects]]
            self.parsed += batch.parsed
            self.damage = batch.damage or self.damage
            rejected = sum(reject.end - reject.start for reject in batch.rejects)
            self.booked[piece.file.file] = self.booked.get(piece.file.file, 0) + batch.parsed + batch.skipped + rejected


def config(kind: str, path: str, **keys: Any) -> SourceConfig:
    """Build a source as case.toml would: the keys of [[source]], `map` with its `actions`."""
    mapping = dict(keys.pop("map", {}))
    actions = tuple(mapping.pop("actions", {}).items())
    runs = keys.pop("runs", {})
    if "tier" in keys:
        keys["tier"] = Tier(keys["tier"])
    return SourceConfig(
        keys.pop("name", kind),
        kind,
        keys.pop("path", path),
        map=tuple(mapping.items()),
        actions=actions,
        runs_pattern=runs.get("pattern", ""),
        **keys,
    )


def case_of(root: Path, *sources: SourceConfig) -> CaseConfig:
    return CaseConfig(str(root), "case", "A case", "UTC", (0, 1), sources)


def evidence_of(root: Path, source: SourceConfig) -> Evidence:
    found = collect(case_of(root, source), source, str(root / "work"))
    prepare = load(source.kind).prepare
    return prepare(found) if prepare else found


def read_all(evidence: Evidence) -> Reading:
    reading = Reading()
    for piece in _load(evidence.source.kind).split(evidence):
        reading.add(piece)
    return reading


Reader = Callable[..., Reading]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Give a function that reads bytes (or files by name) as a source of a kind: `read("syslog", b"...", host="gpu-1")`."""
    count = 0

    def reader(kind: str, data: bytes | dict[str, bytes], **keys: Any) -> Reading:
        nonlocal count
        count += 1
        root = tmp_path / f"case-{count}"
        for name, content in (data if isinstance(data, dict) else {"input": data}).items():
            path = root / "evidence" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        where = "evidence" if isinstance(data, dict) else "evidence/input"
        reading = read_all(evidence_of(root, config(kind, where, **keys)))
        if not load(kind).prepare:
            files = {
                file.relative_to(root / where).as_posix() if isinstance(data, dict) else "": file
                for file in (root / "evidence").rglob("*")
                if file.is_file()
            }
            plain = {name: file.stat().st_size for name, file in files.items() if file.suffix not in (".gz", ".zst")}
            assert {name: reading.booked.get(name, 0) for name in plain} == plain
        return reading

    return reader


@pytest.fixture
def source_config() -> Callable[..., SourceConfig]:
    return config


@pytest.fixture
def evidence_at() -> Callable[[Path, SourceConfig], Evidence]:
    return evidence_of


@pytest.fixture
def read_evidence() -> Callable[[Evidence], Reading]:
    return read_all
