"""The account that assumed a role, and keys that are no person's own."""

from dataclasses import replace

from forensics.reasoning.act import Act, Row
from forensics.reasoning.world import World


def assumed(world: World, act: Act) -> Act:
    """Return the act with the account that assumed its role, where the registers know nobody of the role itself.

    The key that was issued tells which call of it the act came out of. Anybody may give a session the same name: without that key, only where one
    account alone opened sessions of that name within a session's length, and none of these is known to have been issued another key.
    """
    if not act.session or world.known.kind(act.account, act.time[0]):
        return act
    rows = world.acts(
        "action = 'session.role.open' AND session = $s AND time BETWEEN $low AND $t AND actor IS NOT NULL AND outcome = 'ok'",
        s=act.session, t=act.time[0], low=act.time[0] - world.policy.windows["session"],
    )  # fmt: skip
    keys = [r["attrs"].get("issued") for r in rows]
    if act.credential in keys and act.credential:
        rows = [r for r, key in zip(rows, keys, strict=True) if key == act.credential]
    elif act.credential and any(keys):
        return act
    if len({r["actor"] for r in rows}) != 1 or rows[-1]["actor"] == act.account:
        return act
    opened = _first(world, rows[-1])
    return replace(
        act, account=opened["actor"], rows=(*act.rows, opened), ip=act.ip or opened["ip"], credential=act.credential or opened["credential"]
    )


_CHAIN = 4
"""roles that are assumed out of one another"""


def _first(world: World, opened: Row) -> Row:
    """Follow a chain of roles back by the keys that were issued, to the account that assumed the first."""
    for _ in range(_CHAIN):
        if world.known.kind(opened["actor"], opened["time"]) or not opened["credential"]:
            break
        rows = world.acts(
            "action = 'session.role.open' AND outcome = 'ok' AND actor IS NOT NULL AND time BETWEEN $low AND $t",
            low=opened["time"] - world.policy.windows["session"], t=opened["time"],
        )  # fmt: skip
        before = [r for r in rows if r["attrs"].get("issued") == opened["credential"]]
        if not before:
            break
        opened = before[-1]
    return opened


def machine_key(act: Act) -> bool:
    """Tell whether the act came with a key or token of a machine, which the forge books under the name of whoever once created it."""
    return any("deploy-key" in str(r["credential"]) or str(r["attrs"].get("access") or "").startswith(_MACHINES) for r in act.rows)


_MACHINES = ("Deploy key", "GitHub App server-to-server")
"""https://docs.github.com/en/organizations/keeping-your-organization-secure/managing-security-settings-for-your-organization/identifying-audit-log-events-performed-by-an-access-token"""
