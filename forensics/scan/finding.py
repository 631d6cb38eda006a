"""What a scan hands back: findings, and what could not be read."""

from dataclasses import dataclass, field
from enum import StrEnum


class Weight(StrEnum):
    """Whether a finding is a reason to look by itself."""

    LOOK = "look"
    NOTE = "note"
    """worth knowing where something else is odd; ordinary files have it, too"""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something in a file that somebody should look at, and honest reasons why it may be there."""

    file: str
    """as it was given, with what lies below it"""
    place: tuple[int, int]
    """first byte, and the byte after the last; of text: first line and last line, from 1 on"""
    unit: str
    """`byte` or `line`"""
    rule: str
    says: str
    why: str
    innocent: tuple[str, ...]
    weight: Weight = Weight.LOOK
    member: str = ""
    """the file inside this file"""
    inside: int | None = None
    """first byte in that, where `place` counts in the file around it"""
    opcode: str = ""
    """of a pickle: the opcode that names what is called"""
    text: str = ""
    """what stands there"""

    @property
    def where(self) -> str:
        """Return file and place, as people write them."""
        start, end = self.place
        inside = f"!{self.member}" if self.member else ""
        if self.unit == "line":
            return f"{self.file}{inside}:{start}" + (f"-{end}" if end > start else "")
        at = f" byte {self.inside}" if self.inside is not None else ""
        return f"{self.file}{inside}{at} (byte {start} of the file)" if self.member else f"{self.file} byte {start}"


@dataclass(frozen=True, slots=True, order=True)
class Unread:
    """Something that could not be read, or not to its end."""

    file: str
    at: int
    """byte"""
    why: str


@dataclass(slots=True)
class Scan:
    """All that was found below the paths that were given."""

    findings: list[Finding] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    files: int = 0
    bytes: int = 0
    """of those files"""
    known: int = 0
    """findings that an earlier scan had, left out"""

    @property
    def looks(self) -> int:
        """Count the findings that are a reason to look by themselves."""
        return sum(f.weight is Weight.LOOK for f in self.findings)
