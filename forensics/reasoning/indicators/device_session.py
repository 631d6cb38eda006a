"""Whether the device that the act came from was unlocked by somebody's own login, or locked, at that moment."""

from collections.abc import Iterator

from forensics.indicator import Hypothesis, Indicator, Item
from forensics.model import Mechanism
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.world import World


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    if len(dossier.origins) != 1:
        return
    origin = dossier.origins[0]
    moment = origin.login_time if origin.login_time is not None else origin.time
    for device in dict.fromkeys(d.device for d in origin.devices):
        rows = world.acts(
            "device = $d AND regexp_matches(action, '^device[.](logon|logoff|lock|unlock)') AND time BETWEEN $low AND $t",
            d=device, low=moment - world.policy.windows["presence"], t=moment,
        )  # fmt: skip
        if not rows:
            continue
        last = rows[-1]
        people = set(world.known.holders(last["actor"], last["time"]))
        if last["action"].startswith(("device.logon", "device.unlock")) and people:
            expect = {
                h: "almost certain" if h.person in people else "unlikely"
                for h in hypotheses
                if h.mechanism not in (Mechanism.FORGED_RECORD, Mechanism.DEPUTY)
            }
            says = f"{device} had been opened by {last['actor']} and not locked since"
        else:
            owners = set(world.known.holders(device, moment))
            expect = {h: "unlikely" for h in hypotheses if h.person in owners and h.mechanism is not Mechanism.FORGED_RECORD}
            says = f"{device} was locked or logged off at that moment"
        yield Item("device_session", says, (last["source"],), (last["event"],), "person", expect)


INDICATOR = Indicator(
    name="device_session",
    why="a device that its owner had opened with a password or finger was most likely in that hand; a locked one was in nobody's",
    errs="a colleague may use a device that was left open; a locked device still runs what was started before, and obeys from afar",
    find=_find,
)
