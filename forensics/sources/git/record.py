"""What intake found, kept beside the copy, so that workers need nothing else."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from forensics.sources.git.layout import Role

NAME = "record/record.json"


@dataclass(frozen=True, slots=True)
class Plain:
    """A file that is no object: a reflog, a ref, a setting."""

    role: Role
    file: str
    """path as it lay there"""
    name: str
    """path below the git folder"""
    stored: str
    """file in the copy's `record` folder"""
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, order=True)
class Broken:
    """An object, or a whole pack, that can't be read."""

    id: str
    """empty where it is not known which objects"""
    reason: str
    size: int


@dataclass(frozen=True, slots=True)
class Record:
    """A copied repository."""

    algorithm: str
    """`sha1` or `sha256`"""
    plain: tuple[Plain, ...]
    other: int
    """bytes of files that say nothing about history"""
    damage: str = ""
    """why an archive could not be read to its end"""
    broken: tuple[Broken, ...] = ()
    commits: int = 0
    canonical: int = 0
    """bytes of all readable objects, with their headers"""
    missing: tuple[str, ...] = ()
    """objects that commits name as parents and that are not there"""


def save(copy: Path, record: Record) -> None:
    """Write the record of a copy."""
    (copy / NAME).write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1))


def load(copy: Path) -> Record:
    """Read the record of a copy."""
    return msgspec.json.decode((copy / NAME).read_bytes(), type=Record)
