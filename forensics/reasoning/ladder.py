"""The ladder of an answer: which rungs were reached, on what, and why no further."""

from dataclasses import dataclass

from forensics.model import Rung
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.weighing import Weighed


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of the ladder."""

    rung: Rung
    why: str
    refs: tuple[int, ...] = ()
    reached: bool = True


def without_account(dossier: Dossier) -> tuple[Step, ...]:
    """Return the ladder where no record shows which account acted."""
    if dossier.disputed:
        shown = tuple(r["event"] for r in dossier.disputed[:6])
        named = sorted({str(r["actor"]) for r in dossier.disputed})
        accounts = ", ".join(named)
        why = (
            f"{len(dossier.disputed)} records name several accounts ({accounts}), and the question does not say which is meant"
            if len(named) > 1
            else f"{len(dossier.disputed)} records name {accounts}, and do not show that this account made the change"
        )
        return (Step(Rung.CHANGE, "the change is recorded", shown), Step(Rung.ACCOUNT, why, shown, reached=False))
    change = (
        Step(Rung.CHANGE, "the object stands in the evidence", dossier.seen[:4])
        if dossier.seen
        else Step(Rung.CHANGE, "the object is nowhere in the evidence", reached=False)
    )
    return (change, Step(Rung.ACCOUNT, "no record shows which account made the change", reached=False))


def climbed(dossier: Dossier, rung: Rung, session: Weighed | None, contrary: Weighed | None, short: str) -> tuple[Step, ...]:
    """Return the ladder of a recorded act; `contrary`: what speaks against the leading person's hands; `short`: why else the records do not carry to a person."""
    act = dossier.act
    assert act is not None
    kind = f", a {dossier.account_kind} one" if dossier.account_kind in ("shared", "service") else ""
    by = f"{len(act.sources)} source{'s' if len(act.sources) > 1 else ''}"
    return (
        Step(Rung.CHANGE, "the change is recorded", (*dossier.seen[:3], *act.events[:1])),
        Step(Rung.ACCOUNT, f"{act.account} made it{kind}, by {by}", act.events),
        _session(dossier, session),
        Step(
            Rung.PERSON,
            _person(rung, session, contrary, short),
            contrary.item.refs if contrary else (),
            reached=rung is Rung.PERSON,
        ),
    )


def _session(dossier: Dossier, session: Weighed | None) -> Step:
    if session is not None:
        return Step(Rung.SESSION, session.item.says, session.item.refs)
    if len(dossier.origins) > 1:
        return Step(
            Rung.SESSION, f"{len(dossier.origins)} logins could have been behind it, and the records do not tell them apart", reached=False
        )
    return Step(Rung.SESSION, "no record shows from which device or with whose credential", reached=False)


def _person(rung: Rung, session: Weighed | None, contrary: Weighed | None, short: str) -> str:
    if rung is Rung.PERSON:
        return "independent records tie that session to one person, and every alternative is clearly less supported"
    if session is None:
        return "without a session there is nobody to tie it to"
    if contrary is not None:
        return f"a record speaks against whom the others point to: {contrary.item.says}"
    return short
