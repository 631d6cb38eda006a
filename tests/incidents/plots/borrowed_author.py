"""2. The commit names a colleague as author and committer; somebody else's account pushed it, from that person's own device."""

from tests.incidents.lab import forge as forges
from tests.incidents.lab.clock import HOUR
from tests.incidents.plots.scenes import (
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
    """The author's line is a claim; account, lease and sensor all show the pusher: person.

    In `no-forge` the forge's own logs are missing: the server's repository shows that its branch moved, and not for whom: change,
    with everybody as a candidate. In `no-sensor` no endpoint records are left: a session at most.
    """
    lab, rng = story.lab, story.rng
    actor, victim = story.pick(), story.pick()
    spot, bad = desk(story, actor), Bad()

    def act() -> None:
        late = rng.random() < 0.3
        written = spot.when - rng.randrange(2, 20) * HOUR if late else 0
        sha = write_commit(story, bad, spot.when, forges.signature(victim), victim, written=written)
        lab.push(spot.there, actor, lab.forge.branch, sha, spot.when)

    def plan() -> None:
        when = spot.settle().when
        lab.at(when, act)
        if rng.random() < 0.5:
            take_back(story, bad, victim, when + 48 * HOUR)

    def tell() -> None:
        if story.variant == "no-forge":
            answer = Answer(
                lab.forge.ref(bad.sha),
                actor.id,
                None,
                "change",
                "unknown",
                None,
                ["own-account"],
                candidates=story.everyone(spot.when),
                never=[victim.id],
                not_flags=not_flags("author-mismatch"),
            )
        else:
            rung = rung_of_push(
                story, device=device_known(story, spot.person, spot.where), credential=credential_known(story, actor), command=lab.shape.edr
            )
            person = actor.id if rung == "person" else None
            answer = Answer(lab.forge.ref(bad.sha), actor.id, person, rung, "own-account", forge_account(story, actor), ["forged-record"] if person else ["forged-record", "unknown"],
                            candidates=[actor.id] if person else story.everyone(spot.when), flags=["author-mismatch"], not_flags=not_flags("author-mismatch"), never=[victim.id])  # fmt: skip
        q = story.ask(answer.object, spot.when, answer)
        story.causes.append(code_cause(story, q, bad))
        yardsticks(story, q, author=victim, committer=victim, pusher=None if story.variant == "no-forge" else actor)
        story.say(
            victim.id,
            rng.choice(("My name is on it, but it was not me.", "I never wrote that.")),
            "not-me",
            q,
            "supported" if answer.person else "not resolved",
        )
        if answer.person and rng.random() < 0.5:
            story.say(actor.id, "The author's name says who it was.", "someone-else", q, "contradicted", person=victim.id)
        scale_statement(story, q)

    story.plan(plan)
    story.tell(tell)


PLOT = Plot(
    2, "borrowed-author",
    {"direct": Variant(), "no-forge": Variant(True, {"forge_log": False, "edr": False}), "no-sensor": Variant(True, {"edr": False, "okta": False, "badge": False, "meetings": False})},
    plant,
)  # fmt: skip
