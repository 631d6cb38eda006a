"""18. A host's clock, or the forge's, is wrong: by minutes, hours or months, in a step, or drifting."""

from making.hosts import write_file

from tests.incidents.lab import forge as forges
from tests.incidents.lab.clock import HOUR, WrongClock
from tests.incidents.plots.scenes import Bad, Desk, code_cause, desk, forge_account, not_flags, write_commit, yardsticks
from tests.incidents.plots.story import Plot, Story, Variant
from tests.incidents.truth import Answer

FAR = {"hours": (2.3, 30.0), "months": (24 * 20.0, 24 * 200.0), "no-anchors": (30.0, 24 * 40.0)}


def plant(story: Story) -> None:
    """Logins to the host stand in two clocks: the host's own, and the jump host's, the laptop sensor's, or the log host's. So its offset
    can be told, and with it the lease and the command that belong to the login: person. `small` and `drift` change no order.

    `forge`: the forge is off; pulls stand in the hosts' clocks too, and pushes in the sensors'. In `no-anchors` nothing else recorded
    the host's logins: the login key that sshd shows is registered, and the rest cannot be set in time: session.
    """
    lab, rng = story.lab, story.rng
    actor = story.pick()
    at_forge = story.variant == "forge"
    spot, bad = desk(story, actor), Bad()
    lab.kept = at_forge  # the write stands in the host's own log alone: who keeps it could have added it
    host = lab.login_host()
    file = f"{lab.share}/envs/stable/lib/python3.11/site-packages/gradkit/core.py"
    low, high = FAR.get(story.variant, (1.2, 40.0))
    ahead = rng.choice((-1, 1)) * round(3600 * rng.uniform(low, high), 1)

    def act() -> None:
        if at_forge:
            sha = write_commit(story, bad, spot.when, forges.signature(actor), actor)
            lab.push(spot.there, actor, lab.forge.branch, sha, spot.when)
            return
        session = lab.ssh(spot.there, host, spot.when - 400, min(spot.when + 900, spot.there.end - 20))
        write_file(session, spot.when, ["vim", file], f"/home/{actor.login}", file)

    def plan() -> None:
        spot.settle()
        set_clocks(story, host, ahead, spot.when)
        lab.at(spot.when if at_forge else spot.when - 500, act)
        known = {
            "forge": ("forge", "forge-shell", "forge-audit"),
            "hours": (f"auth:{host}", f"audit:{host}"),
            "months": (f"auth:{host}", f"audit:{host}"),
        }
        story.clocks = dict.fromkeys(known.get(story.variant, ()), ahead)

    story.plan(plan)
    story.tell(lambda: _tell(story, spot, bad, file))


def _tell(story: Story, spot: Desk, bad: Bad, file: str) -> None:
    lab, actor, at_forge = story.lab, spot.person, story.variant == "forge"
    flags = () if story.variant in ("small", "drift", "no-anchors") else ("clock-offset",)
    object_ = lab.forge.ref(bad.sha) if at_forge else f"file://{file}"
    account = forge_account(story, actor) if at_forge else f"unix:{actor.login}"
    if story.twin:
        answer = Answer(
            object_,
            actor.id,
            None,
            "session",
            "own-account",
            account,
            ["unknown"],
            [],
            story.everyone(spot.when),
            [],
            not_flags(maybe=("clock-offset", "impossible-overlap", "after-departure")),
        )
    else:
        answer = Answer(
            object_, actor.id, actor.id, "person", "own-account", account, ["defect"], [], [actor.id], list(flags), not_flags(*flags)
        )
    q = story.ask(object_, spot.when, answer)
    if at_forge:
        story.causes.append(code_cause(story, q, bad))
    yardsticks(story, q, **({"author": actor, "committer": actor, "pusher": actor} if at_forge else {"process": actor}))
    story.say(actor.id, "At the hour that the log gives, I was not there.", "not-me", q, "not resolved" if story.twin else "contradicted")


def set_clocks(story: Story, host: str, ahead: float, when: int) -> None:
    """Put a clock wrong, in the way of the variant."""
    lab, rng = story.lab, story.rng
    either = rng.choice((-1, 1))
    wrong = {
        "small": WrongClock(either * round(rng.uniform(15, 50), 1)),
        "drift": WrongClock(drift=either * rng.uniform(2, 6), since=lab.begin),
        "step": WrongClock(ahead, step_at=when - rng.randrange(20, 60) * HOUR),
    }
    lab.clocks["forge" if story.variant == "forge" else host] = wrong.get(story.variant, WrongClock(ahead))


HOST = {"auditd": True, "auth": True, "style": "iso", "logins": 1, "loghost": True}
PLOT = Plot(
    18, "wrong-clock",
    {"small": Variant(needs=HOST), "hours": Variant(needs=HOST), "months": Variant(needs=HOST), "step": Variant(needs=HOST), "drift": Variant(needs=HOST), "forge": Variant(needs={"auditd": True, "auth": True}),
     "no-anchors": Variant(True, {**HOST, "loghost": False, "bastion": False, "edr": False, "okta": False, "meetings": False, "badge": False})},
    plant,
)  # fmt: skip
