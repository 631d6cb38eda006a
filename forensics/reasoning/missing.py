"""Which record would tell what is left apart, most telling first, and where such records lie.

How telling a record is: what it would weigh for whom it names, as the policy weighs a record of its kind and usual tier. Without a session
there is nobody to weigh, so what leads to one comes first.
"""

from math import log

from forensics import times
from forensics.model import Rung
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.policy import Policy
from forensics.reasoning.world import World


def missing(
    world: World, dossier: Dossier, rung: Rung, gap_sources: tuple[str, ...], told: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """Return the records to look for, in order; empty at rung person. `told` are the kinds of items that the records held already."""
    if rung is Rung.PERSON:
        return ()
    moment = times.show(dossier.when[0]) if dossier.when else "that time"
    if rung in (Rung.NONE, Rung.CHANGE):
        return (
            *(
                f"the records of {s} over {moment}, where it is silent (a backup, a log shipper, the forge's or store's own database)"
                for s in gap_sources
            ),
            *_act(dossier, moment),
        )
    wanted = [*_shared(dossier, moment), *_origin(dossier, moment)]
    return tuple(dict.fromkeys([*wanted, *_person(world.policy, dossier, moment, told)]))


def gain(policy: Policy, tier: str, likely: str, unlikely: str) -> float:
    """Return the log ratio that one record of this tier would add for whom it names."""
    r = policy.tiers[tier]  # type: ignore[index]
    return log(((1 - r) * policy.words[likely] + r / 2) / ((1 - r) * policy.words[unlikely] + r / 2))


def _act(dossier: Dossier, moment: str) -> list[str]:
    reference = dossier.objects[0]
    if reference.startswith("git:"):
        return [
            f"push records of the forge around {moment} (GitLab: events API and gitlab-shell.log; GitHub: audit log, which keeps git events 7 days)"
        ]
    if reference.startswith(("s3:", "hdfs:")):
        return [
            f"data events of the object store around {moment} (CloudTrail data events are off unless switched on; HDFS: the name node's audit log)"
        ]
    return [f"auditd records with a watch on that path around {moment} (kept on the host, rotated by size)"]


def _shared(dossier: Dossier, moment: str) -> list[str]:
    if dossier.account_kind in ("shared", "service") and len(dossier.origins) != 1:
        account = dossier.act.account if dossier.act else "the account"
        return [
            f"who stood behind {account} at {moment}: auditd (login ids through sudo), sudo's log, or the trigger's record on the host or forge it came from"
        ]
    return []


def _origin(dossier: Dossier, moment: str) -> list[str]:
    wanted = []
    for origin in dossier.origins:
        if not origin.devices:
            where = origin.addresses[-1] if origin.addresses else "the address it came from"
            wanted.append(f"which device had {where} at {moment}: DHCP leases, VPN sessions, or the sshd log of the host in between")
        elif not any(d.owners for d in origin.devices):
            wanted.append(f"whose device {origin.devices[0].device} was at {moment}: the asset register")
    return wanted


def _person(policy: Policy, dossier: Dossier, moment: str, told: frozenset[str]) -> list[str]:
    """Return what would tell who sat there, the heaviest first, without what the records held already."""
    devices = sorted({d.device for o in dossier.origins for d in o.devices})
    on = f" on {', '.join(devices)}" if devices else ""
    # (kinds of items, the usual tier of such records, how well it fits whom it names and others, the record)
    wished = (
        ({"device_command", "device_session", "device_locked"}, "T4", "almost certain", "very unlikely", f"logons and commands{on} at {moment} (endpoint sensor, kept 7 to 90 days; else the device itself)"),
        ({"sign_on", "device_sign_on"}, "T3", "almost certain", "very unlikely", f"the sign-on with a second factor nearest to {moment} (identity provider's log, kept 90 days by most)"),
        ({"presence", "elsewhere", "meeting"}, "T3", "likely", "even", f"who was in the building at {moment} (badge system)"),
    )  # fmt: skip
    open_ = [(gain(policy, tier, likely, unlikely), text) for kinds, tier, likely, unlikely, text in wished if not kinds & told]
    return [text for _, text in sorted(open_, key=lambda o: -o[0])]
