"""Which account the system authenticated, and whose it was then."""

from collections.abc import Iterator

from forensics.indicator import Hypothesis, Indicator, Item
from forensics.model import Mechanism
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.world import World

_OWN = (Mechanism.OWN_ACCOUNT, Mechanism.SHARED_IDENTITY, Mechanism.AUTOMATION)


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    act = dossier.act
    if act is None or act.account is None:
        return
    holders = world.known.last_holders(act.account, act.time[0])
    whose = ", ".join(holders) or "nobody in the registers"
    kind = f" ({dossier.account_kind})" if dossier.account_kind else ""
    yield Item(
        "account",
        f"{act.kind} is recorded for {act.account}{kind}, held by {whose}",
        act.sources,
        act.events,
        "account",
        {h: "almost certain" for h in hypotheses if h.mechanism in _OWN} | _borrowed(world, dossier, hypotheses),
    )


def _borrowed(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> dict[Hypothesis, str]:
    """Say that somebody else would have had to get hold of this very account, where it is one person's alone.

    So would a keeper of other records than the act's own: he can write what lies about it, but the account he must use.
    """
    if dossier.act is None or dossier.account_kind != "personal":
        return {}
    keepers = world.controlled(dossier.act.sources)
    return {
        h: "unlikely"
        for h in hypotheses
        if h.mechanism is Mechanism.CREDENTIAL_MISUSE or (h.mechanism is Mechanism.FORGED_RECORD and h.person not in keepers)
    }


INDICATOR = Indicator(
    name="account",
    why="an account's holder acting leaves that account's name; anybody else needs its password, key or token first",
    errs="whoever has the credential has the name; and who wants to put it on somebody chooses that very account",
    find=_find,
)
