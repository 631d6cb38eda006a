"""What the parties say, tested against the answers. Undecided is an answer, too."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from forensics.model import CaseConfig, Mechanism, Rung, Statement
from forensics.reasoning.impact import Impact
from forensics.reasoning.review import Handling


@dataclass(frozen=True, slots=True)
class Verdict:
    """A tested statement."""

    id: str
    verdict: str
    why: str
    refs: tuple[int, ...] = ()
    supports: tuple[tuple[str, tuple[int, ...], tuple[str, ...]], ...] = field(default=())
    """(fact, events, sources) for it"""
    opposes: tuple[tuple[str, tuple[int, ...], tuple[str, ...]], ...] = field(default=())


_FEW = 0.01
"""share of a log's records that may be unreadable before what it does not show counts for nothing"""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How complete the records are that a statement about reach rests on."""

    unread: tuple[str, ...]
    """sources that were handed in and not read"""
    stores: tuple[tuple[str, int], ...]
    """stores (`s3://bucket/`, `hdfs://host/`) and clusters of which records were read, with the time of the last"""
    holes: tuple[tuple[str, int, int], ...] = ()
    """stretches (source, since, until) of which a log of jobs tells nothing: its gaps, and a silence to the end of the case that is longer than any of its own"""
    cut: tuple[tuple[str, int, int], ...] = ()
    """logs of jobs of which some records could not be read: (source, such records, records that were read)"""
    largest: Mapping[str, float] = field(default_factory=dict)
    """quantity -> that of the largest job on record: no more is taken to be in a record that could not be read"""

    def unseen(self, quantity: str) -> float:
        """Return how much of a quantity the records that could not be read may hold."""
        return sum(n for _, n, _ in self.cut) * self.largest.get(quantity, float("inf")) if self.cut else 0.0

    def silent_after(self, when: tuple[int, int] | None) -> str:
        """Return the log of jobs that is silent over a stretch after the change; empty where there is none."""
        return next((source for source, _, until in self.holes if when is None or until > when[0]), "")

    def lacking(self, when: tuple[int, int] | None) -> str:
        """Say what of the records about jobs is missing after the change; nothing where none is."""
        if self.unread:
            return f"{', '.join(self.unread)} could not be read"
        silent = self.silent_after(when)
        return f"{silent} is silent over a stretch after the change" if silent else ""

    def lossy(self) -> str:
        """Say which logs of jobs have lost more than a few records; nothing where none has."""
        cut = [source for source, lost, read in self.cut if lost > _FEW * read]
        return f"some of {', '.join(cut)} could not be read" if cut else ""

    def holds(self, reference: str, when: tuple[int, int] | None) -> bool:
        """Tell whether records of the place of an object were read that reach beyond the change."""
        places = [last for place, last in self.stores if reference.startswith(place) or place.startswith(reference.rstrip("*"))]
        return when is not None and any(last > when[1] for last in places)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a statement needs to know of the answer to its question."""

    rung: Rung
    person: str | None
    mechanism: Mechanism
    candidates: tuple[str, ...]
    when: tuple[int, int] | None
    refs: tuple[int, ...]
    sources: tuple[str, ...]
    account: str | None = None
    flags: tuple[str, ...] = ()
    handling: Handling = field(default_factory=Handling)
    gone: frozenset[str] = frozenset()
    """people who had left before the act, and of whose own things (device, card, sign-on) none was valid any more, or whose the account was not"""
    attended: bool = True
    """the records show that somebody was signed on behind the act"""
    hides: tuple[str, ...] = ()
    """rules by which lines that it added hide what they do, or run text"""
    runs: bool = False
    """it holds code that runs what it is handed, and that its like do not"""
    forged: tuple[str, ...] = ()
    """people whom only records name that a copy out of their keeper's reach contradicts"""
    node: tuple[str, tuple[int, ...], tuple[str, ...]] | None = None
    """the node whose harm the commit is blamed for, its records and their sources"""


def judge(
    case: CaseConfig, statement: Statement, outcome: Outcome | None, reach: Impact | None, gpus: float | None, coverage: Coverage
) -> Verdict:
    """Test one statement; `not resolved` wherever the records do not decide it."""
    if outcome is None:
        return _open(statement, "it is about no question of this case")
    if statement.test in ("not-me", "left-before"):
        return _person(case, statement, outcome)
    if statement.test == "someone-else":
        return _someone(statement, outcome)
    if statement.test == "scale":
        return _scale(statement, reach, gpus, outcome, case, coverage)
    if statement.test == "not-affected":
        return _not_affected(statement, reach, outcome, coverage)
    if statement.test == "record-forged":
        return _forged(statement, outcome)
    return _defect(statement, outcome)


def _open(statement: Statement, why: str) -> Verdict:
    return Verdict(statement.id, "not resolved", why)


def _said(statement: Statement, outcome: Outcome, verdict: str, why: str) -> Verdict:
    fact = ((why, outcome.refs, outcome.sources),) if outcome.refs else ()
    return Verdict(
        statement.id, verdict, why, outcome.refs, fact if verdict == "supported" else (), fact if verdict == "contradicted" else ()
    )


def _person(case: CaseConfig, statement: Statement, outcome: Outcome) -> Verdict:
    people = {p.id: p for p in case.people}
    if statement.by not in people:
        return _open(statement, "whoever says it is no person of people.csv")
    left = people[statement.by].employed_to
    if outcome.rung is not Rung.PERSON:
        if statement.test == "left-before":
            return _gone(statement, outcome, left)
        return _open(statement, "the records do not tell who made the change")
    if outcome.person == statement.by:
        return _said(statement, outcome, "contradicted", f"the records tie the change to {statement.by}")
    if statement.test == "not-me":
        return _said(statement, outcome, "supported", f"the records tie the change to {outcome.person}")
    if left is not None and outcome.when is not None and left < outcome.when[0]:
        return _said(
            statement,
            outcome,
            "supported",
            f"the change was made after {statement.by} had left, and the records tie it to {outcome.person}",
        )
    if outcome.when is not None and (left is None or left > outcome.when[1]):
        return _said(statement, outcome, "contradicted", f"{statement.by} was still employed when the change was made")
    return _open(statement, "the time of the change and of leaving overlap")


def _gone(statement: Statement, outcome: Outcome, left: int | None) -> Verdict:
    """Test the date where the records tell no person. A true date alone decides nothing: an account that stayed open may be used from anywhere."""
    if outcome.rung in (Rung.NONE, Rung.CHANGE) or outcome.when is None:
        return _open(statement, "the records do not tell when the change was made, nor by which account")
    if left is not None and left < outcome.when[0] and not outcome.attended:
        return _open(statement, "no record shows anybody signed on when the change was made, and what was set up before may run later")
    if left is not None and left < outcome.when[0] and statement.by in outcome.gone:
        why = f"{outcome.account} made the change after {statement.by} had left; by the registers {statement.by} did not hold that account then, or had given back device, card and sign-on; who used the account is not established"
        return _said(statement, outcome, "supported", why)
    if left is not None and left < outcome.when[0]:
        return _open(
            statement,
            f"{statement.by} had left, but the registers show accounts or devices that were still {statement.by}'s, and the records do not tell who made the change",
        )
    if left is None or left > outcome.when[1]:
        return _said(
            statement,
            outcome,
            "contradicted",
            f"{statement.by} was still employed when the change was made; who made it is not established",
        )
    return _open(statement, "the time of the change and of leaving overlap")


def _forged(statement: Statement, outcome: Outcome) -> Verdict:
    """Test whether the record that names somebody was made up: only records out of its keeper's reach tell."""
    if statement.by in outcome.forged:
        return _said(
            statement,
            outcome,
            "supported",
            f"a copy of the log, out of its keeper's reach, does not name {statement.by} where the log does",
        )
    if outcome.rung is Rung.PERSON and outcome.person == statement.by:
        why = f"records that the log's keepers could not have written tie the change to {statement.by}, too"
        return _said(statement, outcome, "contradicted", why)
    if (
        outcome.rung is Rung.PERSON
        and statement.person
        and statement.person == outcome.person
        and outcome.mechanism is Mechanism.FORGED_RECORD
    ):
        return _said(statement, outcome, "supported", f"the records tie the change to {outcome.person}, who could have written the log")
    return _open(statement, "no record out of the log's keeper's reach tells whether it is as it was written")


_AGAINST_DEFECT = {"hidden-code", "credential-reuse", "after-departure", "record-conflict", "impossible-overlap"}
_DOUBT = {"author-mismatch", "backdated", "rewritten-history"}
NO_DEFECT = _AGAINST_DEFECT | _DOUBT
"""flags with which a change does not count as an ordinary mistake"""
_MISDEED = (Mechanism.CREDENTIAL_MISUSE, Mechanism.FORGED_RECORD, Mechanism.DEPUTY)


def _defect(statement: Statement, outcome: Outcome) -> Verdict:
    """Test whether the change bears the marks of an honest one: reviewed by somebody else, taken back, and nothing hidden; or the harm is a node's.

    A flag has innocent explanations, and decides nothing by itself: code that runs what it is handed does.
    """
    misdeed = outcome.mechanism if outcome.rung is Rung.PERSON and outcome.mechanism in _MISDEED else None
    if outcome.runs or misdeed:
        return _said(statement, outcome, "contradicted", f"an ordinary change does not come with {misdeed or 'hidden-code'}")
    raised = sorted(_AGAINST_DEFECT & set(outcome.flags))
    if raised:
        return _open(statement, f"{', '.join(raised)} may have an innocent explanation or none")
    if outcome.hides:
        return _open(statement, f"lines that it added hide what they do or run text, by the rules {', '.join(outcome.hides)}")
    if outcome.node and not _DOUBT & set(outcome.flags):
        node, refs, sources = outcome.node
        why = f"the harm is that of {node}: runs were harmed there before the change was made, and runs elsewhere were healthy with it"
        return Verdict(statement.id, "supported", why, (*outcome.refs[:2], *refs[:4]), ((why, refs[:4], sources),))
    done = outcome.handling
    if done.reviews and done.taken_back and not _DOUBT & set(outcome.flags):
        refs = (*(r["event"] for r in done.reviews[:3]), *done.taken_back[:2])
        facts = (
            ("it was reviewed or merged by somebody else than its maker", refs[:3], tuple(sorted({r["source"] for r in done.reviews}))),
        )
        return Verdict(
            statement.id,
            "supported",
            "it was reviewed by somebody else, taken back by a revert, and nothing about it was hidden",
            refs,
            facts,
        )
    lacks = [w for w, there in (("a review by somebody else", done.reviews), ("a revert", done.taken_back)) if not there]
    return _open(statement, f"the records do not show {' or '.join(lacks) or 'that nothing about it was hidden'}")


def _someone(statement: Statement, outcome: Outcome) -> Verdict:
    if outcome.rung is not Rung.PERSON:
        return _open(statement, "the records do not tell who made the change")
    if outcome.person == statement.by or (statement.person and statement.person != outcome.person):
        return _said(statement, outcome, "contradicted", f"the records tie the change to {outcome.person}")
    return _said(statement, outcome, "supported", f"the records tie the change to {outcome.person}")


def _scale(
    statement: Statement, reach: Impact | None, gpus: float | None, outcome: Outcome, case: CaseConfig, coverage: Coverage
) -> Verdict:
    if reach is None or statement.at_least is None or not (reach.jobs or reach.jobs_possible):
        return _open(statement, "the records do not show what the change reached")
    low, high = _quantity(statement.quantity, reach, gpus, case)
    if low is None or high is None:
        return _open(statement, f"the records do not give {statement.quantity!r}")
    if low >= statement.at_least:
        return _said(statement, outcome, "supported", f"the records show at least {low:g} {statement.quantity}")
    if high < statement.at_least <= high + coverage.unseen(statement.quantity):
        cut = ", ".join(source for source, _, _ in coverage.cut)
        return _open(
            statement, f"the records that were read show at most {high:g} {statement.quantity}, and some of {cut} could not be read"
        )
    if high < statement.at_least and (lacking := coverage.lacking(outcome.when)):
        return _open(statement, f"the records that were read show at most {high:g} {statement.quantity}, and {lacking}")
    if high < statement.at_least:
        return _said(statement, outcome, "contradicted", f"the records show at most {high:g} {statement.quantity}, inferred ones included")
    if reach.unmeasured:
        return _open(statement, f"the records do not say how many GPUs {reach.unmeasured} of the jobs had")
    return _open(statement, f"the records show between {low:g} and {high:g} {statement.quantity}")


def _quantity(name: str, reach: Impact, gpus: float | None, case: CaseConfig) -> tuple[float | None, float | None]:
    if name != "jobs" and reach.unmeasured:
        return (reach.gpu_hours[0] if name == "gpu_hours" else 0.0), float("inf")
    if name == "jobs":
        return float(len(reach.jobs)), float(len(reach.jobs) + len(reach.jobs_possible))
    if name == "gpu_hours":
        return reach.gpu_hours
    if name == "cost" and case.gpu_hour is not None:
        return reach.gpu_hours[0] * case.gpu_hour, reach.gpu_hours[1] * case.gpu_hour
    return (None, None) if name != "gpus" else (0.0, gpus)


def _not_affected(statement: Statement, reach: Impact | None, outcome: Outcome, coverage: Coverage) -> Verdict:
    if reach is None or not (reach.jobs or reach.jobs_possible):
        return _open(statement, "the records do not show what the change reached")
    head = statement.object.rstrip("*")
    whole = statement.object.endswith("*")
    hit = [o for o in (*reach.objects, *reach.jobs) if (o.startswith(head) if whole else o.partition("?")[0] == head.partition("?")[0])]
    if hit:
        return _said(statement, outcome, "contradicted", f"{len(hit)} of what it reached lies there, {hit[0]} among them")
    if any(o.startswith(head) for o in (*reach.objects_possible, *reach.jobs_possible)):
        return _open(statement, "what it may have reached, by inference, lies there")
    lacking = coverage.lacking(outcome.when) or coverage.lossy()
    if not coverage.holds(statement.object, outcome.when):
        lacking = lacking or "no record of that place reaches beyond the change"
    if lacking:
        return _open(statement, f"nothing that it is known to have reached lies there, but {lacking}")
    return _said(statement, outcome, "supported", "nothing that it reached lies there")


def most_gpus(rows: Mapping[str, float]) -> float | None:
    """Return the GPUs of all jobs together: no more can have been in use at one time by them."""
    return sum(rows.values()) if rows else None
