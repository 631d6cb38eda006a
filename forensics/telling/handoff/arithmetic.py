"""Every likelihood ratio of the findings, worked out again with the method's own functions (`reasoning/weighing.py`)."""

import math
from collections.abc import Mapping
from typing import Any

from forensics.reasoning.weighing import Ratio, item_log, ratio
from forensics.reasoning.world import World
from forensics.telling import weighed
from forensics.telling.handoff.opening import wrong

_CLOSE = 6e-4
"""the findings give four digits"""


def check(findings: Mapping[str, Any], weights: Mapping[str, Any]) -> int:
    """Work every ratio out again; IntegrityError at the first that comes out otherwise. Returns how many there are."""
    world = weighed.world(weights)
    count = 0
    for answer in findings["answers"]:
        where = f"data/findings.json, {answer['question']}"
        known = []
        for weighing in answer["weighings"]:
            for other in weighing["compared"]:
                _compare(other, _worked_out(world, weighing, other), where)
                known.append((other["person"], other["lr"], other["left_out"]["low"], other["dropped"]["low"]))
        for other in answer["alternatives"]:
            if (other["person"], other["lr"], other["left_out"]["low"], other["dropped"]["low"]) not in known:
                raise wrong(where, "has a ratio that was never weighed")
        _items(world, answer, where)
        count += len(known)
    return count


def _worked_out(world: World, weighing: Mapping[str, Any], other: Mapping[str, Any]) -> Ratio:
    leading = weighed.hypothesis(weighing["leading"])
    return ratio(world, weighed.items(weighing), leading, weighed.hypothesis(other))


def _compare(said: Mapping[str, Any], found: Ratio, where: str) -> None:
    pairs = (
        (said["lr"]["point"], found.point), (said["lr"]["low"], found.low), (said["lr"]["high"], found.high),
        (said["left_out"]["low"], found.left_out_low), (said["dropped"]["low"], found.dropped_low),
    )  # fmt: skip
    for one, two in pairs:
        _close(one, two, where)


def _close(said: float, found: float, where: str) -> None:
    if not math.isclose(said, found, rel_tol=_CLOSE):
        raise wrong(where, f"says {said}, and its arithmetic gives {found:.4g}")


def _items(world: World, answer: Mapping[str, Any], where: str) -> None:
    for item in (i for side in ("for", "against", "neutral") for i in answer[side] if "weighed" in i):
        number, place = item["weighed"]
        weighing = answer["weighings"][number]
        every, nearest = weighed.hypotheses(weighing), weighing["nearest"]
        found = math.exp(item_log(world, weighed.items(weighing)[place], every[0], every[nearest])) if nearest else 1.0
        _close(item["lr"], found, where)
