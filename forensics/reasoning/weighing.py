"""Likelihood ratios between hypotheses, over groups of evidence, with their range; and how far that carries."""

from dataclasses import dataclass
from math import exp, log

from forensics.indicator import Hypothesis, Item
from forensics.model import Mechanism
from forensics.reasoning.world import World


@dataclass(frozen=True, slots=True)
class Weighed:
    """An item with its group, tier and controllers."""

    item: Item
    group: str
    tier: str
    controllers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How much better the evidence fits one hypothesis than another."""

    point: float
    low: float
    high: float
    """over the variation of the chance that a record is wrong, with all groups"""
    left_out_low: float
    """lowest over leaving each group out, with the chances as they are"""
    left_out_group: str
    dropped_low: float
    """lowest over dropping each source, with every item that rests on it"""
    dropped_source: str


def weigh(world: World, items: list[Item]) -> list[Weighed]:
    """Give every item its group, tier and controllers."""
    return [
        Weighed(i, world.groups[i.sources[0]], world.weakest(i.sources), frozenset(world.controlled(i.sources)) | i.keepers) for i in items
    ]


def chance(world: World, weighed: Weighed, h: Hypothesis, factor: float = 1.0) -> float:
    """Return (1-r)p + r/2: how likely the record is to say so, if it may be wrong whatever happened (method, Evidence)."""
    p = world.policy.words[weighed.item.expect.get(h, weighed.item.otherwise)]
    r = min(1.0, world.policy.tiers[weighed.tier] * factor)  # type: ignore[index]
    return (1 - r) * p + r / 2


def item_log(world: World, weighed: Weighed, one: Hypothesis, other: Hypothesis, factor: float = 1.0) -> float:
    """Return the item's log ratio; nothing where either says that a controller of these very records forged them."""
    for h in (one, other):
        if h.mechanism is Mechanism.FORGED_RECORD and h.person in weighed.controllers:
            return 0.0
    return log(chance(world, weighed, one, factor)) - log(chance(world, weighed, other, factor))


def by_group(world: World, weighed: list[Weighed], one: Hypothesis, other: Hypothesis, factor: float = 1.0) -> dict[str, float]:
    """Return each group's log ratio: that of its strongest item either way; where two pull against each other, their sum, if that is less."""
    up: dict[str, float] = {}
    down: dict[str, float] = {}
    for w in weighed:
        value = item_log(world, w, one, other, factor)
        up[w.group] = max(up.get(w.group, 0.0), value)
        down[w.group] = min(down.get(w.group, 0.0), value)
    return {g: up[g] + down[g] for g in up}


def ratio(world: World, weighed: list[Weighed], one: Hypothesis, other: Hypothesis) -> Ratio:
    """Return the likelihood ratio of one hypothesis against another, with its range over the sensitivity analysis."""
    totals = [sum(by_group(world, weighed, one, other, f).values()) for f in world.policy.factors]
    groups = by_group(world, weighed, one, other)
    point = sum(groups.values())
    without = sorted((point - value, group) for group, value in groups.items()) or [(point, "")]
    sources = sorted({s for w in weighed for s in w.item.sources})
    kept = [(sum(by_group(world, [w for w in weighed if s not in w.item.sources], one, other).values()), s) for s in sources] or [
        (point, "")
    ]
    dropped = min(kept)
    return Ratio(
        exp(point), exp(min([*totals, point])), exp(max([*totals, point])), exp(without[0][0]), without[0][1], exp(dropped[0]), dropped[1]
    )


def total(world: World, weighed: list[Weighed], h: Hypothesis, base: Hypothesis) -> float:
    """Return the log ratio of a hypothesis against a fixed base, to order hypotheses by."""
    return sum(by_group(world, weighed, h, base).values())


def leader(world: World, weighed: list[Weighed], hypotheses: tuple[Hypothesis, ...]) -> Hypothesis | None:
    """Return the hypothesis that every other is less supported than; None where two stand level at the top."""
    if not hypotheses:
        return None
    best = max(hypotheses, key=lambda h: (total(world, weighed, h, hypotheses[0]), [-ord(c) for c in h.person], h.mechanism))
    rivals = [h for h in hypotheses if h != best and h.person != best.person]
    level = any(abs(ratio(world, weighed, best, h).point - 1) < 1e-9 for h in rivals)
    return None if level else best
