"""What the page says of each answer, in plain words, and in drawings."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forensics.model import CaseConfig
from forensics.telling.report import ladder, paths, ratios, sums
from forensics.telling.report.acts import Claim
from forensics.telling.report.answer import Answer, Flag, Other, clears, departed, reached
from forensics.telling.report.citing import EDGES
from forensics.telling.report.extra import Ref
from forensics.telling.report.first import First, Point, bearing, pleaded, registered_alike
from forensics.telling.report.names import Names
from forensics.telling.report.said import Said, Voice
from forensics.telling.report.showing import ratio
from forensics.telling.report.words import BRIEF, FLAG_NAMES, FLAGS, INTENT, MECHANISMS, SUPPORT, SURE, THINGS

_HELD = re.compile(r".* is recorded for .*, held by (p-[\w-]+(?:, p-[\w-]+)*)", re.ASCII | re.DOTALL)
SETTLING = 2
"""records that would settle what is open which the first page names"""
NAMED = 6
"""candidates that the first page names one by one; of more it gives the number, since a few names out of many would read as a finding against those few"""
_WEAKEST = re.compile(r"the records do not set one person apart: the weakest comparison is ")
_TIED = ("account", "session", "person")
"""the rungs at which an account is tied to the change"""
_LISTED = re.compile(r"(?<!\S)((?:\S+, ){3})((?:\S+, ){2,}\S+)")
_FORMS = (
    (re.compile(r"git:([^@\s]+)@[0-9a-f]{40,64}", re.ASCII), "commit"),
    (re.compile(r"git:([^@\s]+)@[0-9a-f]{40,64}:.+", re.ASCII | re.DOTALL), "file of a commit"),
    (re.compile(r"(?:s3|hdfs)://.*/([^/?]+)(?:\?.*)?", re.ASCII | re.DOTALL), "object"),
    (re.compile(r"file://.*/([^/]+)", re.ASCII | re.DOTALL), "file"),
)


def answers(
    findings: Mapping[str, Any],
    case: CaseConfig,
    policy: Mapping[str, Any],
    voice: Voice,
    names: Names,
    act_name: Callable[[str], str],
    claimed: Mapping[str, Claim],
    first: First,
) -> list[Answer]:
    """Tell every answer, in the order asked; `claimed`: what is asked about -> whom its commit names."""
    impacts = {impact["question"]: impact for impact in findings["impact"]}
    abouts = {question.id: question.about for question in case.questions}
    told = _Teller(voice, names, act_name, frozenset(s.by for s in case.statements), claimed, policy, first)
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
    heard: frozenset[str]
    """people of whom a statement was supplied"""
    claimed: Mapping[str, Claim]
    policy: Mapping[str, Any]
    first: First

    def answer(self, number: int, data: Mapping[str, Any], about: str, impact: Mapping[str, Any] | None) -> Answer:
        closest = sorted(data["alternatives"], key=lambda a: (a["lr"]["low"], self.names.rank(a["person"] or ""), a["mechanism"]))
        edges = data.get("path") or []
        takes = sums.naming(data, self.policy, self.voice)
        say = self.voice.say
        flags = tuple(self._flags(data))
        held = [] if data["person"] or data["rung"] not in _TIED else self._holders(data)[0]
        return Answer(
            anchor=f"answer-{number}",
            data=data,
            about=data.get("about") or about,
            thing=self._thing(data["object"]),
            when=self._when(data.get("when")),
            brief=say(BRIEF[data["rung"]], account=data["account"] or say("(not named)"), person=self.who(data["person"])),
            how=say(MECHANISMS[data["mechanism"]]) if self._leads(data) else None,
            sure=self._sure(data, closest),
            doubts=tuple(self._doubts(data)),
            shows=tuple(self._shows(data)),
            how_far=(self.first.how_far(data, self.who(data["person"])), *self._supported(data, closest)),
            not_shown=tuple(self._not_shown(data)),
            candidates=tuple(self.names.who(person) for person in sorted(data["candidates"], key=self.names.rank)),
            left_out=tuple(self.names.who(p) for p in self._holders(data)[0] if p not in data["candidates"]),
            speaks_for=self._speaks_for(data),
            speaks=tuple(self._speaks(data, closest, flags, held)),
            support=say(SUPPORT[data["support"] if self._leads(data) else "none"]),
            compared=self._compared_with(data) if closest else None,
            alternatives=tuple(self._others(closest, counted=bool(self.names.labels) and not data["person"])),
            odd=tuple(self._odd(data, flags, held)),
            holder=self.first.people(held) if held else None,
            for_holder=(*self._of_holders(data, held), *self.first.for_holders(data, held, closest)) if held else (),
            people=(data["person"],) if data["person"] else tuple(held),
            surely=say(SURE[data["support"] if self._leads(data) else "none"]),
            missing=tuple(self._missing(data)),
            arithmetic=tuple(sums.sums(data, self.policy, self.voice)),
            naming=takes,
            held_back=self._held_back(data, takes),
            scale=ratios.scale(a["lr"] for a in closest),
            flags=flags,
            ladder=ladder.ladder(data, say),
            edges=tuple(edges[:EDGES]),
            more_edges=max(0, len(edges) - EDGES),
            path=paths.draw(edges, data["object"], self.act_name, self.voice),
            impact=impact,
            reached=reached(edges[:EDGES]),
        )

    def _held_back(self, data: Mapping[str, Any], takes: tuple[sums.Condition, ...]) -> Said | None:
        """Say so where every comparison is clear enough and another condition fails: the figure alone would not tell why nobody is named."""
        compared = len(takes) > sums.COMPARED and takes[sums.COMPARED].met
        if data["person"] or not compared or not _WEAKEST.match((data.get("ladder") or [{}])[-1].get("why") or ""):
            return None
        return self.voice.say(
            "The records do not set one person apart. Every comparison is clear enough, but not all else that naming takes is there: see “{table}”.",
            table=self.voice.say("What naming a person takes, and what there is"),
        )

    def who(self, person: str | None) -> Said:
        """Say who; nobody as words."""
        if person is None:
            return self.voice.say("nobody in particular")
        return self.voice.plain(self.names.who(person))

    def _thing(self, asked: str) -> Said | None:
        """Say what kind of thing was changed."""
        return next((self.voice.say(THINGS[kind], name=found[1]) for form, kind in _FORMS if (found := form.fullmatch(asked))), None)

    def _when(self, when: Mapping[str, str] | None) -> tuple[Said, ...]:
        ends = tuple(dict.fromkeys(self.voice.moment(when[end]) for end in ("from", "to"))) if when else ()
        return (ends[0], _same_day(*ends)) if len(ends) > 1 else ends

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
        if data["against"]:
            yield self.voice.count("{number} record", "{number} records", len(data["against"]))
        else:
            yield self.voice.say("nothing in the records that were supplied")
        if data["flags"]:
            yield self.voice.count(
                "{number} odd fact, which may be innocent", "{number} odd facts, which may be innocent", len(data["flags"])
            )

    def _shows(self, data: Mapping[str, Any]) -> Iterator[Point]:
        say = self.voice.say
        steps = tuple(ref for rung in data.get("ladder") or () if rung["reached"] for ref in rung.get("refs") or ())
        refs_of_act = bearing(data, steps)
        if not data["person"]:
            yield Point(say("The records do not tell who made this change."))
        holders, refs = self._holders(data)
        yield Point(self.first.shows(data, self.who(data["person"]), holders), refs_of_act)
        yield from self._named_by_commit(data, steps)
        said = data["rung"] == "account" or (data["rung"] == "session" and registered_alike(data, holders))
        if holders and data["rung"] in _TIED and data["person"] not in holders and not said:
            people = self.voice.joined([self.names.who(person) for person in holders])
            yield Point(say("That account is registered to {people}, which does not say who used it.", people=people), refs)
        if data.get("on_behalf"):
            yield Point(say("A robot acted on behalf of {who}.", who=data["on_behalf"]), refs_of_act)

    def _named_by_commit(self, data: Mapping[str, Any], steps: tuple[Ref, ...]) -> Iterator[Point]:
        """Say whom the commit names, where the act itself tells nobody, or somebody else."""
        claim, say = self.claimed.get(data["object"]), self.voice.say
        if claim is None:
            return
        author, committer = claim.author, claim.committer
        if data["rung"] not in _TIED:
            yield Point(
                say(
                    "The commit bears the name {account}, and {committer} as its committer. Anybody can write those lines, and they are no sign of who made it.",
                    account=author, committer=committer,
                )
                if committer
                else say("The commit bears the name {account}. Anybody can write that line, and it is no sign of who made it.", account=author),
                steps[:3],
            )  # fmt: skip
        elif "author-mismatch" in data["flags"]:
            yield Point(
                say("The commit gives {account} as its author and {committer} as its committer. Anybody can type those lines, and they are no sign of who made it.", account=author, committer=committer)
                if committer
                else say("The commit gives {account} as its author. Anybody can type that line, and it is no sign of who made it.", account=author),
                tuple(ref for ref in steps if ref["locator"].startswith("git="))[:1],
            )  # fmt: skip

    def _holders(self, data: Mapping[str, Any]) -> tuple[list[str], tuple[Ref, ...]]:
        """Return whose the account is, by the registers, and where that stands."""
        for item in (i for side in ("for", "against", "neutral") for i in data.get(side) or () if i.get("kind") == "account"):
            if held := _HELD.fullmatch(item["says"]):
                return sorted(held[1].split(", "), key=self.names.rank), tuple(item["refs"])
        return [], ()

    def _supported(self, data: Mapping[str, Any], closest: list[Mapping[str, Any]]) -> Iterator[Said]:
        """Say how much better than the others the leading explanation fits, or that none leads."""
        if self._leads(data):
            if not data["person"] or data["mechanism"] != "own-account":
                yield self.voice.say("Leading explanation: {how}.", how=self.voice.say(MECHANISMS[data["mechanism"]]))
            if closest:
                yield self._compared(closest[0]["lr"]["low"], self.voice.say(SUPPORT[data["support"]]))

    def _compared(self, low: float, support: Said) -> Said:
        if low < 1:
            return self.voice.say(
                "At least one other explanation may fit the records as well as the leading one, or better: {support}.", support=support
            )
        return self.voice.say(
            "This fits the records at least {ratio} times better than any other weighed (no probability).",
            ratio=ratio(low),
        )  # fmt: skip

    def _not_shown(self, data: Mapping[str, Any]) -> Iterator[Said]:
        say = self.voice.say
        yield self.first.not_shown(data)
        yield say(INTENT)
        if data["person"] and data["person"] not in self.heard:
            yield say("What {who} says: nothing was supplied.", who=self.who(data["person"]))

    def _speaks_for(self, data: Mapping[str, Any]) -> Said:
        if data["person"]:
            return self.who(data["person"])
        return self.voice.say("the people concerned")

    def _speaks(
        self, data: Mapping[str, Any], closest: list[Mapping[str, Any]], flags: tuple[Flag, ...], held: list[str]
    ) -> Iterator[Point]:
        say, told = self.voice.say, self.voice.told
        if not data["person"] and 1 < len(data["candidates"]) <= NAMED:
            yield Point(say("Being among those not excluded is no finding against anybody: the records do not tell them apart."))
        # where nobody is named, whose the account is speaks for nobody; it was said above
        against = [i for i in data["against"] if (data["person"] or i.get("kind") != "account") and not departed(i, held)]
        for item in against[:3]:
            yield Point(told(item["says"]), tuple(item["refs"]))
        if len(against) > 3:
            yield Point(say("And {number} more, listed in detail below.", number=len(against) - 3))
        # what weighs nothing in the comparison may still be what somebody would first say for himself
        aside = [i for i in data.get("neutral") or () if clears(i) and not data["person"] and not departed(i, held)]
        for item in aside[:3]:
            yield Point(told(item["says"]), tuple(item["refs"]))
        honest = data["person"] and data["mechanism"] == "defect"
        if honest:
            refs = tuple(ref for c in data.get("controls") or () if c["id"] == "reviewed" for ref in c["refs"])
            yield Point(
                say(
                    "By the leading explanation it was an honest change, or a fault: somebody else reviewed it, its maker took it back, and nothing about it was hidden."
                ),
                refs,
            )
        if data["person"]:
            yield from self._pleads(data, honest=bool(honest), against=bool(against), flags=flags)
        if closest and self._leads(data):
            yield Point(self._closest(closest))

    def _of_holders(self, data: Mapping[str, Any], held: list[str]) -> Iterator[Point]:
        """Yield that whoever the account is registered to had left: what is said for them stands in one place."""
        for item in (*data["against"], *(data.get("neutral") or ())):
            if departed(item, held):
                yield Point(self.voice.told(item["says"]), tuple(item["refs"]))

    def _odd(self, data: Mapping[str, Any], flags: tuple[Flag, ...], held: list[str]) -> Iterator[Point]:
        """Yield the odd facts that are for or against nobody, but for what was said elsewhere on the card."""
        left = any(departed(item, held) for item in (*data["against"], *(data.get("neutral") or ())))
        for flag in flags:
            point = Point(flag.says, flag.refs)
            if not (data["person"] and pleaded(flag.name, point, data)) and not (left and flag.name == "after-departure"):
                yield point

    def _pleads(self, data: Mapping[str, Any], *, honest: bool, against: bool, flags: tuple[Flag, ...]) -> Iterator[Point]:
        """Say that no record contradicts the leading explanation, where none does, and what that side may point out all the same."""
        say = self.voice.say
        said = ("author-mismatch",) if data["object"] in self.claimed else ()  # it stands among what the records show
        points = list(self.first.pleads(data, [(flag.name, Point(flag.says, flag.refs)) for flag in flags if flag.name not in said]))
        if honest and not against:
            yield Point(say("Nothing else in the records that were supplied; records that were not supplied might."))
        elif not against and points:
            yield Point(say("No record contradicts the leading explanation. That side may point out:"), opens=True)
        elif not against:
            yield Point(say("No record contradicts the leading explanation; records that were not supplied might."))
        yield from points

    def _missing(self, data: Mapping[str, Any]) -> Iterator[Said]:
        """Yield the first records that would settle what is open, long lists cut short."""
        if key := self.first.key(data):
            yield self.voice.say("the register of keys and tokens: whose {key} is", key=key)
        texts = [_LISTED.sub(_shortened, text) for text in data["missing"][:SETTLING]]
        yield from self.first.settles(texts, data.get("when"))

    def _closest(self, closest: list[Mapping[str, Any]]) -> Said:
        """Say what comes closest; where several people's explanations fare alike, none of them is singled out."""
        first = closest[0]
        alike = [o for o in closest if o["lr"]["low"] == first["lr"]["low"] and o["mechanism"] == first["mechanism"] and o["person"]]
        how = self.voice.say(MECHANISMS[first["mechanism"]])
        if len(alike) > 1:
            return self.voice.say(
                "Next best: {number} other people, {how}, none of them standing out.",
                number=len(alike),
                how=how,
            )
        if first["person"]:
            return self.voice.say("Next best, no finding: {who} made it {how}.", who=self.who(first["person"]), how=how)
        return self.voice.say("Next best: it happened {how}.", how=how)

    def _compared_with(self, data: Mapping[str, Any]) -> Said | None:
        """Say whose explanation the others are compared with; below a person, who of those not excluded has no row of the alternatives."""
        if data["person"]:
            return self.who(data["person"])
        weighed = {other["person"] for other in data["alternatives"]}
        rest = [person for person in sorted(data["candidates"], key=self.names.rank) if person not in weighed]
        if not rest:
            return None
        if self.names.labels:
            return self.voice.count("{number} person", "{number} people", len(rest))
        return self.voice.joined([self.who(person) for person in rest], ";")

    def _others(self, closest: list[Mapping[str, Any]], *, counted: bool) -> Iterator[Other]:
        """Yield the explanations, the closest first; people whose explanations fare alike share a row.

        `counted`: people are counted, not listed. Who stands in a row and who does not would tell, in a copy that hides names.
        """
        rows: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
        for other in closest:
            left, dropped = other.get("left_out") or {}, other.get("dropped") or {}
            fares = (other["lr"]["low"], other["lr"]["high"], left.get("low"), left.get("group"), dropped.get("low"), dropped.get("source"))
            rows.setdefault((other["mechanism"], other["person"] is None, *fares), []).append(other)
        for alike in rows.values():
            first = alike[0]
            left, dropped = first.get("left_out") or {}, first.get("dropped") or {}
            yield Other(
                self._people(alike, counted=counted),
                len(alike),
                self.voice.say(MECHANISMS[first["mechanism"]]),
                first["lr"],
                (left["low"], sums.group(left["group"], self.voice)) if left.get("group") else None,
                (dropped["low"], dropped["source"])
                if dropped.get("source") and (dropped["low"], f"source:{dropped['source']}") != (left.get("low"), left.get("group"))
                else None,
            )

    def _people(self, alike: list[Mapping[str, Any]], *, counted: bool) -> Said:
        if alike[0]["person"] is None:
            return self.voice.say("No particular person")
        if counted:
            return self.voice.count("{number} person", "{number} people", len(alike))
        listed = self.voice.joined([self.who(other["person"]) for other in alike], ";")
        return listed if len(alike) == 1 else self.voice.say("{number} people, alike: {listed}", number=len(alike), listed=listed)

    def _flags(self, data: Mapping[str, Any]) -> Iterator[Flag]:
        told = set()
        for item in data.get("flag_items") or ():
            told.add(item["flag"])
            innocent = [self.voice.told(text) for text in item["innocent"]] or self._innocent(item["flag"])
            yield Flag(
                item["flag"], self.voice.say(FLAG_NAMES[item["flag"]]), self.first.odd(item["says"]), tuple(innocent), tuple(item["refs"])
            )
        for name in data["flags"]:
            if name not in told:
                yield Flag(name, self.voice.say(FLAG_NAMES[name]), self.voice.say(FLAGS[name][0]), tuple(self._innocent(name)), ())

    def _innocent(self, flag: str) -> list[Said]:
        return [self.voice.say(text) for text in FLAGS[flag][1]]


def _same_day(first: Said, last: Said) -> Said:
    """Leave out the date of the last moment where it is that of the first."""
    days = [(one.en.rpartition(" ")[0], one.zh.rpartition(" ")[0]) for one in (first, last)]
    return Said(last.en.rpartition(" ")[2], last.zh.rpartition(" ")[2]) if days[0] == days[1] else last


def _shortened(found: re.Match[str]) -> str:
    """Keep the first three of a long list, and count the others."""
    return f"{found[1]}+{found[2].count(', ') + 1}"
