"""The argument behind one answer, read from findings.json alone and laid out as a person would say it."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from forensics.telling.prose import Line, Text, cited, wrapped
from forensics.telling.report.showing import ratio
from forensics.telling.report.words import MECHANISMS, RUNGS, SUPPORT, TIERS, band

Answer = Mapping[str, Any]

_WEIGHTS = {"none": "hardly any weight", "weak": "weak", "moderate": "moderate", "moderately strong": "moderately strong"}
_SIDES = (
    ("for", "What speaks for it", "No record that was supplied speaks for it more than for what else could be."),
    ("against", "What speaks against it", "No record that was supplied speaks against it; records that were not supplied might."),
    ("neutral", "What was weighed, and favours neither", ""),
)


def why(answer: Answer, columns: int) -> Iterator[Line]:
    """Yield the argument for an answer, wrapped at so many columns; what came from evidence is escaped."""
    for part in (_asked, _ladder, _candidates, _sides, _alternatives, _flags, _change, _limits):
        yield from wrapped(part(answer), columns)


# --- the parts, each as (indent, mark, text) ------------------------------------------------------------------------


def _asked(answer: Answer) -> Iterator[Text]:
    yield 0, "#", f"{answer['question']}: {answer['object']}"
    if answer.get("about"):
        yield 2, "", answer["about"]
    if when := answer.get("when"):
        yield 2, "", f"made at {when['from']}" if when["from"] == when["to"] else f"made between {when['from']} and {when['to']}"
    yield 0, "#", "The answer"
    yield 2, "", answer["summary"]
    yield (
        2,
        "",
        f"The leading explanation: {_who(answer['person'], 'whoever it was')}, {MECHANISMS[answer['mechanism']]}; {SUPPORT[answer['support']]}.",
    )
    if answer.get("on_behalf"):
        yield 2, "", f"A robot acted on behalf of {answer['on_behalf']}."


def _ladder(answer: Answer) -> Iterator[Text]:
    yield 0, "#", "How far the records carry"
    for step in answer["ladder"]:
        yield 2, "[x] " if step["reached"] else "[ ] ", f"{step['rung']}: {step['why']}"
        yield from cited(step["refs"], 6)


def _candidates(answer: Answer) -> Iterator[Text]:
    count = len(answer["candidates"])
    yield 0, "#", f"Who could have: {count or 'nobody who is known'}{'' if not count else ' person' if count == 1 else ' people'}"
    yield 2, "", ", ".join(answer["candidates"]) or "No known person held an identifier that could have made it."


def _sides(answer: Answer) -> Iterator[Text]:
    for side, title, nothing in _SIDES:
        items = sorted(answer[side], key=lambda i: (RUNGS.index(i["rung"]), i["group"]))
        if not items and not nothing:
            continue
        yield 0, "#", title
        if not items:
            yield 2, "", nothing
        elif side != "neutral":
            yield (
                2,
                "",
                "Each with how many times better it fits the leading explanation than the closest alternative; a group counts once.",
            )
        for (rung, group), members in groupby(items, key=lambda i: (i["rung"], i["group"])):
            yield 2, "", f"{rung}, {group}"
            for item in members:
                yield 4, {"for": "+ ", "against": "- ", "neutral": "= "}[side], item["says"]
                yield 6, "", f"{item['tier']} ({TIERS[item['tier']]}); {_weight(item['lr'])}"
                yield from cited(item["refs"], 6)


def _alternatives(answer: Answer) -> Iterator[Text]:
    yield 0, "#", "What else could be, closest first"
    if not answer["alternatives"]:
        yield 2, "", "No alternative was left to weigh."
    for (mechanism, lr, left_out), people in _alike(answer["alternatives"]):
        yield 2, "- ", f"{', '.join(_who(p, 'nobody in particular') for p in people)}: {MECHANISMS[mechanism]}"
        yield 4, "", f"{_compared(lr)}; {_without(lr, left_out)}"


def _alike(alternatives: Iterable[Answer]) -> Iterator[tuple[tuple[str, Answer, Answer], list[str | None]]]:
    """Yield alternatives that compare the same as one, with all their people."""

    def key(a: Answer) -> tuple[float, float, float, str, str]:
        return a["lr"]["low"], a["lr"]["high"], a["left_out"]["low"], a["left_out"]["group"], a["mechanism"]

    for _, alike in groupby(sorted(alternatives, key=lambda a: (key(a), a["person"] or "")), key=key):
        members = list(alike)
        yield (members[0]["mechanism"], members[0]["lr"], members[0]["left_out"]), [m["person"] for m in members]


def _flags(answer: Answer) -> Iterator[Text]:
    if answer["flag_items"]:
        yield 0, "#", "What is odd, and how it can be innocent"
    for item in answer["flag_items"]:
        yield 2, "! ", f"{item['flag']}: {item['says']}"
        yield 4, "", f"innocent explanations: {'; '.join(item['innocent'])}"
        yield from cited(item["refs"], 4)


def _change(answer: Answer) -> Iterator[Text]:
    yield 0, "#", "What would change it"
    for wanted in answer["missing"]:
        yield 2, "? ", wanted
    for group, low in _pillars(answer["alternatives"]):
        yield 2, "/ ", f"the answer leans on {group}: without it, the closest alternative {_least(low)}"
    if not answer["missing"] and not answer["alternatives"]:
        yield 2, "", "Records of another act, or of another account."


def _pillars(alternatives: Iterable[Answer]) -> list[tuple[str, float]]:
    """Return the groups whose loss weakens a comparison, with the lowest that is left, the most telling first."""
    lowest: dict[str, float] = {}
    for a in alternatives:
        group, low = a["left_out"]["group"], a["left_out"]["low"]
        if group and low < a["lr"]["point"]:
            lowest[group] = min(low, lowest.get(group, low))
    return sorted(lowest.items(), key=lambda pair: (pair[1], pair[0]))


def _limits(answer: Answer) -> Iterator[Text]:
    yield 0, "#", "What was not evaluated"
    for limit in answer["not_evaluated"]:
        yield 2, "- ", limit
    yield 2, "- ", "why it was done: records say nothing about intent"


# --- words ------------------------------------------------------------------------------------------------------------


def _who(person: str | None, otherwise: str) -> str:
    return person or otherwise


def _weight(lr: float) -> str:
    """Say an item's ratio in words and number, whichever side it is on."""
    if lr == 1:
        return "1 to 1"
    if lr > 1:
        return f"{ratio(lr)} to 1, {_WEIGHTS[band(lr)]}"
    return f"1 to {ratio(1 / lr)}, {_WEIGHTS[band(1 / lr)]}, for the alternative"


def _compared(lr: Answer) -> str:
    low, high = lr["low"], lr["high"]
    if low == high:
        return f"fits the records {_times(low)}"
    if low < 1 < high:
        return f"fits the records from {_times(low)} to {_times(high)}"
    return f"fits the records from {_times(low)} to {_times(high)} (about {ratio(max(lr['point'], 1 / lr['point']))})"


def _times(value: float) -> str:
    """Say how an alternative fits where the leading explanation fits so many times better than it."""
    if value == 1:
        return "just as well"
    return f"{ratio(value)} times worse" if value > 1 else f"{ratio(1 / value)} times better"


def _without(lr: Answer, left_out: Answer) -> str:
    if not left_out["group"] or left_out["low"] >= lr["point"]:
        return "leaving out any one group does not help it"
    return f"without {left_out['group']}, it {_least(left_out['low'])}"


def _least(low: float) -> str:
    return f"fits {_times(low)}" if low <= 1 else f"still fits at least {_times(low)}"
