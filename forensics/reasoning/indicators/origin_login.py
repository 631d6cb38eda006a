"""Whose login stood behind a shared account or a robot."""

from collections.abc import Iterator

from forensics.indicator import Hypothesis, Indicator, Item
from forensics.model import Mechanism
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.hypotheses import behind
from forensics.reasoning.world import World


def _find(_world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    act = dossier.act
    origins = [o for o in dossier.origins if o.manner != "direct"]
    if act is None or not origins:
        return
    people = set(behind(dossier))
    if not people:
        return
    word = "almost certain" if len(people) == 1 and all(o.word == "almost certain" for o in origins) else "likely"
    expect = {
        h: word if h.person in people else "very unlikely"
        for h in hypotheses
        if h.mechanism in (Mechanism.SHARED_IDENTITY, Mechanism.AUTOMATION)
    }
    # whoever sets a robot off in another's name needs that very account first, as for any other act (see `account`)
    borrowed = "unlikely" if word == "almost certain" and all(o.manner == "automation" for o in origins) else word
    expect |= {h: borrowed for h in hypotheses if h.mechanism is Mechanism.CREDENTIAL_MISUSE}
    accounts = ", ".join(sorted({_whose(o.account, act.account, o.people) for o in origins}))
    how = "was set off by" if origins[0].manner == "automation" else "was used out of the login of"
    how = "may have been used out of the login of" if any(o.word == "even" for o in origins) else how
    apart = tuple(sorted({s for o in origins for s in o.sources} - set(act.sources))) or act.sources
    yield Item(
        "origin_login",
        f"{act.account} {how} {accounts}",
        apart,
        tuple(dict.fromkeys(e for o in origins for e in o.events))[:12],
        "session",
        expect,
    )


def _whose(account: str, shared: str | None, people: tuple[str, ...]) -> str:
    return account if account != shared else f"{account} with the key of {', '.join(people) or 'nobody known'}"


INDICATOR = Indicator(
    name="origin_login",
    why="auditd keeps the login id through sudo and su (auid), sudo writes who called it, and a pipeline's trigger has an owner",
    errs="a login id leaks into later sessions where sshd or cron was restarted by hand; the login may itself have been misused",
    find=_find,
)
