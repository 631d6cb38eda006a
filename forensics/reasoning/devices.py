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


def holding(world: World, ip: str, moments: tuple[int, ...]) -> tuple[Device, ...]:
    """Return the devices that may have had an address at any of these moments; with owners only where there is one device."""
    found: dict[str, Device] = {}
    for moment in moments:
        for row in _rows(world, ip, moment):
            found.setdefault(row["device"], _device(world, row))
    if len(found) == 1:
        return tuple(found.values())
    return tuple(replace(d, owners=()) for _, d in sorted(found.items()))


def _device(world: World, row: Row) -> Device:
    owners = () if _borrowed_name(world, row) else world.known.holders(row["device"], row["time"])
    return Device(row["device"], owners, (row["event"],), (row["source"],), row["action"].startswith("session."), row["actor"])


def _rows(world: World, ip: str, moment: int) -> list[Row]:
    """Return the leases and sign-ons that may have been in force: the last lease, every sign-on still open, and whatever began close by."""
    close = world.policy.windows["same_act"]
    rows = world.acts(
        "ip = $ip AND device IS NOT NULL AND time BETWEEN $low AND $high AND (starts_with(action, 'device.lease') OR starts_with(action, 'session.'))",
        ip=ip, low=moment - world.policy.windows["lease"], high=moment + close,
    )  # fmt: skip
    begun = [r for r in rows if not r["action"].endswith(_OVER) and not refused(r)]
    ended = [r for r in rows if r["action"].endswith(_OVER) and not refused(r)]
    leases = [r for r in begun if r["action"].startswith("device.")]
    in_force = [r for r in leases if r["time"] <= moment - close][-1:] + [r for r in leases if r["time"] > moment - close]
    in_force += [r for r in begun if r["action"].startswith("session.")]
    found = [r for r in in_force if not _over(r, ended, moment)]
    return [r for r in found if r["time"] <= moment + _CLOCK or len(found) > 1]


def _over(row: Row, ended: list[Row], moment: int) -> bool:
    """Tell whether a lease or sign-on had ended before the moment."""
    return any(row["time"] <= e["time"] < moment and e["device"] == row["device"] and e["session"] == row["session"] for e in ended)


def _borrowed_name(world: World, row: Row) -> bool:
    """Tell whether a lease may bear a device's name without being that device: anybody can choose a host name.

    So it is where the network card is registered to others, is not the one that this name mostly comes with, or
    where the same name was given another address at about that time.
    """
    card = str(row["object"] or "")
    if not row["action"].startswith("device.lease"):
        return False
    if world.known.holders(card, row["time"]):
        return world.known.holders(card, row["time"]) != world.known.holders(row["device"], row["time"])
    if not card.startswith("mac:"):
        return _elsewhere(world, row)
    cards = world.tables.rows(
        "SELECT object, count(*) AS n FROM acts WHERE device = $d AND starts_with(object, 'mac:') GROUP BY object ORDER BY n DESC, object LIMIT 2",
        d=row["device"],
    )
    return cards[0]["object"] != card or (len(cards) > 1 and cards[1]["n"] == cards[0]["n"])


def _elsewhere(world: World, row: Row) -> bool:
    near = world.policy.windows["command"]
    rows = world.tables.rows(
        "SELECT 1 AS x FROM acts WHERE device = $d AND starts_with(action, 'device.lease') AND ip <> $ip AND time BETWEEN $low AND $high LIMIT 1",
        d=row["device"], ip=row["ip"], low=row["time"] - 20 * near, high=row["time"] + 20 * near,
    )  # fmt: skip
    return bool(rows)
