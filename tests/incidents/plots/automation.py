"""15. A robot pushed; somebody set it off."""

from functools import partial

from tests.incidents.lab.diary import Stay
from tests.incidents.lab.ordinary import robot_run
from tests.incidents.plots.scenes import Bad, desk, forge_account, not_flags, yardsticks
from tests.incidents.plots.story import Plot, Story, Variant
from tests.incidents.truth import Answer


def plant(story: Story) -> None:
    """The forge shows the robot; the pipeline's record shows who asked for that run and from which address; the lease leads to the laptop,
    and its sensor saw the call, in that person's opened session: person, by automation.

    In `schedule` the run was set off by a schedule, under the robot's own name, after somebody had changed what it rolls out, of which
    no record is left; in `no-runs` the pipeline's records are missing: an account, and those who may run it among the candidates.
    """
    lab, rng = story.lab, story.rng
    actor = story.pick()
    spot, bad = desk(story, actor), Bad(path="configs/base.toml")

    def act(stay: Stay | None) -> None:
        bad.sha = robot_run(lab, stay, spot.when, rng)

    def plan() -> None:
        when = spot.settle().when
        lab.at(when, partial(act, None if story.variant == "schedule" else spot.there))
        if story.variant == "no-runs":
            lab.dropped.add("pipelines")

    def tell() -> None:
        account = f"{lab.shape.forge}:{lab.robot}"
        when = spot.when
        if story.twin:
            answer = Answer(
                lab.forge.ref(bad.sha),
                actor.id,
                None,
                "account",
                "automation",
                account,
                ["unknown", "shared-identity"],
                [],
                story.everyone(when),
                not_flags=not_flags(),
            )
        else:
            answer = Answer(
                lab.forge.ref(bad.sha),
                actor.id,
                actor.id,
                "person",
                "automation",
                account,
                [],
                [forge_account(story, actor)],
                [actor.id],
                not_flags=not_flags(),
            )
        q = story.ask(answer.object, when, answer)
        yardsticks(story, q, author=None, committer=None, pusher=None)
        keeper = next(p for p in lab.people if p.role == "infrastructure" and p is not actor)
        story.say(
            keeper.id, "I look after the robot; I did not start that run.", "not-me", q, "not resolved" if story.twin else "supported"
        )

    story.symptoms = False
    story.plan(plan)
    story.tell(tell)


ALONE = {"edr": False, "okta": False, "meetings": False, "badge": False}
PLOT = Plot(
    15,
    "automation",
    {
        "triggered": Variant(needs={"pipelines": True}),
        "schedule": Variant(True, {**ALONE, "pipelines": True}),
        "no-runs": Variant(True, {**ALONE, "pipelines": False}),
    },
    plant,
)
