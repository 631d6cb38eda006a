"""What the page says of each answer, in plain words, and in drawings."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forensics import times
from forensics.model import CaseConfig
from forensics.telling.report import ladder, paths, ratios
from forensics.telling.report.extra import Ref
from forensics.telling.report.showing import ratio
from forensics.telling.report.words import FLAGS, HOW_FAR, INTENT, MECHANISMS, NOT_SHOWN, RUNGS, SHOWS, SUPPORT

EDGES = 200
"""links of a path that the table lists; the drawing condenses all of them"""
NAMED = 12
"""candidates that the first page names one by one"""


@dataclass(frozen=True, slots=True)
class People:
    """Names beside ids."""

    names: Mapping[str, str]

    def who(self, person: str | None) -> str:
        """Write a person as `name (id)`; nobody as words."""
        if person is None:
            return "nobody in particular"
        name = self.names.get(person)
        return f"{name} ({person})" if name else person


@dataclass(frozen=True, slots=True)
class Point:
    """A sentence with its evidence."""

    says: str
    refs: tuple[Ref, ...] = ()


@dataclass(frozen=True, slots=True)
class Flag:
    """A fact that has innocent explanations."""

    name: str
    says: str
    innocent: tuple[str, ...]
    refs: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One question, as the page tells it."""

    anchor: str
    data: Mapping[str, Any]
    asked: str
    about: str
    when: tuple[str, ...]
    """parts that stay on one line each"""
    shows: tuple[Point, ...]
    how_far: str
    not_shown: tuple[str, ...]
    candidates: tuple[str, ...]
    speaks_for: str
    """whom the next points speak for"""
    speaks: tuple[Point, ...]
    alternatives: tuple[Mapping[str, Any], ...]
    """closest first"""
    scale: ratios.Scale
    flags: tuple[Flag, ...]
    ladder: ladder.Ladder
    edges: tuple[Mapping[str, Any], ...]
    more_edges: int
    path: paths.Drawing | None
    impact: Mapping[str, Any] | None


def answers(findings: Mapping[str, Any], case: CaseConfig, people: People, act_name: Callable[[str], str | None]) -> list[Answer]:
    """Tell every answer, in the order asked."""
    impacts = {impact["question"]: impact for impact in findings["impact"]}
    abouts = {question.id: question.about for question in case.questions}
    return [
        _answer(number, data, abouts.get(data["question"], ""), impacts.get(data["question"]), case, people, act_name)
        for number, data in enumerate(findings["answers"], 1)
    ]


def _answer(
    number: int,
    data: Mapping[str, Any],
    about: str,
    impact: Mapping[str, Any] | None,
    case: CaseConfig,
    people: People,
    act_name: Callable[[str], str | None],
) -> Answer:
    closest = tuple(sorted(data["alternatives"], key=lambda a: (a["lr"]["low"], a["person"] or "", a["mechanism"])))
    edges = data.get("path") or []
    return Answer(
        anchor=f"answer-{number}",
        data=data,
        asked=f"Who made the change {data['object']}?",
        about=data.get("about") or about,
        when=_when(data.get("when"), case.timezone),
        shows=tuple(_shows(data, closest, people)),
        how_far=HOW_FAR[data["rung"]],
        not_shown=(NOT_SHOWN[data["rung"]], INTENT),
        candidates=tuple(people.who(person) for person in data["candidates"]),
        speaks_for=_speaks_for(data, people),
        speaks=tuple(_speaks(data, closest, people)),
        alternatives=closest,
        scale=ratios.scale(a["lr"] for a in closest),
        flags=tuple(_flags(data)),
        ladder=ladder.ladder(data),
        edges=tuple(edges[:EDGES]),
        more_edges=max(0, len(edges) - EDGES),
        path=paths.draw(edges, data["object"], act_name),
        impact=impact,
    )


def _when(when: Mapping[str, str] | None, timezone: str) -> tuple[str, ...]:
    if not when:
        return ()
    ends = [times.parse(when[end])[0] for end in ("from", "to")]
    local = [times.show_in(end, timezone) for end in ends]
    if ends[0] == ends[1]:
        return local[0], f"({times.show(ends[0])})"
    return f"{local[0]} to", local[1], f"({times.show(ends[0])} to", f"{times.show(ends[1])})"


def _shows(data: Mapping[str, Any], closest: tuple[Mapping[str, Any], ...], people: People) -> Iterator[Point]:
    refs = tuple(ref for rung in data.get("ladder") or () if rung["reached"] for ref in rung.get("refs") or ())
    says = SHOWS[data["rung"]].format(account=data["account"] or "(not named)", person=people.who(data["person"]))
    yield Point(says, refs[:6])
    stands_out = data["support"] != "none"
    if RUNGS.index(data["rung"]) >= RUNGS.index("account") and not stands_out:
        yield Point("No explanation stands out from the others.")
    elif RUNGS.index(data["rung"]) >= RUNGS.index("account"):
        yield Point(f"The leading explanation is that it was done {MECHANISMS[data['mechanism']]}.")
    if data.get("on_behalf"):
        yield Point(f"A robot acted on behalf of {data['on_behalf']}.")
    if closest and stands_out:
        yield Point(f"{_compared(closest[0]['lr']['low'])}: {SUPPORT[data['support']]}.")


def _compared(low: float) -> str:
    if low < 1:
        return "At least one alternative may fit the records as well as the leading explanation, or better"
    return f"The leading explanation fits the records at least {ratio(low)} times better than any alternative that was weighed"


def _speaks_for(data: Mapping[str, Any], people: People) -> str:
    if data["person"]:
        return people.who(data["person"])
    return "the people not excluded" if data["candidates"] else "anybody concerned"


def _speaks(data: Mapping[str, Any], closest: tuple[Mapping[str, Any], ...], people: People) -> Iterator[Point]:
    for item in data["against"][:3]:
        yield Point(item["says"], tuple(item["refs"]))
    if len(data["against"]) > 3:
        yield Point(f"And {len(data['against']) - 3} more, listed in detail below.")
    if not data["against"]:
        yield Point("No record that was supplied speaks against this reading; records that were not supplied might.")
    if closest:
        other = closest[0]
        whom = f"{people.who(other['person'])} made it" if other["person"] else "it happened"
        yield Point(f"The closest alternative is that {whom} {MECHANISMS[other['mechanism']]}.")
    if data["flags"]:
        yield Point(
            f"{len(data['flags'])} odd fact{'' if len(data['flags']) == 1 else 's'} with innocent explanations: {', '.join(sorted(data['flags']))}."
        )


def _flags(data: Mapping[str, Any]) -> Iterator[Flag]:
    told = set()
    for item in data.get("flag_items") or ():
        told.add(item["flag"])
        yield Flag(item["flag"], item["says"], tuple(item["innocent"]) or FLAGS.get(item["flag"], ("", ()))[1], tuple(item["refs"]))
    for name in data["flags"]:
        if name not in told:
            says, innocent = FLAGS[name]
            yield Flag(name, says, innocent, ())
