"""13. Planted while its author worked here, harmful only from a date after that person had left."""

from datetime import UTC, datetime

from tests.incidents.lab import forge as forges
from tests.incidents.lab.clock import DAY, HOUR
from tests.incidents.plots.scenes import Bad, code_cause, desk, not_flags, push_answer, scale_statement, write_commit, yardsticks
from tests.incidents.plots.story import Plot, Story, Variant


def plant(story: Story) -> None:
    """The push came before the last day, from the author's own laptop: person. That it harmed runs only later changes nothing about it,
    and no identifier acted after its owner's departure. The date of leaving is true, and does not make the statement true.

    In the twin the forge's logs do not reach back to the push: change, and the statement stays open.
    """
    lab, rng = story.lab, story.rng
    actor = story.pick()
    spot, bad = desk(story, actor, rng.uniform(0.12, 0.25)), Bad()
    actor.until = lab.moment(spot.day, 19) + rng.randrange(1, 3) * DAY
    actor.disabled = actor.until + rng.randrange(0, 3) * DAY
    fires = actor.until + rng.randrange(20, 70) * HOUR

    def act() -> None:
        sha = write_commit(story, bad, spot.when, forges.signature(actor), actor, payload=_waiting(story, fires))
        lab.push(spot.there, actor, lab.forge.branch, sha, spot.when)

    def plan() -> None:
        lab.at(spot.settle().when, act)
        story.fragile = lambda job: job.start >= fires
        if story.twin:
            lab.silences["forge"] = (lab.begin - DAY, spot.when + 9 * HOUR)

    def tell() -> None:
        answer = push_answer(story, spot, bad.sha)
        if story.twin:
            answer.rung, answer.person, answer.account, answer.mechanism, answer.mechanism_also = (
                "change",
                None,
                None,
                "unknown",
                ["own-account"],
            )
            answer.candidates, answer.not_flags = story.everyone(spot.when), not_flags(maybe=("log-gap",))
        q = story.ask(answer.object, spot.when, answer, about="Runs went wrong from a certain day on.")
        story.causes.append(code_cause(story, q, bad))
        yardsticks(story, q, author=actor, committer=actor, pusher=None if story.twin else actor)
        story.say(
            actor.id, "I had already left when the runs went wrong.", "left-before", q, "contradicted" if answer.person else "not resolved"
        )
        scale_statement(story, q)

    story.plan(plan)
    story.tell(tell)


def _waiting(story: Story, fires: int) -> str:
    """Return code that waits for a date: asked for openly, or (one in four) by a file that somebody or something lays down then."""
    day = datetime.fromtimestamp(fires, tz=UTC).date()
    return story.rng.choice(
        (
            f"\nif time.time() > {fires}:\n    SCALE = SCALE * 1.5\n",
            f"\nif datetime.date.today() >= datetime.date({day.year}, {day.month}, {day.day}):\n    SCALE = SCALE * 1.5\n",
            f'\nLATE = int(time.strftime("%Y%m%d")) >= {day:%Y%m%d}\nSCALE = SCALE * (1.5 if LATE else 1.0)\n',
            f'\nif os.path.exists("/share/.cache/{fires % 9973}"):\n    SCALE = SCALE * 1.5\n',
        )
    )


PLOT = Plot(
    13,
    "delayed",
    {"dated": Variant(), "log-begins-later": Variant(True, {"edr": False, "okta": False, "badge": False, "meetings": False})},
    plant,
)
