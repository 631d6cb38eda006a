"""Which device had an address at a moment; nobody's, where two may have had it or the lease bears a borrowed name."""

import re
from dataclasses import dataclass, replace

from forensics.reasoning.act import Row
from forensics.reasoning.world import World

_OVER = (".disconnect", ".close", ".fail", ".release", ".expire", ".nak", ".decline")
_REFUSED = re.compile(r"fail|den[iy]|refus|reject|error|expired|invalid|revoked|blocked|nak|released", re.IGNORECASE)
_CLOCK = 5_000_000_000
"""nanoseconds that two logs' clocks may be apart without a word"""


@dataclass(frozen=True, slots=True)
class Device:
    """A device that may have had the address an act or login came from."""

    device: str
    owners: tuple[str, ...]
    """whose it was; empty where the records do not tell which of several devices had the address"""
    events: tuple[int, ...]
    sources: tuple[str, ...]
    by_session: bool
    """the lease is a sign-on of its own (VPN), not only an address given out"""
    lessee: str | None
    """account that the lease names"""
    by_command: bool = False
    """told by a command that ran on it at that moment, not by an address"""


def refused(row: Row) -> bool:
    """Tell whether a record says that what it tells of did not come about."""
    return bool(_REFUSED.search(str(row["outcome"] or "")))


def holding(world: World, ip: str, moments: tuple[int, ...], told_by: tuple[str, ...] = ()) -> tuple[Device, ...]:
    """Return the devices that may have had an address at any of these moments, as these sources tell them; with owners only where there is one device."""
    found: dict[str, Device] = {}
    measured = any(_set(world, s) for s in told_by) or not told_by
    for moment in moments:
        for row in _rows(world, ip, moment, measured=measured):
            found.setdefault(row["device"], _device(world, row, moment))
    if len(found) == 1:
        return tuple(found.values())
    return tuple(replace(d, owners=()) for _, d in sorted(found.items()))


def _device(world: World, row: Row, moment: int) -> Device:
    owners = () if _borrowed_name(world, row, moment) else world.known.holders(row["device"], moment)
    return Device(row["device"], owners, (row["event"],), (row["source"],), row["action"].startswith("session."), row["actor"])


_ALLOCATES = re.compile(r"session[.](vpn|proxy|tunnel|wifi|wlan|radius|dialin)\b")
"""sign-ons that give an address to a device; any other only saw it there"""


def _rows(world: World, ip: str, moment: int, *, measured: bool) -> list[Row]:
    """Return what may have tied the address to a device then: the last lease, every sign-on still open that gave it, and whatever saw it close by."""
    close, unset = (world.policy.windows[w] for w in ("same_act", "unset_clock"))
    rows = world.acts(
        "ip = $ip AND device IS NOT NULL AND time BETWEEN $low AND $high AND (starts_with(action, 'device.lease') OR starts_with(action, 'session.'))",
        ip=ip, low=moment - world.policy.windows["lease"], high=moment + unset,
    )  # fmt: skip
    begun = [r for r in rows if not r["action"].endswith(_OVER) and not refused(r)]
    leases = [r for r in begun if r["action"].startswith("device.")]
    near = close if measured and all(_set(world, s) for s in {r["source"] for r in leases}) else unset
    in_force = [r for r in leases if r["time"] <= moment - near][-1:] + [r for r in leases if moment - near < r["time"] <= moment + near]
    found = [r for r in still_open(world, in_force, moment - (near if near > close else 0)) if not _moved(world, r, moment)]
    signed_on = [r for r in begun if r["action"].startswith("session.") and r["time"] <= moment + close]
    signed_on = [r for r in signed_on if _ALLOCATES.match(r["action"]) or r["time"] >= moment - close]
    found += [r for r in still_open(world, signed_on, moment) if not _moved(world, r, moment)]
    if any(_only_seen(r) for r in found) and _way_out(world, ip):
        found = [r for r in found if not _only_seen(r)]
    return [r for r in found if r["time"] <= moment + _CLOCK or len(found) > 1]


def _set(world: World, source: str) -> bool:
    """Tell whether a log's clock was compared with others to the second or so: else a lease given shortly before or after may have been given after or before."""
    rows = world.tables.rows("SELECT 1 AS x FROM clocks WHERE (source = $s AND how <> 'loose') OR reference = $s LIMIT 1", s=source)
    return bool(rows)


def _only_seen(row: Row) -> bool:
    """Tell whether a record saw a device at an address and did not give it that address."""
    return bool(row["action"].startswith("session.") and not _ALLOCATES.match(row["action"]))


def _way_out(world: World, ip: str) -> bool:
    """Tell whether sign-ons saw devices of several people at an address: a gateway's, at which one that signs on just then is one of many."""
    rows = world.acts("ip = $ip AND device IS NOT NULL AND starts_with(action, 'session.')", ip=ip)
    return len({p for r in rows if _only_seen(r) for p in world.known.holders(r["device"], r["time"])}) > 1


def open_sessions(world: World, condition: str, moment: int, window: int, **parameters: object) -> list[Row]:
    """Return the sessions of which a condition holds that began within a window before the moment and that no record ends before it."""
    rows = world.acts(
        f"starts_with(action, 'session.') AND ({condition}) AND time BETWEEN $low AND $t", low=moment - window, t=moment, **parameters
    )
    return still_open(world, [r for r in rows if not r["action"].endswith(_OVER) and not refused(r)], moment)


def gives_address(row: Row) -> bool:
    """Tell whether a sign-on gives an address to a device, as a VPN does: it lasts until it is closed."""
    return bool(_ALLOCATES.match(row["action"]))


def still_open(world: World, begun: list[Row], moment: int) -> list[Row]:
    """Return those leases and sessions that no record ends before the moment."""
    ended = _endings(world, begun, moment)
    return [r for r in begun if not any(_ends(e, r) for e in ended)]


def _endings(world: World, begun: list[Row], moment: int) -> list[Row]:
    """Return what may have ended these before the moment; such records seldom repeat all that the beginning told."""
    if not begun:
        return []
    rows = world.acts(
        "time >= $low AND coalesce(time_hi, time) <= $t AND regexp_matches(action, '^(device[.]lease|session[.]).*[.](disconnect|close|fail|release|expire|nak|decline)$') AND (list_contains($ip, ip) OR list_contains($s, session) OR list_contains($d, device) OR list_contains($o, object))",
        low=min(r["time"] for r in begun), t=moment - 1, **{k: sorted({r[c] for r in begun if r[c]}) for k, c in (("ip", "ip"), ("s", "session"), ("d", "device"), ("o", "object"))},
    )  # fmt: skip
    return [r for r in rows if not refused(r)]


def _ends(end: Row, begun: Row) -> bool:
    """Tell whether a record ends a lease or sign-on: by its session, where both bear one; else by device, or user and address."""
    if end["time"] < begun["time"] or end["action"].partition(".")[0] != begun["action"].partition(".")[0]:
        return False
    if end["session"] and begun["session"]:
        return bool(end["session"] == begun["session"])
    if end["device"]:
        return bool(end["device"] == begun["device"]) and end["ip"] in (None, begun["ip"])
    if begun["ip"] is None:
        return bool(end["object"] == begun["object"] and end["actor"] in (None, begun["actor"]))
    return bool(end["ip"] == begun["ip"] and end["actor"] in (None, begun["actor"]))


def _moved(world: World, row: Row, moment: int) -> bool:
    """Tell whether the device was given another address of the same kind since: a lease on the same network card, a sign-on of the same sort."""
    kind = "device.lease" if row["action"].startswith("device.lease") else ".".join(row["action"].split(".")[:2]) + "."
    rows = world.tables.rows(
        """
        SELECT 1 AS x FROM acts WHERE device = $d AND starts_with(action, $k) AND ip <> $ip AND time > $low AND time < $t AND outcome = 'ok'
          AND NOT regexp_matches(action, '[.](disconnect|close|fail|release|expire|nak|decline)$')
          AND (object IS NOT DISTINCT FROM $o OR NOT starts_with(coalesce(object, ''), 'mac:') OR $o IS NULL) LIMIT 1
        """,
        d=row["device"], k=kind, ip=row["ip"], low=row["time"], t=moment, o=row["object"],
    )  # fmt: skip
    return bool(rows)


_CHOSEN = re.compile(r"mac:[0-9a-f][26ae]", re.IGNORECASE)
"""a network card's address that was not its maker's but chosen by the system, a new one for each network or day (IEEE 802, the local bit)"""


def _borrowed_name(world: World, row: Row, moment: int) -> bool:
    """Tell whether a lease may bear a device's name without being that device: anybody can choose a host name.

    So it is where the network card is registered to others, is not the one that this name mostly comes with, or
    where the same name had another address at about that time.
    """
    card = str(row["object"] or "")
    if not row["action"].startswith("device.lease"):
        return False
    if world.known.holders(card, row["time"]):
        return world.known.holders(card, row["time"]) != world.known.holders(row["device"], row["time"])
    if not card.startswith("mac:") or _CHOSEN.match(card):
        return _elsewhere(world, row, moment)
    cards = world.tables.rows(
        "SELECT object, count(*) AS n FROM acts WHERE device = $d AND starts_with(object, 'mac:') GROUP BY object ORDER BY n DESC, object LIMIT 2",
        d=row["device"],
    )
    return cards[0]["object"] != card or (len(cards) > 1 and cards[1]["n"] == cards[0]["n"])


def _elsewhere(world: World, row: Row, moment: int) -> bool:
    """Tell whether that name had another address about when the lease was given, or a sign-on that gave it one was open at the moment."""
    near = 20 * world.policy.windows["command"]
    rows = world.tables.rows(
        "SELECT 1 AS x FROM acts WHERE device = $d AND starts_with(action, 'device.lease') AND ip <> $ip AND time BETWEEN $low AND $high LIMIT 1",
        d=row["device"], ip=row["ip"], low=row["time"] - near, high=row["time"] + near,
    )  # fmt: skip
    if rows:
        return True
    signed_on = world.acts(
        "device = $d AND ip <> $ip AND starts_with(action, 'session.') AND time BETWEEN $low AND $t",
        d=row["device"], ip=row["ip"], low=moment - world.policy.windows["lease"], t=moment,
    )  # fmt: skip
    begun = [r for r in signed_on if gives_address(r) and not r["action"].endswith(_OVER) and not refused(r)]
    return bool(still_open(world, begun, moment))
