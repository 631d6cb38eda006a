"""Whether somebody stood behind an act when it happened: what a schedule or a queue runs needs nobody, and may have been set up long before."""

from forensics.reasoning.dossier import Dossier


def attended(dossier: Dossier) -> bool:
    """Tell whether the records show that somebody was signed on: a forge that let a push in, a login, an address or a credential.

    An address or credential of a process in a job is its node's.
    """
    act = dossier.act
    if act is None:
        return False
    if act.kind == "code.push" or any(o.login_time is not None or o.devices for o in dossier.origins):
        return True
    return not dossier.in_jobs and bool(act.ip or act.credential)
