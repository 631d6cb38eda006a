"""What a control is here: a measure that would have stopped a change or shown its author, and what the records say of it."""

from dataclasses import dataclass
from enum import StrEnum


class Shows(StrEnum):
    """What the records say of a control."""

    YES = "the records show it"
    NO = "the records show that it was not so"
    NOTHING = "there is no record"


@dataclass(frozen=True, slots=True)
class Control:
    """A control at one step of a change's way."""

    id: str
    """limited-access, reviewed, scanned-first, same-hash, one-person, use-by-person or copy-removed"""
    control: str
    """what it asks for"""
    object: str
    """the step: where it was written, or what was used"""
    shows: Shows
    why: str
    would_have: str
    """what it would have done here"""
    refs: tuple[int, ...] = ()
    """events"""
