"""How a ratio comes about: what each group of records contributes, their product, and how it moves; and what naming a person takes.

All of it is worked out from the weighings of findings.json, with the method's own functions.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.reasoning.weighing import by_group, item_log
from forensics.telling import weighed
from forensics.telling.report.extra import Ref
from forensics.telling.report.said import Said, Voice
from forensics.telling.report.showing import ratio
from forensics.telling.report.words import MECHANISMS

_DEVICE = ("origin_device", "device_command")
"""kinds of evidence that tell the device of an act"""
_OPENED = "device_session"
_LOCKED = "device_locked"
_EVEN = 1e-6
COMPARED = 2
"""which of the conditions is that every comparison is clear enough"""


@dataclass(frozen=True, slots=True)
class Part:
    """What one group of records contributes."""

    group: Said
    points: tuple[tuple[str, tuple[Ref, ...]], ...]
    """the sentence that counts, with its evidence; two where the group's records pull against each other"""
    ratios: tuple[float, ...]
    """by factor"""


@dataclass(frozen=True, slots=True)
class Sum:
    """The comparison of the leading explanation with the closest other one."""

    leading: Said
    other: Said
    factors: tuple[float, ...]
    """by which the chances that a record is wrong were varied"""
    parts: tuple[Part, ...]
    even: int
    """groups that favour neither"""
    totals: tuple[float, ...]
    """products, by factor"""
    low: float
    high: float
    left_out: tuple[float, Said] | None
    dropped: tuple[float, str] | None


@dataclass(frozen=True, slots=True)
class Condition:
    """One of what naming a person takes."""

    says: Said
    here: Said
    met: bool | None
    """None where there is nothing that it could be asked of"""


def group(name: str, voice: Voice) -> Said:
    """Say what a group of records is called: after the host or the source where it can be edited."""
    kind, _, rest = name.partition(":")
    if name == "registers":
        return voice.say("the case's registers")
    if kind == "source" and rest:
        return voice.say("the source {name}", name=rest)
    if name == "host:git":
        return voice.say("the git server")
    if kind == "host" and rest:
        return voice.say("the host {name}", name=rest)
    return voice.plain(name)


def sums(answer: Mapping[str, Any], policy: Mapping[str, Any], voice: Voice) -> Iterator[Sum]:
    """Yield, for each weighing of an answer, how its closest comparison comes about; nothing where the findings or the policy do not tell."""
    weights = _weights(policy)
    for number, weighing in enumerate(answer.get("weighings") or ()) if weights else ():
        if weighing["compared"] and weighing["items"]:
            yield _sum(answer, number, weighing, weights, voice)


def _weights(policy: Mapping[str, Any]) -> Mapping[str, Any]:
    factors = policy.get("sensitivity", {}).get("factors")
    if not factors or "words" not in policy or "tiers" not in policy:
        return {}
    return {"words": policy["words"], "tiers": policy["tiers"], "factors": sorted(factors, reverse=True)}


def _sum(answer: Mapping[str, Any], number: int, weighing: Mapping[str, Any], weights: Mapping[str, Any], voice: Voice) -> Sum:
    world, items = weighed.world(weights), weighed.items(weighing)
    other = min(weighing["compared"], key=lambda o: (o["lr"]["low"], o["person"] or "", o["mechanism"]))
    pair = weighed.hypothesis(weighing["leading"]), weighed.hypothesis(other)
    by_factor = [by_group(world, items, *pair, factor) for factor in world.policy.factors]
    told = {item["weighed"][1]: item for item in _told(answer) if item["weighed"][0] == number}
    parts, even = [], 0
    for name in sorted(by_factor[0]):
        values = tuple(math.exp(found[name]) for found in by_factor)
        if all(abs(value - 1) < _EVEN for value in values):
            even += 1
            continue
        logs = {place: item_log(world, item, *pair) for place, item in enumerate(items) if item.group == name}
        strongest = [find(logs, key=lambda place: (logs[place], -place)) for find in (max, min)]
        counts = [p for p, sign in zip(strongest, (1, -1), strict=True) if sign * logs[p] > _EVEN and p in told]
        points = tuple((told[p]["says"], tuple(told[p]["refs"])) for p in counts)
        parts.append(Part(group(name, voice), points, values))
    left, dropped = other["left_out"], other["dropped"]
    return Sum(
        voice.say(MECHANISMS[weighing["leading"]["mechanism"]]), voice.say(MECHANISMS[other["mechanism"]]), tuple(world.policy.factors),
        tuple(sorted(parts, key=lambda part: -max(part.ratios))), even, tuple(math.exp(sum(found.values())) for found in by_factor),
        other["lr"]["low"], other["lr"]["high"], (left["low"], group(left["group"], voice)) if left["group"] else None,
        (dropped["low"], dropped["source"])
        if dropped["source"] and (dropped["low"], f"source:{dropped['source']}") != (left["low"], left["group"])
        else None,
    )  # fmt: skip


def _told(answer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (item for side in ("for", "against", "neutral") for item in answer[side] if "weighed" in item)


# --- what naming a person takes ---------------------------------------------------------------------------------------


def naming(answer: Mapping[str, Any], policy: Mapping[str, Any], voice: Voice) -> tuple[Condition, ...]:
    """Return the conditions of the last rung, each with what there is (`forensics/reasoning/naming.py`, `falls_short`)."""
    weighings: Sequence[Mapping[str, Any]] = answer.get("weighings") or ()
    needed = policy.get("naming")
    if len(weighings) != 1 or not needed:
        return ()
    leading = weighings[0]["leading"]["person"]
    rivals = [o for o in weighings[0]["compared"] if o["person"] != leading]
    say = voice.say
    lowest = say("Against every other person's explanation, the low end of the ratio is at least {ratio}.", ratio=ratio(needed["lowest"]))
    stays = say("It stays at least {ratio}, whichever group of records or source is left out.", ratio=ratio(needed["left_out"]))
    if not rivals:
        nobody = say("nobody else was there to compare with")
        return (Condition(lowest, nobody, met=False), Condition(stays, nobody, met=None))
    items = list(_told(answer))
    session = _groups(items, "session", 1)
    person = _groups(items, "person", needed["person"])
    device = {i["group"] for i in items if i.get("kind") in _DEVICE and i["rung"] == "session" and i["lr"] > 1}
    opened = {i["group"] for i in items if i.get("kind") == _OPENED and i["lr"] > needed["person"]}
    in_hand = any(one != other for one in session for other in opened)
    low = min(o["lr"]["low"] for o in rivals)
    left = min(min(o["left_out"]["low"], o["dropped"]["low"]) for o in rivals)
    telling = {i["group"] for i in items if abs(i["lr"] - 1) > _EVEN}
    alone = len(telling) < 2 and abs(left - 1) < _EVEN  # without it nothing is left that could be compared

    def named(groups: set[str]) -> Said:
        return voice.joined([group(name, voice) for name in sorted(groups)]) if groups else say("nothing")

    locked = [i for i in items if i.get("kind") == _LOCKED]
    return (
        Condition(say("Records tell the device that the act came from."), named(device), bool(device)),
        *(
            Condition(
                say("The device had not been locked for longer than a break when a program made the change on it."),
                voice.told(i["says"]),
                met=False,
            )
            for i in locked
        ),
        Condition(
            say(
                "Records of a group that does not serve for the session speak for the person, each by a ratio above {ratio}; or the device was opened on the spot, and another group speaks for the session.",
                ratio=ratio(needed["person"]),
            ),
            say(
                "for the session: {session}; for the person: {person}"
                if person - session or not in_hand
                else "for the session: {session}; for the person: {person}, since the device was opened on the spot",
                session=named(session),
                person=named(person),
            ),
            bool(person - session) or in_hand,
        ),
        Condition(
            lowest,
            voice.plain(ratio(low)),
            low >= needed["lowest"],
        ),
        Condition(stays, say("without the one group that tells, nothing is left to compare"), None)
        if alone
        else Condition(stays, voice.plain(ratio(left)), left >= needed["left_out"]),
    )


def _groups(items: Sequence[Mapping[str, Any]], rung: str, above: float) -> set[str]:
    return {i["group"] for i in items if i["rung"] == rung and i["lr"] > above}
