"""What somebody had a gateway do in his name (a notebook server, Hive, Hue): the gateway's own record of his session tells where he sat."""

from forensics.reasoning.act import Act, Row
from forensics.reasoning.devices import holding, still_open
from forensics.reasoning.world import World


def session_behind(world: World, act: Act) -> list[Row]:
    """Return the opening of the one session of the act's account that was open on the gateway that the act came through; none where that is not certain.

    The name node writes who signed on with Kerberos and for whom it acted: `mei (auth:PROXY) via jhub/hub1.example@REALM (auth:KERBEROS)`; a service's
    name bears its host. Whoever holds its key can act for everybody, from anywhere: so all that it did has to come from one address, which no device had.
    What was left running in a session of before may have done it as well: those of that part of the day have to come from one address, and none of the week from another's device.
    """
    said = act.rows[0]["attrs"]
    principal = str(said.get("via_principal") or "")
    service, _, host = principal.partition("@")[0].partition("/")
    if (said.get("auth"), said.get("via_auth")) != ("PROXY", "KERBEROS") or not host or act.account == f"unix:{service}":
        return []
    who = world.known.last_holders(act.account, act.time[0]) if world.known.kind(act.account, act.time[0]) == "personal" else ()
    rows = world.acts(
        "regexp_matches(action, '^session[.].*[.]open$') AND actor IS NOT NULL AND list_contains($h, lower(host)) AND time BETWEEN $low AND $t AND outcome = 'ok'",
        h=[host.lower(), host.lower().partition(".")[0]], low=act.time[0] - world.policy.windows["login"], t=act.time[0],
    )  # fmt: skip
    mine = [r for r in rows if r["actor"] == act.account or (who and world.known.last_holders(r["actor"], r["time"]) == who)]
    today = [r for r in mine if r["time"] >= act.time[0] - world.policy.windows["session"]]
    left = still_open(world, today, act.time[0])
    if len(left) != 1 or left[0]["ip"] is None or {r["ip"] for r in today} != {left[0]["ip"]} or not _of_the_gateway(world, act, principal):
        return []
    own = _owners(world, left[0])
    return left if all(_owners(world, r) <= own for r in mine) else []


def _owners(world: World, opened: Row) -> set[str]:
    return {p for d in holding(world, opened["ip"] or "", (opened["time"],)) for p in d.owners}


def _of_the_gateway(world: World, act: Act, principal: str) -> bool:
    """Tell whether the service acted for several accounts and from one address, the act's, which is no device's."""
    rows = world.tables.rows(
        "SELECT DISTINCT ip, actor FROM events WHERE contains(attrs, $p) AND json_extract_string(attrs, '$.via_principal') = $p AND outcome = 'ok'",
        p=principal,
    )
    leased = world.tables.rows("SELECT 1 AS x FROM acts WHERE ip = $ip AND device IS NOT NULL LIMIT 1", ip=act.ip)
    return {r["ip"] for r in rows} == {act.ip} and len({r["actor"] for r in rows}) > 1 and act.ip is not None and not leased
