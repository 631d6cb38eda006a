"""What a flag is: a fact with innocent explanations."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flag:
    """A fact, its innocent explanations, and the events that show it."""

    flag: str
    says: str
    innocent: tuple[str, ...]
    refs: tuple[int, ...]
