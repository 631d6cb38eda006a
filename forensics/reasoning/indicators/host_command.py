"""In whose login on a host the command ran that led to the act."""

from collections.abc import Iterator

from forensics.indicator import Hypothesis, Indicator, Item
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.hypotheses import expectations
from forensics.reasoning.world import World


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    if len(dossier.origins) != 1 or dossier.act is None:
        return
    origin = dossier.origins[0]
    people = world.known.holders(origin.login, origin.time)
    if not people or not origin.ran:
        return
    rows = world.acts("list_contains($e, event)", e=list(origin.ran))
    sure = origin.word == "almost certain"
    expect = expectations(world, dossier, hypotheses, people, origin.word, "very unlikely" if sure else "unlikely")
    says = (
        f"the command that leads to {dossier.act.kind} ran on {', '.join(origin.hosts[:2])} at that moment, out of the login of {origin.login} ({', '.join(people)})"
        if sure
        else f"what {origin.login} ({', '.join(people)}) ran on {', '.join(origin.hosts[:2])} in that quarter of an hour may have made it, and nothing that others ran there"
    )
    yield Item("host_command", says, tuple(sorted({r["source"] for r in rows})), origin.ran, "session", expect)


INDICATOR = Indicator(
    name="host_command",
    why="the kernel's audit keeps the login id of every process, whatever account's credential the command then uses",
    errs="a login id leaks into later sessions where sshd was restarted by hand; the login may itself be borrowed; root can write the log",
    find=_find,
)
