"""12. A framework file in the environment that everybody's jobs use was edited on the shared mount."""

from making.hosts import write_file

from tests.incidents.lab.clock import HOUR
from tests.incidents.lab.cluster import Job
from tests.incidents.plots.scenes import desk, not_flags, yardsticks
from tests.incidents.plots.story import Cause, Plot, Story, Variant
from tests.incidents.truth import Answer


def plant(story: Story) -> None:
    """The host's audit log shows the write within a login; sshd, the lease and the laptop's sensor lead to the person.

    In `kept` the case says who looks after that host: any of them could have added the write to a login that was real: session.
    In the twin `unwatched` the write happened where no audit log is kept: the nightly check found the file changed, and nothing says by whom: change.
    """
    lab, rng = story.lab, story.rng
    actor = story.pick()
    unwatched, kept = story.variant == "unwatched", story.variant == "kept"
    lab.kept = unwatched
    spot = desk(story, actor)
    part = rng.choice(("nn/functional", "optim/fused", "distributed/c10", "amp/scaler"))
    env = f"{lab.share}/envs/{rng.choice(('stable', 'next'))}"
    file = f"{env}/lib/python3.11/site-packages/gradkit/{part}.py"
    host = lab.login_host(rng.randrange(lab.shape.logins))
    ended: dict[str, int] = {}

    def act() -> None:
        session = lab.ssh(spot.there, host, spot.when - 300, min(spot.when + 700, spot.there.end - 20))
        if not unwatched:
            write_file(
                session,
                spot.when,
                rng.choice((["vim", file], ["sed", "-i", "s/1.0/1.2/", file], ["cp", "patched.py", file])),
                f"/home/{actor.login}",
                file,
            )

    def plan() -> None:
        when = spot.settle().when
        lab.at(when - 400, act)
        ended["at"] = min(when + rng.randrange(60, 140) * HOUR, lab.end - 24 * HOUR)
        for day in lab.days:
            checked = lab.moment(day, 2.5)
            lab.checks.append(
                {
                    "time": checked,
                    "path": file,
                    "result": "ok" if checked < when or checked > ended["at"] else "mismatch",
                    "found": ("00" if checked < when else "ff") * 32,
                }
            )
            lab.checks.append(
                {"time": checked, "path": f"{env}/lib/python3.11/site-packages/gradkit/__init__.py", "result": "ok", "found": "11" * 32}
            )

    def direct(job: Job) -> bool:
        return job.env == env and spot.when <= job.start < ended["at"]

    def tell() -> None:
        if kept:
            keepers = sorted(p.id for p in story.lab.people if p.role == "infrastructure")
            lab.controllers |= dict.fromkeys((f"auth:{host}", f"audit:{host}"), keepers)
            answer = Answer(
                f"file://{file}",
                actor.id,
                actor.id if keepers == [actor.id] else None,
                "person" if keepers == [actor.id] else "session",
                "own-account",
                f"unix:{actor.login}",
                ["unknown", "deputy"],
                candidates=sorted({actor.id, *keepers}),
                not_flags=not_flags(),
            )
        elif unwatched:
            answer = Answer(
                f"file://{file}",
                actor.id,
                None,
                "change",
                "unknown",
                None,
                ["own-account"],
                candidates=story.everyone(spot.when),
                not_flags=not_flags(),
            )
        else:
            answer = Answer(
                f"file://{file}",
                actor.id,
                actor.id,
                "person",
                "own-account",
                f"unix:{actor.login}",
                ["deputy"],
                candidates=[actor.id],
                not_flags=not_flags(),
            )
        q = story.ask(answer.object, spot.when, answer)
        story.causes.append(Cause(q, lambda: f"file://{file}", lambda: [f"file://{file}", f"file://{host}{file}"], direct, lambda _: False))
        yardsticks(story, q, process=None)
        story.say(actor.id, "I only read in that folder.", "not-me", q, "not resolved" if story.twin else "contradicted")

    story.plan(plan)
    story.tell(tell)


PLOT = Plot(
    12, "edited-framework",
    {"audited": Variant(needs={"auditd": True, "auth": True, "integrity": True}), "kept": Variant(True, {"auditd": True, "auth": True, "integrity": True}), "unwatched": Variant(True, {"auditd": False, "integrity": True, "edr": False, "okta": False, "auth": False, "loghost": False, "meetings": False})},
    plant,
)  # fmt: skip
