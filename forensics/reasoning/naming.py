"""How far one weighing carries: the session, the person, who stays a candidate, and the mechanism (method, The ladder)."""

from math import log

from forensics.indicator import Hypothesis
from forensics.model import Mechanism
from forensics.reasoning.attended import by_itself
from forensics.reasoning.code import hides
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.hypotheses import behind
from forensics.reasoning.planted import several_writes
from forensics.reasoning.review import handling
from forensics.reasoning.statements import NO_DEFECT
from forensics.reasoning.weighing import Ratio, Weighed, item_log
from forensics.reasoning.world import World

Rivals = tuple[tuple[Hypothesis, Ratio], ...]
"""the hypotheses of other people than the leading one, each with the ratio of the leading one against it"""


def session_of(view: World, dossier: Dossier, weighed: list[Weighed], rivals: Rivals) -> Weighed | None:
    """Return the item that establishes a session from a known device or credential, where there is one.

    Records that one of their keepers may have made up, for all that other records say, establish none.
    """
    if len(dossier.origins) != 1:
        return None
    open_forgers = {h.person for h, r in rivals if h.mechanism is Mechanism.FORGED_RECORD and r.low < view.policy.lowest}
    weighed = [w for w in weighed if not w.controllers & open_forgers]
    return next(
        (
            w
            for w in weighed
            if w.item.rung == "session" and w.item.kind in ("origin_device", "device_command", "host_command", "credential", "origin_login")
        ),
        None,
    )


LEVEL = "the records fit two people equally well"
"""why nobody is set apart where no hypothesis leads"""
NOBODY = "the registers show nobody who could have done it"
"""why nobody is set apart where there is no hypothesis"""


def falls_short(view: World, weighed: list[Weighed], best: Hypothesis, rivals: Rivals) -> str:
    """Say why the records do not carry to a person (method, The ladder); empty where they do: two independent groups, and every alternative clearly less supported."""
    nearest, needed = nearest_of(rivals), view.policy.lowest
    if nearest is None:
        return "the registers show nobody else whom that person could be compared with"
    worst = min(r.low for _, r in rivals)
    if worst < needed:
        return f"the records do not set one person apart: the weakest comparison is {worst:.2g}, and {needed:g} is needed"
    if any(min(r.left_out_low, r.dropped_low) < view.policy.left_out for _, r in rivals):
        return "the records set one person apart only with one group or source of theirs: without it they point another way"
    least = {"session": 0.0, "person": log(view.policy.person)}
    speaking = {
        rung: {w.group for w in weighed if w.item.rung == rung and item_log(view, w, best, nearest) > least[rung]} for rung in least
    }
    from_device = any(
        w.item.kind in ("origin_device", "device_command") and w.item.rung == "session" and item_log(view, w, best, nearest) > 0
        for w in weighed
    )
    if not from_device:
        return "no record leads back to a device that this person uses and others do not"
    if locked(weighed):
        return "the device was locked when a program made the change on it: no record shows anybody at it"
    if not (speaking["person"] - speaking["session"] or _in_hand(view, weighed, best, nearest, speaking["session"])):
        return "nothing independent of what shows the session shows whose hands it was in"
    return ""


def locked(weighed: list[Weighed]) -> bool:
    """Tell whether a program made the change on a device that had been locked for longer than a break: somebody had set it up, or reached it from afar."""
    return any(w.item.kind == "device_locked" for w in weighed)


def _in_hand(view: World, weighed: list[Weighed], best: Hypothesis, nearest: Hypothesis, session: set[str]) -> bool:
    """Tell whether one sensor's word on the device and on who opened it stands beside another log's word on the session.

    A device that was opened on the spot was in a hand; a sign-on from it may be a saved password's.
    """
    opened = {w.group for w in weighed if w.item.kind == "device_session" and item_log(view, w, best, nearest) > log(view.policy.person)}
    return any(s != p for s in session for p in opened)


_OF_HANDS = frozenset(
    (
        "presence",
        "elsewhere",
        "remote_session",
        "handed_over",
        "together",
        "device_session",
        "device_command",
        "device_sign_on",
        "sign_on",
        "address_use",
        "host_command",
        "origin_device",
    )
)
"""indicators of where somebody's hands were; whose the account or the key is, and who sat in a meeting with a laptop, does not tell"""
OF_PRESENCE = frozenset(("presence", "elsewhere", "remote_session", "handed_over", "together", "device_session", "device_sign_on"))
"""those of them that leave open that the session is the one it seems, in somebody else's hands"""
_POOR = ("unlikely", "very unlikely")


def contrary_to(view: World, weighed: list[Weighed], best: Hypothesis, rivals: Rivals) -> Weighed | None:
    """Return a record of that moment that speaks against the leading person's own hands, and better fits somebody else's: with one, nobody is named.

    However much else fits a person: of two records that contradict each other one is wrong, or something happened that no hypothesis tells of, such
    as somebody at another's open laptop, or a log rewritten by a keeper whom nobody declared.
    """
    return next(
        (
            w
            for w in weighed
            if w.item.kind in _OF_HANDS
            and w.item.expect.get(best, w.item.otherwise) in _POOR
            and any(item_log(view, w, best, h) < 0 for h, _ in rivals)
        ),
        None,
    )


def candidates_of(view: World, best: Hypothesis | None, rivals: Rivals, session: Weighed | None) -> tuple[str, ...]:
    """Return everybody whom the records do not exclude: whom the leading hypothesis does not outweigh at the low end.

    Without a session nobody is excluded: an account is not a person. A name too few is as wrong as a wrong name: to leave
    somebody out takes more than to be ahead of him, and not one group alone.
    """
    need, alone = view.policy.excluded, view.policy.lowest
    found = {h.person for h, r in rivals if session is None or r.low < need or r.left_out_low < alone}
    return tuple(sorted(found | ({best.person} if best else set())))


def at_the_device(view: World, dossier: Dossier, weighed: list[Weighed]) -> set[str]:
    """Return whose accounts ran the commands that led to the act, who shares its device, and whose processes ran on it that part of the day: whatever else speaks, they stay candidates."""
    commands = sorted({e for w in weighed if w.item.kind in ("device_command", "host_command") for e in w.item.refs})
    rows = view.acts("list_contains($e, event) AND actor IS NOT NULL", e=commands) if commands else []
    ran = {p for r in rows if view.known.kind(r["actor"], r["time"]) == "personal" for p in view.known.last_holders(r["actor"], r["time"])}
    for origin in dossier.origins:
        there = view.acts(
            "starts_with(action, 'device.process') AND list_contains($d, device) AND actor IS NOT NULL AND time BETWEEN $low AND $t",
            d=[d.device for d in origin.devices if d.owners], low=origin.moment - view.policy.windows["session"], t=origin.time,
        )  # fmt: skip
        own = [r for r in there if view.known.kind(r["actor"], r["time"]) == "personal"]
        ran |= {p for r in own for p in view.known.holders(r["actor"], r["time"])}
    return ran | {p for o in dossier.origins for d in o.devices if len(d.owners) > 1 for p in d.owners}


def nearest_of(rivals: Rivals) -> Hypothesis | None:
    """Return the best-supported alternative of another person."""
    return min(rivals, key=lambda o: (o[1].low, o[0]))[0] if rivals else None


def mechanism_of(view: World, dossier: Dossier, h: Hypothesis, flags: frozenset[str] = frozenset()) -> Mechanism:
    """Return the mechanism of a named hypothesis: who wrote an object with hidden code acts through whoever loads it."""
    if h.mechanism is Mechanism.OWN_ACCOUNT and _honest(view, dossier, flags):
        return Mechanism.DEFECT
    if h.mechanism is Mechanism.CREDENTIAL_MISUSE and not behind(dossier):
        return Mechanism.UNKNOWN  # whose the account is, nobody knows: it may be his own
    if dossier.aside:
        return Mechanism.FORGED_RECORD  # a record named somebody else, and a copy out of its keeper's reach does not
    sure = dossier.code and not several_writes(view, dossier.objects[0], dossier.code)
    return Mechanism.DEPUTY if sure and h.mechanism in (Mechanism.OWN_ACCOUNT, Mechanism.SHARED_IDENTITY) else h.mechanism


def _honest(view: World, dossier: Dossier, flags: frozenset[str]) -> bool:
    """Tell whether the change bears the marks of an honest mistake, as the statement `defect` asks for them (reviewed by somebody else, taken back, nothing hidden), and that its maker took it back.

    That others took it back leaves open what its maker meant: the mechanism is then how he acted, which the statement does not ask.
    """
    done = handling(view, dossier)
    return bool(done.reviews and done.taken_back and done.by_maker) and not (NO_DEFECT & flags or dossier.code or hides(view, dossier))


def _by_run(view: World, dossier: Dossier) -> bool:
    """Tell whether a robot's act falls into a run that a timetable began: in jobs that another robot made, or on the commit that a run of nobody's had, which ended then."""
    act = dossier.act
    if act is None:
        return False
    jobs = view.acts("action = 'job.launch' AND list_contains($j, object)", j=list(dossier.in_jobs))
    if jobs:
        return all(r["attrs"].get("set_by") or view.known.kind(r["actor"], r["time"]) == "service" for r in jobs)
    near = view.policy.windows["same_act"]
    ended = view.acts(
        "action = 'automation.end' AND list_contains($s, session) AND time BETWEEN $low AND $high",
        s=sorted({str(r["prior"]).partition("@")[2] for r in act.rows if r["prior"]}), low=act.time[0] - near, high=act.time[1] + 5 * near,
    )  # fmt: skip
    begun = view.acts(
        "starts_with(action, 'automation.trigger') AND list_contains($o, object) AND actor IS NOT NULL", o=[r["object"] for r in ended]
    )
    return bool(ended) and all(r["actor"] in (None, act.account) for r in ended) and not begun


def mechanism_below(view: World, dossier: Dossier, rivals: Rivals, best: Hypothesis | None) -> Mechanism:
    """Return the mechanism below rung person: only what holds whoever it was."""
    if dossier.account_kind == "shared":
        return Mechanism.SHARED_IDENTITY
    if dossier.account_kind == "service":
        own = dossier.act is not None and len(view.known.last_holders(dossier.act.account, dossier.act.time[0])) == 1
        robot = by_itself(view, dossier) or any(o.manner == "automation" for o in dossier.origins) or (own and _by_run(view, dossier))
        return Mechanism.AUTOMATION if robot else Mechanism.SHARED_IDENTITY
    if best is None or not behind(dossier):
        return Mechanism.UNKNOWN
    open_to = {h.mechanism for h, r in rivals if r.low < view.policy.lowest} | {best.mechanism}
    holders = set(behind(dossier))
    excluded = all(r.low >= view.policy.lowest for h, r in rivals if h.person in holders)
    if open_to == {Mechanism.CREDENTIAL_MISUSE} and excluded:
        return Mechanism.CREDENTIAL_MISUSE
    return Mechanism.UNKNOWN
