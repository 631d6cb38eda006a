"""21. A reviewed change turns out to be wrong, and its author takes it back."""

from tests.incidents.lab import forge as forges
from tests.incidents.lab.clock import HOUR
from tests.incidents.plots.scenes import (
    BARE,
    Bad,
    code_cause,
    desk,
    forge_account,
    push_answer,
    scale_statement,
    take_back,
    write_commit,
    yardsticks,
)
from tests.incidents.plots.story import Plot, Story, Variant


def plant(story: Story) -> None:
    """The author pushed a branch from their own laptop; a colleague reviewed and merged it; the author reverted it with a reason. Person,
    by defect: the records show review and revert, and nothing that hides. In the twin nothing stands behind the author's account.
    """
    lab, rng = story.lab, story.rng
    actor, reviewer = story.pick(), story.pick()
    spot, bad = desk(story, actor, rng.uniform(0.3, 0.45)), Bad()
    branch = f"{actor.login}/tidy-{rng.randrange(900)}"
    title = rng.choice(("Faster loader", "Use fused kernel", "Default to bf16", "New shuffle order"))

    def act() -> None:
        sha = write_commit(story, bad, spot.when, forges.signature(actor), actor, title=title)
        lab.push(spot.there, actor, branch, sha, spot.when)

    def reviewed() -> None:
        low = spot.when + HOUR // 2
        found = next((f for hours in (70, 170, 400) if (f := lab.diary.free(reviewer, low, spot.when + hours * HOUR, rng))), None)
        assert found is not None
        there, when = found
        forge = lab.forge
        forge.requests += 1
        number = forge.requests
        head = {"number": number, "title": title, "bot": False}
        forge.events.append({"time": spot.when + 50, "login": actor.handle, "action": "opened", "ip": lab.seen_ip(spot.there), **head})
        forge.events.append({"time": when - 90, "login": reviewer.handle, "action": "approved", "ip": lab.seen_ip(there), **head})
        lab.at(when, lambda: forges.merge(forge, branch, actor, reviewer, when, "merge", title, lab.seen_ip(there)))
        take_back(
            story,
            bad,
            actor,
            when + 30 * HOUR,
            why=rng.choice(("It breaks resumed runs.", "Loss diverges with it; my mistake.", "Wrong on more than one node.")),
        )

    def plan() -> None:
        lab.at(spot.settle().when, act)
        reviewed()

    def tell() -> None:
        answer = push_answer(story, spot, bad.sha, mechanism="defect", also=("own-account",))
        answer.account_also = [forge_account(story, reviewer)]
        q = story.ask(answer.object, spot.when, answer)
        story.causes.append(code_cause(story, q, bad))
        yardsticks(story, q, author=actor, committer=actor, pusher=actor)
        story.say(
            "team",
            "This was an ordinary bug: reviewed, and reverted once we saw it.",
            "defect",
            q,
            "supported" if bad.revert else "not resolved",
        )
        scale_statement(story, q)

    story.plan(plan)
    story.tell(tell)


PLOT = Plot(21, "honest-mistake", {"reviewed": Variant(), "bare": Variant(True, BARE)}, plant)
