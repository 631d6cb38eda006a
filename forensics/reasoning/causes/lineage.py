"""First bad checkpoints: along what each harmed run was continued from, where the harm began.

A run loads a checkpoint that an earlier job wrote, and so on back. Of such a line, runs are known to be harmed, to be healthy, or neither. The harm
began after the last healthy one and with the first harmed one behind it; runs between them that nobody judged may have been either.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from forensics.reasoning.causes.runs import Runs
from forensics.reasoning.causes.spread import Key, Spread

_DEEPEST = 64
"""steps back that are followed"""


@dataclass(frozen=True, slots=True)
class Step:
    """A job, and the checkpoint of the job before it that it loaded."""

    job: str
    loaded: str
    kind: str
    """harmed, healthy, or nothing where nobody judged it"""


@dataclass(frozen=True, slots=True)
class Line:
    """A harmed run's way back."""

    run: str
    steps: tuple[Step, ...]
    """from the earliest job to the run itself"""
    good: str
    """the last healthy job; empty where the line holds none"""
    first: str
    """the first harmed job behind it"""
    checkpoint: str
    """what the first harmed job loaded: the first that may bear the harm; empty where it began with itself"""


def lines(came: Spread, compared: Runs) -> Iterator[Line]:
    """Yield the way back of every harmed run that has one."""
    before = _before(came)
    kinds = dict.fromkeys(compared.named(compared.bad | compared.more_bad), "harmed")
    kinds |= dict.fromkeys(compared.named(compared.good | compared.more_good), "healthy")
    for run in compared.named(compared.bad):
        steps = tuple(_back(run, before, kinds, came))
        if len(steps) > 1:
            yield _line(run, steps)


def _before(came: Spread) -> dict[str, tuple[str, Key]]:
    """Return job -> (the job whose checkpoint it loaded first, that checkpoint)."""
    found: dict[str, tuple[int, str, Key]] = {}
    loads = came.loads
    written = np.array([key in came.writers for key in loads.keys], bool)
    chosen = np.flatnonzero(written[loads.key]) if len(loads.key) else loads.key
    for key, job, time in zip(*(column[chosen].tolist() for column in (loads.key, loads.job, loads.time)), strict=True):
        name, version = loads.jobs[job], loads.keys[key]
        writer = came.writers[version]
        if writer != name and (name not in found or (time, writer) < found[name][:2]):
            found[name] = time, writer, version
    return {job: (writer, key) for job, (_, writer, key) in found.items()}


def _back(run: str, before: dict[str, tuple[str, Key]], kinds: dict[str, str], came: Spread) -> list[Step]:
    steps: list[Step] = []
    seen: set[str] = set()
    job = run
    while job not in seen and len(steps) < _DEEPEST:
        seen.add(job)
        writer, key = before.get(job, ("", ("", -1)))
        steps.append(Step(job, came.versions.show(key)[0] if writer else "", kinds.get(job, "")))
        if not writer:
            break
        job = writer
    return steps[::-1]


def _line(run: str, steps: tuple[Step, ...]) -> Line:
    last_good = max((n for n, s in enumerate(steps) if s.kind == "healthy"), default=-1)
    first = next(s for s in steps[last_good + 1 :] if s.kind == "harmed")
    return Line(run, steps, steps[last_good].job if last_good >= 0 else "", first.job, first.loaded)
