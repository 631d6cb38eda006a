"""A change that came to a branch past its own rule or habit: others' come by requests that somebody else accepts, and this one came straight."""

from dataclasses import dataclass

from forensics import times
from forensics.reasoning.act import Row
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.landed import MERGES
from forensics.reasoning.review import handling
from forensics.reasoning.world import World

_FEW = 8
"""changes of a branch before, from which on it has a habit"""
_HABIT = 0.8
"""share of them that came by a request"""
_NEAR = 10 * times.SECOND
"""by how much a forge's record of a merge, or of a rule set aside, may lie apart from that of the push"""


@dataclass(frozen=True, slots=True)
class Unreviewed:
    """That a change was not reviewed as others of its branch are, and the records that show it."""

    says: str
    refs: tuple[int, ...]


def unreviewed(world: World, dossier: Dossier) -> Unreviewed | None:
    """Tell whether a change was pushed straight to a branch that others' changes come to by way of requests; None where not, or where nothing shows a habit."""
    act = dossier.act
    if (
        act is None
        or act.kind != "code.push"
        or act.landed
        or dossier.account_kind == "service"
        or _merged(world, act.rows[0], world.policy.windows["same_act"])
    ):
        return None
    done = handling(world, dossier)
    if done.requests or done.reviews:
        return None
    branch = str(act.rows[0]["object"])
    waived = _waived(world, act.rows[0])
    if waived:
        return Unreviewed("the branch's rule that asks for a review was set aside for the push", (*act.events[:2], *waived))
    rows = world.acts(
        "action = 'code.push' AND object = $o AND outcome = 'ok' AND actor IS NOT NULL AND target IS NOT NULL AND time < $t", o=branch, t=act.time[0]
    )  # fmt: skip
    before = {r["target"]: r for r in rows if not _robots(world, r) or any(_by_another(world, m) for m in _merged(world, r, _NEAR))}
    by_request = [r for r in before.values() if any(_by_another(world, m) for m in _merged(world, r, _NEAR))]
    if len(before) < _FEW or len(by_request) < _HABIT * len(before):
        return None
    says = f"it was pushed straight to the branch, to which {len(by_request)} of the {len(before)} changes before came by requests that were accepted"
    return Unreviewed(says, (*act.events[:2], *(r["event"] for r in by_request[-3:])))


def _by_another(world: World, merge: Row) -> bool:
    """Tell whether somebody else than who asked for it looked at what was merged: the one who accepted it, or one who reviewed it; of a request that is not on record, nobody knows. A queue that merges what was accepted has not looked itself."""
    rows = world.acts(
        "action IN ('code.request', 'code.review') AND object = $o AND actor IS NOT NULL AND outcome = 'ok'", o=merge["object"]
    )
    asked = {r["actor"] for r in rows if r["action"] == "code.request"}
    looked = {r["actor"] for r in rows if r["action"] == "code.review"}
    if _robots(world, merge):
        return bool(asked and looked - asked)
    looked |= {merge["actor"]}
    return not asked or bool(looked - asked)


def _robots(world: World, row: Row) -> bool:
    return world.known.kind(row["actor"], row["time"]) == "service"


def _merged(world: World, row: Row, near: int) -> list[Row]:
    """Return the forge's records that a push was the accepting of a request."""
    if row["attrs"].get("action") in MERGES and not _robots(world, row):
        return [row]
    return world.acts(
        "action = 'code.merge' AND actor = $a AND outcome = 'ok' AND time BETWEEN $low AND $high", a=row["actor"], low=row["time"] - near, high=row["time"] + near
    )  # fmt: skip


def _waived(world: World, row: Row) -> tuple[int, ...]:
    """Return the records that a protected branch's rule was set aside then for that account.

    https://docs.github.com/en/organizations/keeping-your-organization-secure/managing-security-settings-for-your-organization/audit-log-events-for-your-organization#protected_branch
    """
    rows = world.tables.rows(
        "SELECT id FROM events WHERE action = 'log.message' AND actor = $a AND time BETWEEN $low AND $high AND contains(attrs, 'protected_branch.policy_override') ORDER BY id LIMIT 2",
        a=row["actor"], low=row["time"] - _NEAR, high=row["time"] + _NEAR,
    )  # fmt: skip
    return tuple(r["id"] for r in rows)
