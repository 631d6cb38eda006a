"""Whether the harm that a commit is blamed for is a node's: runs were harmed there before it was made, and healthy with it elsewhere."""

from forensics.reasoning.answer import Answer
from forensics.reasoning.causes.ranking import Comparison
from forensics.reasoning.impact import Impact
from forensics.reasoning.world import World


def node_behind(world: World, a: Answer, reach: Impact, found: Comparison, by: str) -> tuple[str, tuple[int, ...], tuple[str, ...]] | None:
    """Return the node that is the cause, its records and their sources; None where the commit may have a part in it.

    Nodes alone have to be told as causes, the first of them without a healthy run. That healthy and harmed runs had the commit is not enough, for code may look at where it runs:
    of the runs that were harmed on that node, some have to have begun before the commit was handed in, under accounts that are neither its maker's nor of whoever says so.
    """
    runs, least = found.runs, world.policy.causes["least_runs"]
    if (
        runs is None
        or a.person is None
        or a.dossier.claimed is None
        or a.dossier.when is None
        or {c.kind for c in found.causes} != {"node"}
    ):
        return None
    first = found.causes[0]
    if first.lead or first.condition or first.healthy:
        return None
    before = [
        n
        for n in runs.places(runs.bad)
        if runs.jobs[n] in first.harmed
        and runs.jobs[n] not in reach.jobs
        and runs.starts[n] < a.dossier.when[0]
        and (who := set(world.known.last_holders(runs.facts[n]["actor"], runs.starts[n])))
        and not who & {a.person, by}
    ]
    harmed, healthy = (set(runs.named(kind)) & set(reach.jobs) for kind in (runs.bad, runs.good))
    if len(before) < least or not harmed or len(healthy) < least:
        return None
    rows = world.tables.rows("SELECT DISTINCT source FROM events WHERE list_contains($e, id) ORDER BY source", e=list(first.refs))
    return first.object, first.refs, tuple(r["source"] for r in rows)
