"""17. The log that would show the act is silent over the moment; or another is, and it does not matter."""

from tests.incidents.lab import forge as forges
from tests.incidents.lab.clock import HOUR
from tests.incidents.plots.scenes import (
    Bad,
    code_cause,
    desk,
    forge_account,
    not_flags,
    push_answer,
    scale_statement,
    silent_log,
    write_commit,
    yardsticks,
)
from tests.incidents.plots.story import Plot, Story, Variant
from tests.incidents.truth import Answer


def plant(story: Story) -> None:
    """Where the forge recorded nothing, the repository alone shows that its branch moved: change, with everybody as a candidate.

    In `elsewhere` the transfer host's log is silent at another time: the answer stands, and no flag is due.
    """
    lab, rng = story.lab, story.rng
    actor = story.pick()
    spot, bad = desk(story, actor), Bad()
    own = "forge-shell" if lab.shape.forge == "gitlab" else "forge-audit"

    def act() -> None:
        sha = write_commit(story, bad, spot.when, forges.signature(actor), actor)
        lab.push(spot.there, actor, lab.forge.branch, sha, spot.when)

    def plan() -> None:
        when = spot.settle().when
        lab.at(when, act)
        if story.twin:
            silent_log(story, "forge", when - rng.randrange(100, 300) * 60, when + rng.randrange(200, 400) * 60, own)
        else:
            begin = when - rng.randrange(50, 80) * HOUR
            silent_log(story, lab.mover, begin, begin + rng.randrange(7, 12) * HOUR, f"auth:{lab.mover}")

    def tell() -> None:
        if story.twin:
            answer = Answer(
                lab.forge.ref(bad.sha),
                actor.id,
                None,
                "change",
                "unknown",
                None,
                ["own-account"],
                [forge_account(story, actor)],
                story.everyone(spot.when),
                ["log-gap"],
                not_flags("log-gap"),
            )
        else:
            answer = push_answer(story, spot, bad.sha)
        q = story.ask(answer.object, spot.when, answer)
        story.causes.append(code_cause(story, q, bad))
        yardsticks(story, q, author=actor, committer=actor, pusher=None if story.twin else actor)
        story.say(actor.id, "That was not me.", "not-me", q, "not resolved" if story.twin else "contradicted")
        scale_statement(story, q)

    story.plan(plan)
    story.tell(tell)


PLOT = Plot(17, "silence", {"over-the-moment": Variant(True, {"edr": False}), "elsewhere": Variant(needs={"auth": True})}, plant)
