"""Whether somebody stood behind an act when it happened: what a schedule or a queue runs needs nobody, and may have been set up long before."""

from forensics.reasoning.dossier import Dossier
from forensics.reasoning.set_up import out_of_timetable
from forensics.reasoning.timetables import behind
from forensics.reasoning.world import World


def attended(world: World, dossier: Dossier) -> bool:
    """Tell whether the records show that somebody was signed on: a forge that let a push in, a login, an address or a credential.

    An address or credential of a process in a job is its node's. What a timetable ran at that moment in the account's name needed nobody.
    """
    act = dossier.act
    if act is None or out_of_timetable(world, act) or behind(world, act):
        return False
    if act.kind == "code.push" or any(o.login_time is not None or o.devices for o in dossier.origins):
        return True
    return not dossier.in_jobs and bool(act.ip or act.credential)


def by_itself(world: World, dossier: Dossier) -> bool:
    """Tell whether the act came out of a timetable, of a host or a cluster: whoever could set it up before may have left by then."""
    act = dossier.act
    if act is None:
        return False
    launches = world.acts("action = 'job.launch' AND list_contains($j, object)", j=list(dossier.in_jobs)) if dossier.in_jobs else []
    return out_of_timetable(world, act) or any(r["attrs"].get("set_by") for r in (*act.rows, *launches))
