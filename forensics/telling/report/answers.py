"""What the page says of each answer, in plain words, and in drawings."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forensics.model import CaseConfig
from forensics.telling.report import ladder, paths, ratios
from forensics.telling.report.citing import EDGES
from forensics.telling.report.extra import Ref
from forensics.telling.report.names import Names
from forensics.telling.report.said import Said, Voice
from forensics.telling.report.showing import ratio
from forensics.telling.report.words import BRIEF, FLAG_NAMES, FLAGS, HOW_FAR, INTENT, MECHANISMS, NOT_SHOWN, RUNGS, SHOWS, SUPPORT

_HELD = re.compile(r".* is recorded for .*, held by (p-[\w-]+(?:, p-[\w-]+)*)", re.ASCII | re.DOTALL)
NAMED = 12
"""candidates that the first page names one by one"""


@dataclass(frozen=True, slots=True)
class Point:
    """A sentence with its evidence."""

    says: Said
    refs: tuple[Ref, ...] = ()


@dataclass(frozen=True, slots=True)
class Flag:
    """A fact that has innocent explanations."""

    name: str
    label: Said
    says: Said
    innocent: tuple[Said, ...]
    refs: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Other:
    """Another explanation, or several people's that fare alike, and how it fares."""

    who: Said
    people: int
    how: Said
    lr: Mapping[str, float]
    left_out: tuple[float, str] | None
    """lowest ratio where this group of records is left out"""
    dropped: tuple[float, str] | None
    """the same for a whole source"""


@dataclass(frozen=True, slots=True)
class Answer:
    """One question, as the page tells it."""

    anchor: str
    data: Mapping[str, Any]
    about: str
    when: tuple[Said, ...]
    """first and last moment; once where they are the same"""
    brief: Said
    """the answer in a few words"""
    how: Said | None
    """the leading explanation, where one leads"""
    sure: Said
    """how well it is supported, in a few words"""
    doubts: tuple[Said, ...]
    """what speaks against it, in a few words"""
    shows: tuple[Point, ...]
    how_far: Said
    not_shown: tuple[Said, ...]
    candidates: tuple[str, ...]
    speaks_for: Said
    """whom the next points speak for"""
    speaks: tuple[Point, ...]
    alternatives: tuple[Other, ...]
    """closest first"""
    scale: ratios.Scale
    flags: tuple[Flag, ...]
    ladder: ladder.Ladder
    edges: tuple[Mapping[str, Any], ...]
    more_edges: int
    path: paths.Drawing | None
    impact: Mapping[str, Any] | None


def answers(findings: Mapping[str, Any], case: CaseConfig, voice: Voice, names: Names, act_name: Callable[[str], str]) -> list[Answer]:
    """Tell every answer, in the order asked."""
    impacts = {impact["question"]: impact for impact in findings["impact"]}
    abouts = {question.id: question.about for question in case.questions}
    told = _Teller(voice, names, act_name)
    return [
        told.answer(number, data, abouts.get(data["question"], ""), impacts.get(data["question"]))
        for number, data in enumerate(findings["answers"], 1)
    ]


@dataclass(frozen=True, slots=True)
class _Teller:
    """Puts answers into words."""

    voice: Voice
    names: Names
    act_name: Callable[[str], str]

    def answer(self, number: int, data: Mapping[str, Any], about: str, impact: Mapping[str, Any] | None) -> Answer:
        closest = sorted(data["alternatives"], key=lambda a: (a["lr"]["low"], a["person"] or "", a["mechanism"]))
        edges = data.get("path") or []
        say = self.voice.say
        return Answer(
            anchor=f"answer-{number}",
            data=data,
            about=data.get("about") or about,
            when=self._when(data.get("when")),
            brief=say(BRIEF[data["rung"]], account=data["account"] or say("(not named)"), person=self.who(data["person"])),
            how=say(MECHANISMS[data["mechanism"]]) if self._leads(data) else None,
            sure=self._sure(data, closest),
            doubts=tuple(self._doubts(data)),
            shows=tuple(self._shows(data, closest)),
            how_far=say(HOW_FAR[data["rung"]]),
            not_shown=(say(NOT_SHOWN[data["rung"]]), say(INTENT)),
            candidates=tuple(self.names.who(person) for person in data["candidates"]),
            speaks_for=self._speaks_for(data),
            speaks=tuple(self._speaks(data, closest)),
            alternatives=tuple(self._others(closest)),
            scale=ratios.scale(a["lr"] for a in closest),
            flags=tuple(self._flags(data)),
            ladder=ladder.ladder(data, say),
            edges=tuple(edges[:EDGES]),
            more_edges=max(0, len(edges) - EDGES),
            path=paths.draw(edges, data["object"], self.act_name, self.voice),
            impact=impact,
        )

    def who(self, person: str | None) -> Said:
        """Say who; nobody as words."""
        if person is None:
            return self.voice.say("nobody in particular")
        return self.voice.plain(self.names.who(person))

    def _when(self, when: Mapping[str, str] | None) -> tuple[Said, ...]:
        ends = [self.voice.moment(when[end]) for end in ("from", "to")] if when else []
        return tuple(dict.fromkeys(ends))

    def _leads(self, data: Mapping[str, Any]) -> bool:
        """Tell whether one explanation stands out."""
        return bool(data["support"] != "none" and data["mechanism"] != "unknown")

    def _sure(self, data: Mapping[str, Any], closest: list[Mapping[str, Any]]) -> Said:
        say = self.voice.say
        if not self._leads(data) or not closest:
            count = len(data["candidates"])
            return (
                self.voice.count("{number} person is not excluded", "{number} people are not excluded", count)
                if count
                else say("nothing stands out")
            )
        return say(
            "{support}: fits at least {ratio} times better than any other explanation weighed",
            support=say(SUPPORT[data["support"]]),
            ratio=ratio(closest[0]["lr"]["low"]),
        )

    def _doubts(self, data: Mapping[str, Any]) -> Iterator[Said]:
        against = len(data["against"])
        if against:
            yield self.voice.count("{number} record", "{number} records", against)
        if data["flags"]:
            yield self.voice.count("{number} odd fact", "{number} odd facts", len(data["flags"]))
        if not against and not data["flags"]:
            yield self.voice.say("no record that was supplied")

    def _shows(self, data: Mapping[str, Any], closest: list[Mapping[str, Any]]) -> Iterator[Point]:
        say = self.voice.say
        refs = tuple(ref for rung in data.get("ladder") or () if rung["reached"] for ref in rung.get("refs") or ())
        yield Point(say(SHOWS[data["rung"]], account=data["account"] or say("(not named)"), person=self.who(data["person"])), refs[:6])
        yield from self._holders(data)
        leads = self._leads(data)
        if RUNGS.index(data["rung"]) >= RUNGS.index("account") and not leads:
            yield Point(say("No explanation stands out from the others."))
        elif RUNGS.index(data["rung"]) >= RUNGS.index("account"):
            yield Point(say("The leading explanation is that it was done {how}.", how=say(MECHANISMS[data["mechanism"]])))
        if data.get("on_behalf"):
            yield Point(say("A robot acted on behalf of {who}.", who=data["on_behalf"]))
        if closest and leads:
            yield Point(self._compared(closest[0]["lr"]["low"], say(SUPPORT[data["support"]])))

    def _holders(self, data: Mapping[str, Any]) -> Iterator[Point]:
        """Say whose the account is, and that this does not say who used it, where no person is named or another one."""
        for item in (i for side in ("for", "against", "neutral") for i in data.get(side) or () if i.get("kind") == "account"):
            held = _HELD.fullmatch(item["says"])
            if held and data["rung"] in ("account", "session", "person") and held[1] != data["person"]:
                people = self.voice.joined([self.names.who(person) for person in held[1].split(", ")])
                says = self.voice.say("The registers give that account to {people}; that does not say who used it.", people=people)
                yield Point(says, tuple(item["refs"]))
                return

    def _compared(self, low: float, support: Said) -> Said:
        if low < 1:
            return self.voice.say(
                "At least one alternative may fit the records as well as the leading explanation, or better: {support}.", support=support
            )
        return self.voice.say(
            "The leading explanation fits the records at least {ratio} times better than any alternative that was weighed: {support}.",
            ratio=ratio(low), support=support,
        )  # fmt: skip

    def _speaks_for(self, data: Mapping[str, Any]) -> Said:
        if data["person"]:
            return self.who(data["person"])
        return self.voice.say("the people not excluded") if data["candidates"] else self.voice.say("anybody concerned")

    def _speaks(self, data: Mapping[str, Any], closest: list[Mapping[str, Any]]) -> Iterator[Point]:
        say, told = self.voice.say, self.voice.told
        if not data["person"] and len(data["candidates"]) > 1:
            yield Point(say("Being among those not excluded is no finding against anybody: the records do not tell them apart."))
        for item in data["against"][:3]:
            yield Point(told(item["says"]), tuple(item["refs"]))
        if len(data["against"]) > 3:
            yield Point(say("And {number} more, listed in detail below.", number=len(data["against"]) - 3))
        if not data["against"]:
            yield Point(say("No record that was supplied speaks against this reading; records that were not supplied might."))
        if closest and self._leads(data):
            yield Point(self._closest(closest))
        if data["flags"]:
            listed = self.voice.joined(say(FLAG_NAMES[flag]) for flag in sorted(data["flags"]))
            yield Point(
                self.voice.count(
                    "{number} odd fact with innocent explanations: {listed}.",
                    "{number} odd facts with innocent explanations: {listed}.",
                    len(data["flags"]),
                    listed=listed,
                )
            )

    def _closest(self, closest: list[Mapping[str, Any]]) -> Said:
        """Say what comes closest; where several people's explanations fare alike, none of them is singled out."""
        first = closest[0]
        alike = [o for o in closest if o["lr"]["low"] == first["lr"]["low"] and o["mechanism"] == first["mechanism"] and o["person"]]
        how = self.voice.say(MECHANISMS[first["mechanism"]])
        if len(alike) > 1:
            return self.voice.say(
                "The closest alternatives are that one of {number} people made it {how}; the records do not tell these apart.",
                number=len(alike),
                how=how,
            )
        if first["person"]:
            return self.voice.say("The closest alternative is that {who} made it {how}.", who=self.who(first["person"]), how=how)
        return self.voice.say("The closest alternative is that it happened {how}.", how=how)

    def _others(self, closest: list[Mapping[str, Any]]) -> Iterator[Other]:
        """Yield the explanations, the closest first; people whose explanations fare alike share a row."""
        rows: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
        for other in closest:
            left, dropped = other.get("left_out") or {}, other.get("dropped") or {}
            fares = (other["lr"]["low"], other["lr"]["high"], left.get("low"), left.get("group"), dropped.get("low"), dropped.get("source"))
            rows.setdefault((other["mechanism"], other["person"] is None, *fares), []).append(other)
        for alike in rows.values():
            first = alike[0]
            left, dropped = first.get("left_out") or {}, first.get("dropped") or {}
            yield Other(
                self._people(alike),
                len(alike),
                self.voice.say(MECHANISMS[first["mechanism"]]),
                first["lr"],
                (left["low"], left["group"]) if left.get("group") else None,
                (dropped["low"], dropped["source"]) if dropped.get("source") else None,
            )

    def _people(self, alike: list[Mapping[str, Any]]) -> Said:
        if alike[0]["person"] is None:
            return self.voice.say("No particular person")
        listed = self.voice.joined([self.who(other["person"]) for other in alike], ";")
        return listed if len(alike) == 1 else self.voice.say("{number} people, alike: {listed}", number=len(alike), listed=listed)

    def _flags(self, data: Mapping[str, Any]) -> Iterator[Flag]:
        told = set()
        for item in data.get("flag_items") or ():
            told.add(item["flag"])
            innocent = [self.voice.told(text) for text in item["innocent"]] or self._innocent(item["flag"])
            yield Flag(
                item["flag"], self.voice.say(FLAG_NAMES[item["flag"]]), self.voice.told(item["says"]), tuple(innocent), tuple(item["refs"])
            )
        for name in data["flags"]:
            if name not in told:
                yield Flag(name, self.voice.say(FLAG_NAMES[name]), self.voice.say(FLAGS[name][0]), tuple(self._innocent(name)), ())

    def _innocent(self, flag: str) -> list[Said]:
        return [self.voice.say(text) for text in FLAGS[flag][1]]
