"""6. A token, key or password is used from a device that nobody knows."""

from tests.incidents.lab import forge as forges
from tests.incidents.lab.clock import HOUR
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
    """Nothing tells who sat there, in any variant: the registered credential is a session, else the account is all; the account's owner
    did not do it and is not named.

    `outside`: a public address. `vpn`: somebody signed on with the owner's password, from a machine that is not in the inventory.
    """
    lab, rng = story.lab, story.rng
    actor, owner = story.pick(), story.pick()
    spot, bad = desk(story, actor, where="vpn"), Bad()
    web = lab.shape.forge == "github"

    def act() -> None:
        when = spot.when
        sha = write_commit(story, bad, when, forges.signature(owner), owner)
        ip = f"{rng.choice(('203.0.113', '198.51.100'))}.{rng.randrange(241, 254)}"
        if story.variant == "vpn":
            inner = f"{lab.diary.nets[1]}.{rng.randrange(251, 255)}"
            common = {
                "user": owner.login,
                "device": f"DESKTOP-{rng.randrange(16**6):06X}",
                "ip": inner,
                "session": f"{rng.randrange(16**10):010x}",
                "source": ip,
            }
            lab.diary.records["vpn"] += [
                {"time": when - 900.0, "event": "connect", **common},
                {"time": when + 1500.0, "event": "disconnect", **common},
            ]
            ip = inner
        forges.push(lab.forge, None, owner, lab.forge.branch, sha, when, ip=ip, https=web)

    def plan() -> None:
        lab.at(spot.settle().when, act)
        if rng.random() < 0.6:
            take_back(story, bad, owner, spot.when + 40 * HOUR)

    def tell() -> None:
        rung = "session" if lab.shape.keys_registered else "account"
        answer = Answer(lab.forge.ref(bad.sha), actor.id, None, rung, "unknown", forge_account(story, owner), ["credential-misuse", "own-account"], [], story.everyone(spot.when),
                        not_flags=not_flags(maybe=("impossible-overlap", "credential-reuse")), never=[owner.id])  # fmt: skip
        q = story.ask(answer.object, spot.when, answer)
        story.causes.append(code_cause(story, q, bad))
        yardsticks(story, q, author=owner, committer=owner, pusher=owner)
        story.say(owner.id, "Somebody must have my password.", "not-me", q, "not resolved")
        scale_statement(story, q)

    story.plan(plan)
    story.tell(tell)


PLOT = Plot(6, "strange-device", {"outside": Variant(True), "vpn": Variant(True, {"edr": False, "okta": False})}, plant)
