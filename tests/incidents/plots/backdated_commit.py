"""3. Both dates of a commit are set weeks back; or, innocently, old work is picked up again."""

from tests.incidents.lab import forge as forges
from tests.incidents.lab.clock import DAY, HOUR
from tests.incidents.plots.scenes import (
    BARE,
    Bad,
    code_cause,
    credential_known,
    desk,
    device_known,
    forge_account,
    not_flags,
    rung_of_push,
    scale_statement,
    take_back,
    write_commit,
    yardsticks,
)
from tests.incidents.plots.story import Plot, Story, Variant
from tests.incidents.truth import Answer


def plant(story: Story) -> None:
    """The commit's parent was pushed days after both of its dates, so the dates are not when it was made; the push tells who.

    `old-work` has an old author date and an honest committer date: no flag. The twin has nothing behind the forge's account.
    """
    lab, rng = story.lab, story.rng
    actor = story.pick()
    spot, bad = desk(story, actor, rng.uniform(0.5, 0.62)), Bad()

    def act() -> None:
        written = spot.when - rng.randrange(14, 70) * DAY - rng.randrange(9000)
        honest = spot.when - rng.randrange(60, 4000) if story.variant == "old-work" else written + rng.randrange(600)
        sha = write_commit(story, bad, spot.when, forges.signature(actor), actor, written=written, committed=honest)
        lab.push(spot.there, actor, lab.forge.branch, sha, spot.when)

    def plan() -> None:
        lab.at(spot.settle().when, act)
        if rng.random() < 0.5:
            take_back(story, bad, story.pick(actor), spot.when + 40 * HOUR)

    def tell() -> None:
        rung = rung_of_push(
            story, device=device_known(story, spot.person, spot.where), credential=credential_known(story, actor), command=lab.shape.edr
        )
        person = actor.id if rung == "person" else None
        flags = [] if story.variant == "old-work" else ["backdated"]
        answer = Answer(lab.forge.ref(bad.sha), actor.id, person, rung, "own-account", forge_account(story, actor), ["defect"] if person else ["unknown"],
                        candidates=[actor.id] if person else story.everyone(spot.when), flags=flags, not_flags=not_flags(*flags))  # fmt: skip
        q = story.ask(answer.object, spot.when, answer)
        story.causes.append(code_cause(story, q, bad))
        yardsticks(story, q, author=actor, committer=actor, pusher=actor)
        scale_statement(story, q)

    story.plan(plan)
    story.tell(tell)


PLOT = Plot(3, "backdated-commit", {"both-dates": Variant(), "old-work": Variant(), "bare": Variant(True, BARE)}, plant)
