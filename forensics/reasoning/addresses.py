"""Who and what else the records show at an address."""

from forensics.reasoning.act import Act
from forensics.reasoning.world import World


def of_devices(world: World, addresses: set[str]) -> list[str]:
    """Return those addresses that some record gives to a device: a host on the internet is tried from thousands of others."""
    q = "SELECT DISTINCT ip FROM acts WHERE device IS NOT NULL AND list_contains($ip, ip) ORDER BY ip"
    return [r["ip"] for r in world.tables.rows(q, ip=sorted(addresses))] if addresses else []


def at_another_address(world: World, device: str, ip: str, moment: int) -> bool:
    """Tell whether the records of that part of the day show a device at other addresses alone, and the address in question is not one that several people act from."""
    rows = world.acts(
        "device = $d AND ip IS NOT NULL AND time BETWEEN $low AND $high AND outcome = 'ok'",
        d=device, low=moment - world.policy.windows["session"], high=moment + world.policy.windows["same_act"],
    )  # fmt: skip
    return bool(rows) and all(r["ip"] != ip for r in rows) and not common(world, ip)


def known_address(world: World, act: Act) -> bool:
    """Tell whether the act's address is one that several people's accounts acted from, or its holder's by another account or on another occasion: one seen this once may be anybody's who has the credential."""
    rows = world.acts("ip = $ip AND actor IS NOT NULL", ip=act.ip)
    behind = set(world.known.last_holders(act.account, act.time[0]))
    far = world.policy.windows["session"]
    return common(world, str(act.ip)) or any(
        (r["actor"] != act.account or abs(r["time"] - act.time[0]) > far) and behind & set(world.known.last_holders(r["actor"], r["time"]))
        for r in rows
    )


def alone_there(world: World, act: Act, device: str) -> bool:
    """Tell whether sign-ons of that part of the day show a device at the act's address, and the act itself apart nobody else's account or device ever was there."""
    if not act.ip:
        return False
    rows = world.acts(
        "ip = $ip AND time IS NOT NULL AND outcome = 'ok' AND NOT list_contains($mine, event)", ip=act.ip, mine=list(act.events)
    )
    span = world.policy.windows["session"]
    owners = set(world.known.holders(device, act.time[0]))
    others = {p for r in rows for who in (r["actor"], r["device"]) if who for p in world.known.last_holders(who, r["time"])} - owners
    strangers = any(r["device"] and not world.known.last_holders(r["device"], r["time"]) for r in rows)
    there = any(r["device"] == device and r["action"].startswith("session.") and abs(r["time"] - act.time[0]) <= span for r in rows)
    return there and not others and not strangers


def common(world: World, ip: str) -> bool:
    """Tell whether accounts of several people acted from an address."""
    rows = world.acts("ip = $ip AND actor IS NOT NULL", ip=ip)
    return (
        len({p for r in rows if world.known.kind(r["actor"], r["time"]) == "personal" for p in world.known.holders(r["actor"], r["time"])})
        > 1
    )
