"""What an opposing expert usually puts forward, and what this examination has to say to it, counted from the findings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.indicator import indicators
from forensics.model import CaseConfig
from forensics.telling.report.answer import Answer
from forensics.telling.report.said import Said, Voice
from forensics.telling.report.showing import ratio
from forensics.telling.report.sums import group
from forensics.telling.validation import Validation, method, validation


@dataclass(frozen=True, slots=True)
class Objection:
    """A point, and the sentences to it."""

    anchor: str
    says: Said
    answers: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Class:
    """How one class of invented incidents was answered."""

    name: str
    questions: int
    wrong: int
    over: int
    right: str
    """of those that the records carried as far as a person"""
    open: str
    """of those that they did not"""


@dataclass(frozen=True, slots=True)
class Reasoning:
    """One kind of reasoning, why it tells, and how it misleads."""

    name: str
    why: Said
    errs: Said


def classes() -> list[Class]:
    """Return what was measured, class by class; nothing where this installation has no figures."""
    known = validation()
    rows = {**known.figures["classes"], "": known.figures["overall"]} if known else {}
    return [
        Class(
            name, row["false_person"]["n"], row["false_person"]["count"], row["overreach"]["count"],
            _part(row["scores"].get("reached")), _part(row["scores"].get("abstained")),
        )
        for name, row in rows.items()
    ]  # fmt: skip


def _part(score: Mapping[str, Any] | None) -> str:
    return f"{score['sum']:.0f} / {score['n']}" if score and score["n"] else "–"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.2g} %"


def _measured(voice: Voice, known: Validation | None) -> Iterator[Said]:
    """Say what was measured on invented incidents, with its bounds, and whether on this code."""
    say = voice.say
    if known is None:
        yield say("The figures of that did not come with this installation; `make validate` in the program's source makes them anew.")
        return
    whole, naive = known.figures["overall"], known.figures["yardsticks"]["author"]
    wrong, over, reached, left = whole["false_person"], whole["overreach"], whole["scores"]["reached"], whole["scores"]["abstained"]
    yield say(
        "In {questions} questions of {cases} invented incidents whose truth is known, somebody was named wrongly {wrong} times (upper 95 % bound: {bound}); {over} answers went further than the records allow (upper bound: {further}).",
        questions=wrong["n"], cases=known.figures["cases"], wrong=wrong["count"], bound=_percent(wrong["upper95"]), over=over["count"], further=_percent(over["upper95"]),
    )  # fmt: skip
    yield say(
        "Where the records carried as far as a person, the right one was named in {right} of {number} questions; where they did not, nobody was named in {open} of {others}. Whoever had gone by the author of the commit would have named somebody wrongly in {naive} of {questions}.",
        right=int(reached["sum"]), number=reached["n"], open=int(left["sum"]), others=left["n"], naive=naive["false_person"]["count"], questions=naive["false_person"]["n"],
    )  # fmt: skip
    best = whole["calibration"][-1]
    yield say(
        "Of {number} alternatives that came out 100 or more times worse, {true} were the true explanation (upper 95 % bound: {bound}).",
        number=best["alternatives"], true=best["true_actor"], bound=_percent(best["upper95"]),
    )  # fmt: skip
    if known.current:
        yield say("These figures were measured on the very code that wrote this page (method {hash}).", hash=known.method[:16])
    else:
        yield say(
            "These figures were measured on other code (method {theirs}) than that which wrote this page (method {ours}): they say how that code did, and little of this one.",
            theirs=known.method[:16], ours=method()[:16],
        )  # fmt: skip
    yield say(
        "All of them, with the limits of what they mean, stand in validation.md: in a handoff bundle, and under tests/incidents/validation in the program's source. `make validate` makes them anew."
    )


def reasonings(findings: Mapping[str, Any], voice: Voice) -> list[Reasoning]:
    """Describe every kind of reasoning that this examination used."""
    used = {item.get("kind") for answer in findings["answers"] for side in ("for", "against", "neutral") for item in answer.get(side) or ()}
    return [Reasoning(i.name, voice.told(i.why), voice.told(i.errs)) for i in indicators() if i.name in used]


def objections(
    findings: Mapping[str, Any], answers: Sequence[Answer], case: CaseConfig, custody: Sequence[Mapping[str, Any]], voice: Voice
) -> list[Objection]:
    """Answer the usual points, each with what this case has to show for it."""
    made = _Points(findings, answers, case, custody, voice)
    points = (
        ("account", "An account is not a person.", made.account),
        ("edited", "Whoever runs these systems could have edited the records.", made.edited),
        ("pillar", "The whole answer hangs on one log.", made.pillar),
        ("gaps", "The records have gaps.", made.gaps),
        ("clocks", "The clocks are wrong.", made.clocks),
        ("parser", "The program misread the logs.", made.parser),
        ("errors", "What is the error rate of this method?", made.errors),
        ("bias", "The examiner looked for one person.", made.bias),
        ("contaminated", "The evidence was changed while it was collected or examined.", made.contaminated),
        ("twice", "One fact was counted several times.", made.twice),
        ("unknown", "It was somebody else: an outsider, or malware on the device.", made.unknown),
    )
    return [Objection(f"point-{anchor}", voice.say(says), tuple(answer())) for anchor, says, answer in points]


@dataclass(frozen=True, slots=True)
class _Points:
    findings: Mapping[str, Any]
    answers: Sequence[Answer]
    case: CaseConfig
    custody: Sequence[Mapping[str, Any]]
    voice: Voice

    def account(self) -> Iterator[Said]:
        say = self.voice.say
        yield say(
            "That is so. Accounts, keys and devices are kept apart from people here, and a tie between them is a finding of its own that needs its own records."
        )
        named = [a for a in self.answers if a.data["person"]]
        if not named:
            yield say("No answer of this report ties the act to a person.")
        for answer in named:
            yield from self._both_sides(answer.data)

    def _both_sides(self, data: Mapping[str, Any]) -> Iterator[Said]:
        """Say what ties the session and what the person, and what stands on both sides."""
        say, items = self.voice.say, {rung: [i for i in data["for"] if i.get("rung") == rung] for rung in ("session", "person")}
        session, person = ({item["group"] for item in items[rung]} for rung in ("session", "person"))
        yield say(
            "Question {question}: what ties a session to it are records of {session}; what ties the person, records of {person}.",
            question=data["question"], session=self._groups(session), person=self._groups(person),
        )  # fmt: skip
        if shared := session & person:
            yield say(
                "The same stands on both sides with {shared}: whoever could edit that could have edited both. Without it, the session rests on {session}, and the person on {person}.",
                shared=self._groups(shared), session=self._groups(session - shared), person=self._groups(person - shared),
            )  # fmt: skip
            if not person - session:
                yield say(
                    "The method takes that for enough only where the device was opened on the spot, and another group speaks for the session."
                )
        else:
            yield say("No group of records stands on both sides.")
        used = {ref["source"] for side in items.values() for item in side for ref in item["refs"]}
        silent = [s["name"] for s in self.findings["sources"] if s["name"] in used and not s.get("controllers")]
        if silent:
            yield say(
                "Who could edit {sources} nobody declared; one person may have been able to edit records of both sides.",
                sources=self.voice.joined(silent),
            )
        else:
            yield say(
                "By what the case declares, nobody could edit records of two groups: sources that share an administrator are one group."
            )

    def _groups(self, groups: set[str]) -> Said:
        return self.voice.joined([group(name, self.voice) for name in sorted(groups)]) if groups else self.voice.say("nothing else")

    def edited(self) -> Iterator[Said]:
        say, sources = self.voice.say, self.findings["sources"]
        known = [s for s in sources if s.get("controllers")]
        yield say(
            "For {known} of {number} sources the case names who could have edited the records; for the others nobody told us, which does not mean that nobody could.",
            known=len(known),
            number=len(sources),
        )
        others = [o for a in self.answers for o in a.data["alternatives"] if o["mechanism"] == "forged-record"]
        if not known and not others:
            return
        yield say(
            "For each of those people the explanation is weighed that the record was made up or altered by them; whatever they could have edited then weighs nothing."
        )
        if others:
            yield say(
                "{number} such explanations were weighed; the closest fits the records {ratio} times worse than the leading one, at the low end.",
                number=len(others),
                ratio=ratio(min(o["lr"]["low"] for o in others)),
            )

    def pillar(self) -> Iterator[Said]:
        say = self.voice.say
        yield say("Each group of records, and each whole source, is left out in turn, and everything is weighed again.")
        for answer in self.answers:
            worst = [
                (o["dropped"]["low"], o["dropped"]["source"]) for o in answer.data["alternatives"] if (o.get("dropped") or {}).get("source")
            ]
            if answer.data["person"] and worst:
                low, source = min(worst)
                yield say(
                    "Question {question}: without the source {source}, the closest alternative fits {ratio} times worse than the leading explanation.",
                    question=answer.data["question"],
                    source=source,
                    ratio=ratio(low),
                )

    def gaps(self) -> Iterator[Said]:
        gaps = [(s["name"], g) for s in self.findings["sources"] for g in s["gaps"]]
        yield self.voice.count(
            "{number} gap was found and is listed, with its times.", "{number} gaps were found and are listed, with their times.", len(gaps)
        )
        silent = [a.data["question"] for a in self.answers if "log-gap" in a.data["flags"]]
        if silent:
            yield self.voice.say(
                "A source that would show the act is silent over the time when it was done, in: {questions}. Nothing is concluded from that silence.",
                questions=self.voice.joined(silent),
            )
        else:
            yield self.voice.say("No gap of a source that would show the act covers the moment of an answer.")

    def clocks(self) -> Iterator[Said]:
        sources = self.findings["sources"]
        known = [s for s in sources if s.get("clock_offset_s")]
        applied = [s["name"] for s in sources if any(c.get("corrected") for c in s.get("clock") or ())]
        yield self.voice.say(
            "{known} of {number} clocks could be compared with others, by acts that two sources both recorded; the offsets are printed as ranges.",
            known=len(known),
            number=len(sources),
        )
        if applied:
            yield self.voice.say(
                "Times of these sources are corrected; the recorded ones stand beside them: {sources}.", sources=self.voice.joined(applied)
            )
        else:
            yield self.voice.say("No time was corrected.")

    def parser(self) -> Iterator[Said]:
        sources = self.findings["sources"]
        yield self.voice.say(
            "Of {bytes} bytes, {rejected} could not be read; they make {records} records, listed with their places. {read} records were read.",
            bytes=sum(s["bytes"] for s in sources), rejected=sum(s["bytes_rejected"] for s in sources),
            records=sum(s["rejected"] for s in sources), read=sum(s["records"] for s in sources),
        )  # fmt: skip
        yield self.voice.say("Each fact leads to its bytes, so that anybody can read them without this program.")

    def errors(self) -> Iterator[Said]:
        yield self.voice.say(
            "None is known for casework, and none is claimed. The likelihoods are judgements, printed with the policy; the method was tried on invented incidents, which measures the method on a simulator and nothing else."
        )
        yield from _measured(self.voice, validation())
        yield self.voice.say(
            "For that reason nothing is reported above “moderately strong”. How each kind of reasoning can mislead stands in the table below."
        )
        chances = [c["chance"] for c in self.findings["causes"] if "chance" in c]
        if chances:
            yield self.voice.say(
                "For the ranking of causes, the rate at which chance does as well was measured on this case's own runs with shuffled labels, and stands beside each score."
            )

    def bias(self) -> Iterator[Said]:
        say = self.voice.say
        weighed = sorted({o["person"] for a in self.answers for o in a.data["alternatives"] if o["person"]})
        yield say(
            "Explanations come from who had access, not from suspicion: {number} people of {all} in the case were weighed by the same rules.",
            number=len(weighed),
            all=len(self.case.people),
        )
        yield say(
            "The sources and questions were chosen by whoever made the case folder; what they left out cannot be seen here. The report can be read with names hidden."
        )

    def contaminated(self) -> Iterator[Said]:
        say = self.voice.say
        received = sum(1 for entry in self.custody if entry.get("action") == "received")
        yield say(
            "{number} files were hashed when they were taken in and again at the end; a difference would have stopped the examination. Nothing in the evidence was run.",
            number=received,
        )
        acquired = sum(1 for source in self.case.sources if source.acquired)
        yield say(
            "What happened before that is known only as far as somebody wrote it down: {acquired} of {number} sources come with a record of their collection.",
            acquired=acquired,
            number=len(self.case.sources),
        )

    def twice(self) -> Iterator[Said]:
        yield self.voice.say(
            "Records that share a way of being wrong form a group, and only the strongest of a group counts. A copy of a log changes no answer."
        )

    def unknown(self) -> Iterator[Said]:
        yield self.voice.say(
            "That cannot be weighed from access alone, and is not claimed to be excluded. It is listed with each answer as not evaluated."
        )
