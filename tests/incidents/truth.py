"""What really happened in a case, and what its records allow to be said about it."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

FLAGS = (
    "author-mismatch", "backdated", "rewritten-history", "clock-offset", "log-gap", "impossible-overlap", "after-departure", "credential-reuse",
    "shared-address", "hidden-code", "unreviewed", "record-conflict",
)  # fmt: skip


@dataclass(slots=True)
class Answer:
    """The truth of one question. `person` is empty where the records cannot tell."""

    object: str
    actor: str
    person: str | None
    rung: str
    mechanism: str
    account: str | None
    mechanism_also: list[str] = field(default_factory=list)
    account_also: list[str] = field(default_factory=list)
    candidates: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    not_flags: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Reach:
    jobs: list[str] = field(default_factory=list)
    jobs_possible: list[str] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)
    objects_possible: list[str] = field(default_factory=list)
    gpu_hours: float = 0.0
    gpu_hours_possible: float = 0.0


@dataclass(slots=True)
class Truth:
    case: str
    seed: int
    klass: str
    variant: str
    twin: bool
    questions: dict[str, Answer] = field(default_factory=dict)
    statements: dict[str, str] = field(default_factory=dict)
    impact: dict[str, Reach] = field(default_factory=dict)
    causes: list[str] = field(default_factory=list)
    cause_equivalents: dict[str, list[str]] = field(default_factory=dict)
    cause_none: bool = False
    runs_named: list[int] = field(default_factory=lambda: [0, 0])
    """harmed and healthy runs that the case names"""
    clock_offset_s: dict[str, float] = field(default_factory=dict)
    gaps: dict[str, list[list[str]]] = field(default_factory=dict)
    when: dict[str, str] = field(default_factory=dict)
    yardsticks: dict[str, dict[str, str | None]] = field(default_factory=dict)
    """by question: whom naive readings would name"""

    def page(self, number: int) -> dict[str, Any]:
        """Return it in the shape of the example truths, with `class`, `variant`, `twin`, `yardsticks`."""
        out = asdict(self)
        out["class"] = out["tactic"] = out.pop("klass")
        out["number"] = number
        return out


def write(truth: Truth, number: int) -> str:
    return json.dumps(truth.page(number), sort_keys=True, ensure_ascii=False) + "\n"
