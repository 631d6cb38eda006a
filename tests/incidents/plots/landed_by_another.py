"""27. What somebody pushed to a branch of their own was landed by somebody else: squashed, rebased, by a bot, or picked over."""

from dataclasses import dataclass, field

from tests.incidents.lab import forge as forges
from tests.incidents.lab.clock import HOUR
from tests.incidents.plots.scenes import (
    BARE,
    Bad,
    Desk,
    code_cause,
    desk,
    forge_account,
    push_answer,
    scale_statement,
    write_commit,
    yardsticks,
)
from tests.incidents.plots.story import Plot, Story, Variant


@dataclass(slots=True)
class Landing:
    """What is known of the commit that came to stand on the main branch."""

    branch: str
    title: str
    pushed: Bad = field(default_factory=Bad)
    landed: Bad = field(default_factory=Bad)
    when: float = 0.0


def plant(story: Story) -> None:
    """The commit on the main branch is new; its content is what the author had pushed, from their own laptop: the author, person, and never
    who landed it.

    In `altered` the colleague who picked it over added an edit that the author never pushed: the colleague, person, never the author.
    In `bare` nothing stands behind the author's account.
    """
    lab, rng = story.lab, story.rng
    author, other = story.pick(), story.pick()
    spot, there = desk(story, author, rng.uniform(0.3, 0.4)), desk(story, other, rng.uniform(0.5, 0.58))
    what = Landing(f"{author.login}/step-{rng.randrange(900)}", rng.choice(("Faster loader", "Use fused kernel", "New shuffle order")))

    def push() -> None:
        sha = write_commit(story, what.pushed, spot.when, forges.signature(author), author, title=what.title)
        lab.push(spot.there, author, what.branch, sha, spot.when)

    def plan() -> None:
        lab.at(spot.settle().when, push)
        what.when = there.settle().when
        later = (d for d in lab.days if d > spot.day)
        while what.when <= spot.when:  # both fell on one day, and the landing before the push
            there.day = next(later)
            if lab.diary.at(other, lab.moment(there.day, there.hour)):
                what.when = there.settle().when
        lab.at(what.when, lambda: _land(story, what, author, there))

    def tell() -> None:
        altered = story.variant == "altered"
        maker, at = (other, there) if altered else (author, spot)
        never = (author.id,) if altered else (other.id,)
        answer = push_answer(story, at, what.landed.sha, maybe=("author-mismatch",) if altered else (), never=never)
        answer.account_also = [forge_account(story, p) for p in (author, other) if p is not maker]
        q = story.ask(answer.object, at.when, answer)
        story.causes.append(code_cause(story, q, what.landed))
        yardsticks(story, q, author=author, committer=other, pusher=other)
        decided = {True: "contradicted", False: "supported"}
        story.say(other.id, "I only landed what was on the branch.", "not-me", q, decided[altered] if answer.person else "not resolved")
        scale_statement(story, q)

    story.plan(plan)
    story.tell(tell)


def _land(story: Story, what: Landing, author, there: Desk) -> None:
    lab, forge, other, when = story.lab, story.lab.forge, there.person, what.when
    what.landed.path = what.pushed.path
    if story.variant in ("picked", "altered"):
        first = forge.commits[what.pushed.sha]
        edits = dict(first.edits)
        if story.variant == "altered":
            edits[what.pushed.path] += f"FLOOR = {story.rng.randrange(2, 99)}\n"
        what.landed.sha = forge.commit(
            [forge.head(when)], edits, forges.signature(author), first.when, what.title, who=author, committer=forges.signature(other), committed=int(when) - 40
        )  # fmt: skip
        lab.push(there.there, other, forge.branch, what.landed.sha, when)
        return
    forge.requests += 1
    head = {"number": forge.requests, "title": what.title, "bot": False}
    forge.events.append({"time": when - HOUR, "login": author.handle, "action": "opened", "ip": lab.diary.egress, **head})
    forge.events.append({"time": when - 200, "login": other.handle, "action": "approved", "ip": lab.seen_ip(there.there), **head})
    bot = lab.robot if story.variant == "bot" else ""
    how = "squash" if story.variant in ("squashed", "bare") else "rebase"
    what.landed.sha = forges.merge(forge, what.branch, author, other, when, how, what.title, lab.seen_ip(there.there), bot)


PLOT = Plot(
    27,
    "landed-by-another",
    {"squashed": Variant(), "rebased": Variant(), "bot": Variant(), "picked": Variant(), "altered": Variant(), "bare": Variant(True, BARE)},
    plant,
)
