"""Something that a checkpoint has and none of its lineage had."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class New:
    """Something that this checkpoint has and none of its lineage had."""

    kind: str
    """callable, opcode, format, tensors, tensor or metadata"""
    what: str
    says: str
    innocent: tuple[str, ...]
    refs: tuple[int, ...]
