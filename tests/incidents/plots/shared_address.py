"""10. The push came from an address that many share: the office's gateway, or a login host."""

from making.hosts import Session, run

from tests.incidents.lab import forge as forges
from tests.incidents.lab.clock import HOUR
from tests.incidents.plots.scenes import (
    Bad,
    Desk,
    code_cause,
    credential_known,
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
    """`gateway`: the forge sees the office as one address, so no lease helps; a registered key or token carried the push, and one laptop's
    sensor, of all in the office, saw `git push` then: person. `login-host`: the push came out of a login on a shared host; sshd and the
    audit log lead to the laptop, whose sensor saw the ssh command: person.

    The twins lack sensors: `gateway-bare` has the registered credential (session), `host-bare` neither logins nor a registered
    credential (account).
    """
    lab, rng = story.lab, story.rng
    actor = story.pick()
    actor.https = lab.shape.forge == "github"
    spot, bad = desk(story, actor, where="office"), Bad()
    on_host = story.variant.startswith(("login", "host"))
    others = [desk(story, story.pick(), day=spot.day, where="office", hour=spot.hour) for _ in range(3)]
    host = lab.login_host()

    opened: list[Session] = []

    def log_in() -> None:
        opened.append(lab.ssh(spot.there, host, spot.when - 400, min(spot.when + 900, spot.there.end - 20)))

    def act() -> None:
        sha = write_commit(story, bad, spot.when, forges.signature(actor), actor)
        if not on_host:
            lab.push(spot.there, actor, lab.forge.branch, sha, spot.when)
            return
        (session,) = opened
        run(session, spot.when - 1.1, ["git", "push", "origin", lab.forge.branch], f"{lab.share}/people/{actor.login}/{lab.forge.repo}")
        forges.push(lab.forge, None, actor, lab.forge.branch, sha, spot.when, ip=lab.host_ips[host])

    def plan() -> None:
        when = spot.settle().when
        if on_host:
            lab.at(when - 500, log_in)
        lab.at(when, act)
        for n, d in enumerate(others):
            d.settle()
            at = when - (25 + 17 * n) * 60
            ip = lab.host_ips[host] if on_host else lab.diary.egress
            lab.at(at, lambda d=d, at=at, ip=ip: lab.forge.fetches.append({"time": at, "person": d.person, "ip": ip}))
            lab.at(at + 4000, lambda d=d, at=at, ip=ip: lab.forge.fetches.append({"time": at + 4000, "person": d.person, "ip": ip}))
        if rng.random() < 0.6:
            take_back(story, bad, story.pick(actor), when + 48 * HOUR)

    story.plan(plan)
    story.tell(lambda: _tell(story, spot, bad, others[0].person.id))


def _tell(story: Story, spot: Desk, bad: Bad, other: str) -> None:
    lab, actor = story.lab, spot.person
    on_host = story.variant.startswith(("login", "host"))
    account = forge_account(story, actor)
    if not story.twin:
        answer = Answer(
            lab.forge.ref(bad.sha),
            actor.id,
            actor.id,
            "person",
            "own-account",
            account,
            ["defect"],
            [f"unix:{actor.login}"],
            [actor.id],
            ["shared-address"] if not on_host else [],
            not_flags(),
        )
    else:
        rung = "session" if credential_known(story, actor) else "account"
        answer = Answer(
            lab.forge.ref(bad.sha),
            actor.id,
            None,
            rung,
            "own-account",
            account,
            ["unknown", "defect"],
            [],
            story.everyone(spot.when),
            ["shared-address"],
            not_flags(),
        )
    q = story.ask(answer.object, spot.when, answer)
    story.causes.append(code_cause(story, q, bad))
    yardsticks(story, q, author=actor, committer=actor, pusher=actor)
    story.say(
        other,
        "The address is everybody's; I pushed nothing.",
        "not-me",
        q,
        "supported" if answer.person else "not resolved",
    )
    scale_statement(story, q)


NO_SENSOR = {"edr": False, "okta": False, "badge": False, "meetings": False, "loghost": False}
PLOT = Plot(
    10, "shared-address",
    {"gateway": Variant(needs={"nat": True, "keys_registered": True}), "login-host": Variant(needs={"auditd": True, "auth": True, "keys_registered": True}),
     "gateway-bare": Variant(True, {**NO_SENSOR, "nat": True, "keys_registered": True}), "host-bare": Variant(True, {**NO_SENSOR, "auditd": False, "auth": False, "keys_registered": False})},
    plant,
)  # fmt: skip
