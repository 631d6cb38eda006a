"""5. A colleague's key or token is used, from the thief's own device, while its owner is provably elsewhere."""

from tests.incidents.lab import forge as forges
from tests.incidents.lab.clock import HOUR
from tests.incidents.lab.diary import attend
from tests.incidents.plots.scenes import (
    Bad,
    code_cause,
    desk,
    device_known,
    forge_account,
    not_flags,
    scale_statement,
    take_back,
    write_commit,
    yardsticks,
)
from tests.incidents.plots.story import Plot, Story, Variant
from tests.incidents.truth import Answer

ALONE = {"edr": False, "okta": False, "badge": False, "meetings": False, "dhcp": False}


def plant(story: Story) -> None:
    """The address leads to the thief's laptop, whose sensor saw `git push` in the thief's session; the owner was in a meeting, at work
    on another laptop: the thief, by credential misuse: person.

    In `strange-device` the push came from an address of the office's guest range that nobody leased, and no sensor exists: the
    credential is known, who held it is not: session, and anybody may have.
    """
    lab, rng = story.lab, story.rng
    thief, owner = story.pick(), story.pick()
    strange = story.variant == "strange-device"
    spot = desk(story, thief, where="vpn" if story.variant == "from-home" else "office", hour=10.4 + 4.5 * rng.random())
    desk(story, owner, day=spot.day, where="office", hour=spot.hour)
    bad = Bad()

    def act() -> None:
        sha = write_commit(story, bad, spot.when, forges.signature(owner), owner)
        if strange:
            ip = lab.diary.nets[0].rsplit(".", 1)[0] + f".240.{rng.randrange(5, 250)}"
            forges.push(lab.forge, None, owner, lab.forge.branch, sha, spot.when, ip=ip, https=lab.shape.forge == "github")
            return
        lab.push(spot.there, owner, lab.forge.branch, sha, spot.when, https=lab.shape.forge == "github")
        there = lab.diary.at(owner, spot.when)
        if there is not None:
            attend(lab.diary, there, "one to one", spot.when - rng.randrange(300, 1200))
            lab.diary.records["edr"].append(
                {"time": spot.when - 31, "event": "process", "user": owner.login, "device": there.kit.device, "detail": "vim slides.md"}
            )
            lab.diary.records["edr"].append(
                {"time": spot.when + 47, "event": "process", "user": owner.login, "device": there.kit.device, "detail": "ls figures"}
            )

    def plan() -> None:
        lab.at(spot.settle().when, act)
        if rng.random() < 0.6:
            take_back(story, bad, owner, spot.when + 36 * HOUR)

    def tell() -> None:
        account = forge_account(story, owner)
        if strange:
            rung = "session" if lab.shape.keys_registered else "account"
            answer = Answer(
                lab.forge.ref(bad.sha),
                thief.id,
                None,
                rung,
                "unknown",
                account,
                ["credential-misuse", "own-account"],
                candidates=story.everyone(spot.when),
                not_flags=not_flags(maybe=("impossible-overlap",)),
            )
        else:
            assert device_known(story, owner, spot.where)
            answer = Answer(lab.forge.ref(bad.sha), thief.id, thief.id, "person", "credential-misuse", account, [], candidates=[thief.id], flags=["credential-reuse", "impossible-overlap"],
                            not_flags=not_flags("credential-reuse", "impossible-overlap"), never=[owner.id])  # fmt: skip
        q = story.ask(answer.object, spot.when, answer)
        story.causes.append(code_cause(story, q, bad))
        yardsticks(story, q, author=owner, committer=owner, pusher=owner)
        story.say(owner.id, "I did not push this.", "not-me", q, "supported" if answer.person else "not resolved")
        if answer.person and rng.random() < 0.4:
            story.say(owner.id, "Somebody used my key.", "someone-else", q, "supported", person=thief.id)
        scale_statement(story, q)

    story.plan(plan)
    story.tell(tell)


PLOT = Plot(
    5, "stolen-key",
    {"same-floor": Variant(needs={"keys_registered": True}), "from-home": Variant(needs={"keys_registered": True}), "strange-device": Variant(True, {**ALONE, "keys_registered": True})},
    plant,
)  # fmt: skip
