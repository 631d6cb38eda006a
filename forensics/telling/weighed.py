"""What was weighed, read back from findings.json (`weighings`), so that its arithmetic can be done again with the method's own functions."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

from forensics.indicator import Hypothesis, Item
from forensics.model import Mechanism, Tier
from forensics.reasoning.weighing import Weighed
from forensics.reasoning.world import World


def world(weights: Mapping[str, Any]) -> World:
    """Return as much of a world as weighing looks at; `weights`: the policy's `words`, `tiers` and `factors`."""
    policy = SimpleNamespace(
        words=weights["words"], tiers={Tier(k): v for k, v in weights["tiers"].items()}, factors=tuple(weights["factors"])
    )
    return cast("World", SimpleNamespace(policy=policy))


def hypotheses(weighing: Mapping[str, Any]) -> list[Hypothesis]:
    """Return the leading hypothesis, then those it was compared with."""
    return [hypothesis(h) for h in (weighing["leading"], *weighing["compared"])]


def hypothesis(told: Mapping[str, Any]) -> Hypothesis:
    """Return one of them."""
    return Hypothesis(told["person"], Mechanism(told["mechanism"]))


def items(weighing: Mapping[str, Any]) -> list[Weighed]:
    """Return the items with their groups, tiers and controllers, in the order of the findings."""
    every = hypotheses(weighing)
    found = []
    for item in weighing["items"]:
        expect = {every[number]: word for word, numbers in item["expect"].items() for number in numbers}
        told = Item("", "", tuple(item["sources"]), (), "", expect, item["otherwise"])
        found.append(Weighed(told, item["group"], item["tier"], frozenset(item["controllers"])))
    return found
