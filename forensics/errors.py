"""The error tree: every error says what is wrong, where, and what to do about it."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes, as the contract fixes them."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNREADABLE = 3
    INTEGRITY = 4
    LOOK = 5
    """`forensics scan` alone: there is something to look at"""


class ForensicsError(Exception):
    """An error in words: `what` happened, at `where`, and a `hint` that mends it."""

    code = Exit.FAILED

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        hint = f"\n  remedy: {self.hint}" if self.hint else ""
        return f"{place}{self.what}{hint}"

    def __reduce__(self) -> tuple[object, ...]:
        """Keep place and remedy when an error travels from a worker process."""
        return _rebuild, (type(self), self.what, self.where, self.hint)


def _rebuild(kind: type[ForensicsError], what: str, where: str, hint: str) -> ForensicsError:
    return kind(what, where=where, hint=hint)


class CaseError(ForensicsError):
    """The case folder does not say what it must, or contradicts itself."""


class UsageError(ForensicsError):
    """A command was asked for something that it does not do."""

    code = Exit.USAGE


class IntegrityError(ForensicsError):
    """Evidence changed while it was examined, or a hash does not hold."""

    code = Exit.INTEGRITY


class EvidenceError(ForensicsError):
    """A piece of evidence can't be opened at all."""

    code = Exit.UNREADABLE


class RecordError(ForensicsError):
    """One record can't be read; it becomes a rejected row, and the reading goes on."""
