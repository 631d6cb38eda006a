"""1. Somebody pushes a harmful change under their own account, from their own device."""

from tests.incidents.lab import forge as forges
from tests.incidents.lab.clock import HOUR
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
    """The lease or the VPN ties the push's address to the pusher's laptop; the sensor there saw `git push` in the pusher's own session: person.

    In the twin no lease, no sensor and no registered key is left: an account, and nothing behind it. In `leased`, the lease and a
    registered key remain, but no sensor: a session.
    """
    lab, rng = story.lab, story.rng
    actor = story.pick()
    where = {"vpn": "vpn", "leased": "office", "bare": "office", "office": "office"}.get(story.variant, "")
    spot, bad = desk(story, actor, where=where), Bad()

    def plan() -> None:
        when = spot.settle().when
        lab.at(when, lambda: _push(story, spot, bad))
        if rng.random() < 0.6:
            take_back(story, bad, story.pick(actor), when + 60 * HOUR)

    def tell() -> None:
        sensor = lab.shape.edr
        rung = rung_of_push(
            story, device=device_known(story, spot.person, spot.where), credential=credential_known(story, actor), command=sensor
        )
        person = actor.id if rung == "person" else None
        answer = Answer(lab.forge.ref(bad.sha), actor.id, person, rung, "own-account", forge_account(story, actor), ["unknown"] if not person else ["defect"],
                        candidates=[actor.id] if person else story.everyone(spot.when), not_flags=not_flags())  # fmt: skip
        q = story.ask(answer.object, spot.when, answer)
        story.causes.append(code_cause(story, q, bad))
        yardsticks(story, q, author=actor, committer=actor, pusher=actor)
        if rng.random() < 0.5:
            story.say(actor.id, "I did not make this change.", "not-me", q, "contradicted" if person else "not resolved")
        scale_statement(story, q)

    story.plan(plan)
    story.tell(tell)


def _push(story: Story, spot, bad: Bad) -> None:
    actor, address = spot.person, 1 if story.variant == "private-address" else 0
    if address and len(actor.emails) == 1:
        actor.emails.append(f"{actor.login}.dev@mail.example")
    sha = write_commit(story, bad, spot.when, forges.signature(actor, address), actor)
    story.lab.push(spot.there, actor, story.lab.forge.branch, sha, spot.when)


PLOT = Plot(
    1, "honest-pusher",
    {"office": Variant(), "vpn": Variant(), "private-address": Variant(), "bare": Variant(True, BARE), "leased": Variant(True, {"edr": False, "okta": False, "badge": False, "meetings": False, "keys_registered": True})},
    plant,
)  # fmt: skip
