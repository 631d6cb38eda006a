"""The ladder of rungs as a flight of steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.telling.report.extra import Ref
from forensics.telling.report.said import Said, Say
from forensics.telling.report.words import RUNG_STEPS, RUNGS, STEPS_OPEN

STEP, RISE, HEAD, FOOT = 150, 20, 26, 46


@dataclass(frozen=True, slots=True)
class Step:
    """One rung, where it stands in the drawing, and why it was reached or not."""

    rung: str
    label: Said
    reached: bool
    why: str
    refs: tuple[Ref, ...]
    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Ladder:
    """All steps, left to right."""

    steps: tuple[Step, ...]
    width: int
    height: int
    says: Said
    """the drawing in words"""

    @property
    def told(self) -> bool:
        """Tell whether any step has a reason or evidence to list."""
        return any(step.why or step.refs for step in self.steps)


def ladder(answer: Mapping[str, Any], say: Say) -> Ladder:
    """Draw how far an answer goes; without a `ladder` in the findings, from its rung alone."""
    rungs: Sequence[Mapping[str, Any]] = answer.get("ladder") or _from_rung(answer["rung"])
    height = len(rungs) * RISE + HEAD + FOOT
    steps = tuple(_step(number, rung, height, say) for number, rung in enumerate(rungs))
    reached = sum(step.reached for step in steps)
    return Ladder(steps, STEP * len(steps), height, say("{reached} of {number} steps are reached.", reached=reached, number=len(steps)))


def _from_rung(rung: str) -> list[dict[str, Any]]:
    return [{"rung": name, "reached": RUNGS.index(rung) >= RUNGS.index(name)} for name in RUNGS[1:]]


def _step(number: int, rung: Mapping[str, Any], height: int, say: Say) -> Step:
    rise = (number + 1) * RISE
    label = say((RUNG_STEPS if rung["reached"] else STEPS_OPEN)[rung["rung"]])
    return Step(
        rung["rung"],
        label,
        rung["reached"],
        rung.get("why") or "",
        tuple(rung.get("refs") or ()),
        number * STEP,
        height - FOOT - rise,
        rise,
    )
