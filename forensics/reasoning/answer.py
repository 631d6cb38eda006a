"""What the answer to a question holds."""

from dataclasses import dataclass

from forensics.indicator import Hypothesis
from forensics.model import Mechanism, Question, Rung
from forensics.reasoning import ladder as rungs
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.flag import Flag
from forensics.reasoning.hypotheses import NOT_EVALUATED
from forensics.reasoning.weighing import Ratio, Weighed


@dataclass(frozen=True, slots=True)
class Argued:
    """An item, and what it contributes to the leading hypothesis against the best-supported alternative."""

    weighed: Weighed
    lr: float


@dataclass(frozen=True, slots=True)
class Weighing:
    """What one comparison of hypotheses rests on, so that its arithmetic can be done again from the findings alone."""

    leading: Hypothesis
    weighed: tuple[Weighed, ...]
    compared: tuple[tuple[Hypothesis, Ratio], ...]
    nearest: Hypothesis | None
    """the alternative that each item's own ratio is against"""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question."""

    question: Question
    dossier: Dossier
    rung: Rung
    person: str | None
    account: str | None
    mechanism: Mechanism
    support: str
    candidates: tuple[str, ...]
    alternatives: tuple[tuple[Hypothesis, Ratio], ...] = ()
    argued: tuple[Argued, ...] = ()
    ladder: tuple[rungs.Step, ...] = ()
    missing: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    on_behalf: str | None = None
    not_evaluated: tuple[str, ...] = NOT_EVALUATED
    weighings: tuple[Weighing, ...] = ()
    """the items of `argued`, in their order, shared out to the comparisons that they were weighed in"""
