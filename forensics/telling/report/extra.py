"""What the page is told beside the findings: who examined, when, with what, and how to read a record's bytes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Ref = dict[str, Any]
"""where a fact stands in the raw evidence: source, sha256, locator, and path where the source has several files"""
Raw = Callable[[Ref], bytes | None]
"""bytes of the record that a reference points at; None where they can't be read"""


def no_bytes(_: Ref) -> bytes | None:
    """Stand in where the bytes are not at hand, or not to be seen."""
    return None


@dataclass(frozen=True, slots=True)
class Extra:
    """Facts about the examination itself; nothing in here is read from a clock or from this machine."""

    tool: str
    """name and version"""
    examiner: str
    time: str
    """ISO 8601, as the caller gives it"""
    custody_head: str = ""
    """hash at the end of the custody chain"""
    custody: tuple[Mapping[str, Any], ...] = ()
    """entries of the custody log, in order"""
    policy: Mapping[str, Any] = field(default_factory=dict)
    """every number that the method rests on, nested as in its file"""
    unknown_kinds: tuple[str, ...] = ()
    """kinds of source that this version does not read, as declared in the case"""
    raw: Raw | None = None
    """None: the bytes that OUT keeps of every cited record (table `quoted`)"""
    notes: tuple[Mapping[str, Any], ...] = ()
    """what the examiner noted, in order: time, examiner, text, and tags or the place it is about"""
    compared: Mapping[str, Any] = field(default_factory=dict)
    """comparison.json: which runs were compared, and by what"""
    rules: Mapping[str, Any] = field(default_factory=dict)
    """rules.json: the examiner's own rules; empty where there were none"""
    withheld: bool = False
    """names are hidden, and raw bytes with them, since they could tell"""
