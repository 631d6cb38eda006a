"""Who was at the place that the act came from, and who was not."""

import re
from collections.abc import Iterator
from typing import Any

from forensics import times
from forensics.indicator import Hypothesis, Indicator, Item
from forensics.reasoning.act import Row
from forensics.reasoning.commands import leading_to
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.hypotheses import behind, expectations
from forensics.reasoning.origins import Origin
from forensics.reasoning.world import World

_EDGE, _END = r"(?<![a-z])", r"(?![a-z])"
_OUT = re.compile(
    rf"{_EDGE}(out|exit|egress|leave|leaves|left|leaving|departure|departed|ausgang|austritt|gehen|sortie|salida|uscita|saida|saída|wyjście|выход){_END}|离开|出|下班|退勤",
    re.IGNORECASE,
)
_IN = re.compile(
    rf"{_EDGE}(in|entry|enter|entered|entrance|ingress|arrival|arrived|eingang|eintritt|kommen|entrée|entree|entrada|ingresso|вход){_END}|进|入|上班|出勤",
    re.IGNORECASE,
)
_PASSED = re.compile(
    rf"^$|{_EDGE}(ok|granted|grant|allow|allowed|success|successful|valid|pass|passed|open|opened|accepted|true|yes){_END}|成功|通过",
    re.IGNORECASE,
)


def _way(row: Row) -> str:
    """Return `in`, `out` or `unknown`: by what the record says of the way, else by the reader's name; a reader that names no way was passed inward."""
    said, door = str(row["outcome"] or ""), str(row["object"] or "")
    if _IN.search(said) and not _OUT.search(said.replace("出勤", "")):
        return "in"
    if _OUT.search(said):
        return "out"
    if not _PASSED.search(said):
        return "unknown"
    return "out" if _OUT.search(door) else "in"


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    if len(dossier.origins) != 1:
        return
    origin = dossier.origins[0]
    if not any(not d.by_session and not d.by_command for d in origin.devices):
        yield from _outside(world, dossier, hypotheses)
        return
    owners = {p for d in origin.devices for p in d.owners}
    for person in sorted(owners | set(behind(dossier))):
        last = _last(world, person, origin.moment)
        left = _last(world, person, origin.time) if origin.time > origin.moment else None
        if left is not None and _way(left) == "out":
            last = left  # the login was made inside, and left open when its holder went
        if last is None:
            yield from _gone(world, dossier, hypotheses, person)
            continue
        if _way(last) == "unknown":
            continue
        here = _way(last) == "in"
        if here and _strange(world, origin, person, str(last["object"])):
            expect = expectations(world, dossier, hypotheses, [person], "unlikely", "even")
            says = f"{person} was at {last['object']} since {times.show(last['time'])}, where nobody else who passes is then on the network that the act came from"
            yield Item("presence", says, (last["source"],), (last["event"],), "person", expect)
            continue
        where = f"was at {last['object']}" if here else f"had left {last['object']}"
        expect = expectations(world, dossier, hypotheses, [person], "likely" if here else "very unlikely", "even")
        says = f"{person} {where} since {times.show(last['time'])}, and the act came from an address inside"
        yield Item("presence", says, (last["source"],), (last["event"],), "person", expect)
    yield from _others(world, dossier, hypotheses, owners | set(behind(dossier)))


def _gone(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...], person: str) -> Iterator[Item]:
    """Tell of somebody who left days before and has not come in since, by a system that others passed that day."""
    moment = dossier.origins[0].moment
    last = _last(world, person, moment, world.policy.windows["login"])
    if last is None or _way(last) != "out":
        return
    seen = world.acts(
        "starts_with(action, 'person.present') AND source = $s AND time BETWEEN $low AND $high",
        s=last["source"], low=moment - world.policy.windows["presence"], high=moment + world.policy.windows["presence"],
    )  # fmt: skip
    if seen:
        expect = expectations(world, dossier, hypotheses, [person], "unlikely", "even")
        says = f"{person} had left {last['object']} on {times.show(last['time'])} and no record shows a way back in, and the act came from an address inside"
        yield Item("presence", says, (last["source"],), (last["event"],), "person", expect)


def _outside(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    """Tell of somebody who was inside by his card (it had just passed a door; or that day, where cards are passed on the way out, too, and no command on the device led to the act) when his device acted over a sign-on from outside; not where people sign on so from inside, too."""
    origin = dossier.origins[0]
    devices = [d for d in origin.devices if d.by_session and d.owners]
    for person in sorted({p for d in devices for p in d.owners}):
        all_day = not _led(world, dossier) and _passes_out(world, person, origin.moment)
        last = _last(world, person, origin.moment, None if all_day else world.policy.windows["meeting"])
        if last is None or _way(last) != "in" or _from_inside(world, {d.events[0] for d in devices}):
            continue
        expect = expectations(world, dossier, hypotheses, [person], "unlikely", "even")
        says = f"{person} was at {last['object']} since {times.show(last['time'])}, and the act came over a sign-on from outside"
        yield Item("presence", says, (last["source"],), (last["event"],), "person", expect)


def _led(world: World, dossier: Dossier) -> bool:
    """Tell whether a command that leads to the act ran on the very device: then it was that device, and a door that somebody else held open says less."""
    origin, act = dossier.origins[0], dossier.act
    rows = (
        leading_to(world, origin.trigger or act, origin.moment, origin.hosts, reached=origin.login_time is not None, login=origin.account)
        if act
        else []
    )
    close = world.policy.windows["at_once"]
    return any(r["device"] in {d.device for d in origin.devices} and abs(r["time"] - origin.moment) <= close for r in rows)


def _passes_out(world: World, person: str, moment: int) -> bool:
    """Tell whether this person's cards are passed on the way out, too: on two other days or more, and on all of them the last passage was one; then whoever is in has not left."""
    cards = [i.identifier for i in world.known.by_person.get(person, ())]
    rows = world.acts("starts_with(action, 'person.present') AND list_contains($c, actor) AND time IS NOT NULL", c=cards)
    day = world.policy.windows["presence"]
    last = {r["time"] // times.DAY: _way(r) for r in rows if abs(r["time"] - moment) > day}
    return len(last) >= _DAYS and set(last.values()) == {"out"}


_DAYS = 2


def _from_inside(world: World, own: set[int]) -> bool:
    """Tell whether anybody else's sign-on of that kind was opened by somebody who was inside then."""
    cards = {i.identifier: p for p, held in world.known.by_person.items() for i in held if i.identifier.startswith("badge:")}
    passed = world.acts("starts_with(action, 'person.present') AND time IS NOT NULL")
    of: dict[str, list[Row]] = {}
    for r in passed:
        if r["actor"] in cards:
            of.setdefault(cards[r["actor"]], []).append(r)
    kinds = {r["action"] for r in world.acts("list_contains($e, event)", e=sorted(own))}
    for r in world.acts("list_contains($k, action) AND actor IS NOT NULL AND time IS NOT NULL", k=sorted(kinds)):
        for p in world.known.holders(r["actor"], r["time"]) if r["event"] not in own else ():
            before = [x for x in of.get(p, ()) if 0 <= r["time"] - x["time"] <= world.policy.windows["presence"]]
            if before and _way(before[-1]) == "in":
                return True
    return False


def _others(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...], told: set[str]) -> Iterator[Item]:
    """Tell who else had left that place. It weighs less than where it speaks for somebody: cards are passed by unseen at doors that others hold."""
    moment, day = dossier.origins[0].moment, world.policy.windows["presence"]
    cards = {i.identifier: p for p in {h.person for h in hypotheses} - told for i in world.known.by_person.get(p, ()) if i.live(moment)}
    rows = world.acts(
        "starts_with(action, 'person.present') AND list_contains($cards, actor) AND time BETWEEN $low AND $t",
        cards=sorted(cards), low=moment - day, t=moment,
    )  # fmt: skip
    last = {cards[r["actor"]]: r for r in rows}
    gone = {p: r for p, r in last.items() if _way(r) == "out"}
    if gone:
        expect = {h: w for h, w in expectations(world, dossier, hypotheses, gone, "unlikely", "even").items() if w == "unlikely"}
        says = f"{', '.join(sorted(gone))} had left by then, and the act came from an address inside"
        shown = sorted(gone.values(), key=lambda r: r["event"])
        yield Item("presence", says, tuple(sorted({r["source"] for r in shown})), tuple(r["event"] for r in shown), "person", expect)


def _last(world: World, person: str, moment: int, window: int | None = None) -> dict[str, Any] | None:
    """Return the person's last passage before that moment, within a working day where no other window is given."""
    cards = [i.identifier for i in world.known.by_person.get(person, ()) if i.live(moment)]
    rows = world.acts(
        "starts_with(action, 'person.present') AND list_contains($cards, actor) AND time BETWEEN $low AND $t",
        cards=cards, low=moment - (window or world.policy.windows["presence"]), t=moment,
    )  # fmt: skip
    return rows[-1] if rows else None


def _strange(world: World, origin: Origin, person: str, place: str) -> bool:
    """Tell whether the act's network is one where those who pass at other places, and never those who pass at this one, have their addresses.

    One person's address says nothing: a meeting room has a network of its own, in which people who passed several doors sit.
    """
    address = next((a for d in origin.devices if not d.by_session for a in origin.addresses), "")
    network = address.rpartition(".")[0]
    if network.count(".") != 2:
        return False
    leases = world.tables.rows(
        "SELECT DISTINCT device, time FROM acts WHERE starts_with(action, 'device.lease') AND starts_with(ip, $n) AND device IS NOT NULL AND time IS NOT NULL",
        n=f"{network}.",
    )
    given: dict[str, list[int]] = {}
    for r in leases:
        for owner in world.known.holders(r["device"], r["time"]):
            given.setdefault(owner, []).append(r["time"])
    cards = {i.identifier: p for p in given for i in world.known.by_person.get(p, ())}
    passed = world.tables.rows(
        "SELECT actor, object, time FROM acts WHERE starts_with(action, 'person.present') AND list_contains($c, actor) AND time IS NOT NULL", c=sorted(cards)
    )  # fmt: skip
    day = world.policy.windows["presence"]
    there: dict[str, set[str]] = {}
    """place -> who had an address of this network after passing there, but for the person's own passage of that day"""
    for r in passed:
        who = cards[r["actor"]]
        if (who != person or abs(r["time"] - origin.moment) > day) and any(0 <= t - r["time"] <= day for t in given[who]):
            there.setdefault(r["object"], set()).add(who)
    return place not in there and len(set().union(*there.values())) >= _SEVERAL


_SEVERAL = 2


INDICATOR = Indicator(
    name="presence",
    why="an office address needs somebody in the office; whoever had left was not there",
    errs="cards are lent and doors held open; the records do not say which office an address belongs to; a device left behind can be reached",
    find=_find,
)
