"""14. The account of somebody who has left is still alive, and somebody else uses it."""

from tests.incidents.lab import forge as forges
from tests.incidents.lab.clock import DAY, HOUR
from tests.incidents.plots.scenes import (
    Bad,
    code_cause,
    desk,
    forge_account,
    not_flags,
    scale_statement,
    take_back,
    write_commit,
    yardsticks,
)
from tests.incidents.plots.story import Plot, Story, Variant
from tests.incidents.truth import Answer


def plant(story: Story) -> None:
    """The account's holder had gone; the address leads to a colleague's laptop, where the sensor saw the push: person.

    In the twin the address is nobody's and no sensor exists: the account acted after its owner left, and that is all: the leaver's
    credential where it is registered (session), else the account.
    """
    lab, rng = story.lab, story.rng
    actor, leaver = story.pick(), story.pick()
    spot, bad = desk(story, actor, rng.uniform(0.45, 0.6)), Bad()
    leaver.until = lab.moment(spot.day, 18) - rng.randrange(3, 6) * DAY
    leaver.disabled = lab.moment(spot.day, 12) + rng.randrange(3, 7) * DAY
    unknown = story.variant == "unknown-device"

    def act() -> None:
        sha = write_commit(story, bad, spot.when, forges.signature(leaver), leaver)
        web = lab.shape.forge == "github"
        if unknown:
            forges.push(
                lab.forge,
                None,
                leaver,
                lab.forge.branch,
                sha,
                spot.when,
                ip=f"10.200.{rng.randrange(9)}.{rng.randrange(4, 250)}",
                https=web,
            )
        else:
            lab.push(spot.there, leaver, lab.forge.branch, sha, spot.when, https=web)

    def plan() -> None:
        lab.at(spot.settle().when, act)
        if rng.random() < 0.5:
            take_back(story, bad, story.pick(actor), spot.when + 40 * HOUR)

    def tell() -> None:
        account = forge_account(story, leaver)
        if unknown:
            rung = "session" if lab.shape.keys_registered else "account"
            answer = Answer(
                lab.forge.ref(bad.sha),
                actor.id,
                None,
                rung,
                "credential-misuse",
                account,
                ["unknown"],
                candidates=story.everyone(spot.when),
                flags=["after-departure"],
                not_flags=not_flags("after-departure"),
                never=[leaver.id],
            )
        else:
            answer = Answer(lab.forge.ref(bad.sha), actor.id, actor.id, "person", "credential-misuse", account, [], candidates=[actor.id], flags=["after-departure", "credential-reuse"],
                            not_flags=not_flags("after-departure", "credential-reuse", maybe=("impossible-overlap",)), never=[leaver.id])  # fmt: skip
        q = story.ask(answer.object, spot.when, answer)
        story.causes.append(code_cause(story, q, bad))
        yardsticks(story, q, author=leaver, committer=leaver, pusher=leaver)
        story.say(leaver.id, "I had left the lab before this change.", "left-before", q, "not resolved" if unknown else "supported")
        if rng.random() < 0.5:
            story.say(leaver.id, "That was not me.", "not-me", q, "supported" if answer.person else "not resolved")
        scale_statement(story, q)

    story.plan(plan)
    story.tell(tell)


PLOT = Plot(
    14,
    "after-departure",
    {
        "colleague": Variant(needs={"keys_registered": True}),
        "unknown-device": Variant(True, {"edr": False, "okta": False, "badge": False, "meetings": False}),
    },
    plant,
)
