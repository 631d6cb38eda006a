"""The records that the timeline marks, told apart: the act in question, what an answer rests on, and what is cited beside it."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from forensics import times
from forensics.model import CaseConfig
from forensics.telling.report import paths
from forensics.telling.report.answer import Answer
from forensics.telling.report.citing import Index, weighed
from forensics.telling.report.extra import Ref
from forensics.telling.report.timeline import Mark, Marks

ACTS, BESIDE = 80, 40
"""acts that answers rest on, and others cited beside them, that the timeline numbers; acts in question are numbered all"""
KINDS = ("asked", "rests", "beside")
"""the act in question; what an answer rests on; what is cited and weighs for nobody and against nobody"""
_OTHERS = frozenset({"shared-address"})
"""flags whose records show who else was there"""
Events = Mapping[int, Mapping[str, Any]]


def key_acts(told: Sequence[Answer], index: Index, events: Events, case: CaseConfig) -> tuple[list[dict[str, Any]], Marks, int]:
    """Return the acts that are marked, numbered in order of time (those beside come after), which question has which, and how many got no number."""
    groups = [_kinds(answer, index, events) for answer in told]
    found = {kind: _in_turn([[n for n in group if group[n] == kind] for group in groups]) for kind in KINDS}
    resting = [n for n in found["rests"] if n not in found["asked"]]
    beside = [n for n in found["beside"] if n not in found["asked"] and n not in found["rests"]]
    ordered = [*_by_time((*found["asked"], *resting[:ACTS]), events), *_by_time(beside[:BESIDE], events)]
    kinds = dict.fromkeys(beside, "beside") | dict.fromkeys(resting, "rests") | dict.fromkeys(found["asked"], "asked")
    acts = [
        dict(events[n]) | {"number": number, "entry": n, "kind": kinds[n], "of": _askers(n, told, groups, events, case), "bare": bare(events[n])}
        for number, n in enumerate(ordered, 1)
    ]  # fmt: skip
    marks = [
        (answer.data["question"], [Mark(act["number"], act["time"], group[act["entry"]], act["bare"], (answer.data["question"], "claim") in act["of"]) for act in acts if act["entry"] in group])
        for answer, group in zip(told, groups, strict=True)
    ]  # fmt: skip
    return acts, marks, len(kinds) - len(acts)


def _in_turn(groups: Sequence[Sequence[int]]) -> dict[int, None]:
    """Take from each answer in turn, each record once, so that no answer takes the room of the others."""
    return dict.fromkeys(n for row in zip_longest(*groups) for n in row if n is not None)


def bare(event: Mapping[str, Any]) -> bool:
    """Tell whether a record itself claims who acted, as a commit names its author, and nothing authenticated that."""
    return event["actor"] is None and event["claimed"] is not None


def _by_time(numbers: Iterable[int], events: Events) -> list[int]:
    return sorted(numbers, key=lambda n: (events[n]["time"], n))


def _kinds(answer: Answer, index: Index, events: Events) -> dict[int, str]:
    """Return what each cited record is to an answer, what was weighed before what the path only passes."""

    def dated(refs: Iterable[Ref]) -> list[int]:
        return [n for n in index.numbers(refs) if n in events and events[n]["time"] is not None]

    data, path = answer.data, [edge for edge in answer.edges if not _effect(edge)]
    asked = set(_during(dated(_rung(data, "account")), events, data.get("when"))) | {
        n for n in dated(_refs(path)) if f"event:{events[n]['id']}" in _ends(path)
    }
    asked |= {n for n in dated(_rung(data, "change")) if events[n]["action"] == "code.commit" and _same(events[n], data["object"])}
    for_nobody = set(dated(_beside(data))) - set(dated(_resting(data)))
    after = _by_time(dated(_refs(edge for edge in answer.edges if _effect(edge))), events)
    found = dict.fromkeys(sorted(asked), "asked")
    for group, kind in (
        (dated(weighed(data)), None),
        (dated(_refs(path)), "rests"),
        ([*after[:1], *after[-1:]], "beside"),
    ):
        for n in group:
            found.setdefault(n, kind or ("beside" if n in for_nobody else "rests"))
    return found


def _rung(data: Mapping[str, Any], rung: str) -> list[Ref]:
    """List the records of a rung; those of `account` are the act's own, or the several that are named for it."""
    return [ref for step in data.get("ladder") or () if step["rung"] == rung for ref in step.get("refs") or ()]


def _during(numbers: list[int], events: Events, when: Mapping[str, str] | None) -> list[int]:
    """Leave out what lies before or after the act, as the opening of its session does; all, where none would be left."""
    if not when:
        return numbers
    low, high = (times.parse(when[end])[0] for end in ("from", "to"))
    return [n for n in numbers if low <= events[n]["time"] <= high] or numbers


def _refs(edges: Iterable[Mapping[str, Any]]) -> list[Ref]:
    return [ref for edge in edges for ref in edge["refs"]]


def _ends(edges: Iterable[Mapping[str, Any]]) -> set[str]:
    return {edge[end] for edge in edges for end in ("src", "dst")}


def _same(event: Mapping[str, Any], asked: str) -> bool:
    """Tell whether a commit's own record is that of the commit in question, or of the file version within it."""
    commit = str(event["object"] or "").partition("@")[2]
    return bool(commit) and asked.partition("@")[2].partition(":")[0] == commit


def _beside(data: Mapping[str, Any]) -> list[Ref]:
    """List what weighs for nobody and against nobody: neutral items, and who else was at an address."""
    neutral = [ref for item in data.get("neutral") or () for ref in item["refs"]]
    return neutral + [ref for flag in data.get("flag_items") or () if flag["flag"] in _OTHERS for ref in flag.get("refs") or ()]


def _resting(data: Mapping[str, Any]) -> list[Ref]:
    """List what has weight in an answer: items with a ratio, flags of the act itself, rungs."""
    items = [ref for side in ("for", "against") for item in data.get(side) or () for ref in item["refs"]]
    flags = [ref for flag in data.get("flag_items") or () if flag["flag"] not in _OTHERS for ref in flag.get("refs") or ()]
    return items + flags + [ref for step in data.get("ladder") or () for ref in step.get("refs") or ()]


def _effect(edge: Mapping[str, Any]) -> bool:
    return any(paths.family(edge[end])[0] == "job" for end in ("src", "dst"))


# --- what may be said beside the act in question -----------------------------------------------------------------------


def _askers(n: int, told: Sequence[Answer], groups: Sequence[Mapping[int, str]], events: Events, case: CaseConfig) -> list[tuple[str, str]]:
    """Return the questions whose act this is, each with what a reader must know before taking the lane's person for who did it."""
    return [
        (answer.data["question"], note(events[n], answer.data, case)) for answer, found in zip(told, groups, strict=True) if found.get(n) == "asked"
    ]  # fmt: skip


def note(event: Mapping[str, Any], answer: Mapping[str, Any], case: CaseConfig) -> str:
    """Return `claim` (the answer does not name whom the record does), `elsewhere` (it names another than the account's holder), `open` (it names nobody), or nothing."""
    people = held(case, event["claimed"] if bare(event) else event["actor"], event["time"])
    if bare(event):
        return "" if answer.get("person") in people else "claim"
    if answer.get("person") is None:
        return "open"
    return "elsewhere" if people and answer["person"] not in people else ""


def held(case: CaseConfig, identifier: str | None, time: int) -> set[str]:
    """Return whose an identifier was at a moment, by the registers."""
    return {one.person for one in case.identifiers if one.identifier == identifier and one.live(time)}
