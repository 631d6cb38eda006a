"""8. A shared account acted, and nothing tells out of whose login."""

from making.hosts import log_in

from tests.incidents.lab.clock import HOUR
from tests.incidents.lab.people import fingerprint
from tests.incidents.plots.scenes import (
    Written,
    as_service,
    busiest_base,
    desk,
    not_flags,
    object_cause,
    on_service,
    restore,
    scale_statement,
    silent_log,
    users,
    yardsticks,
)
from tests.incidents.plots.story import Plot, Story, Variant
from tests.incidents.truth import Answer


def plant(story: Story) -> None:
    """Every variant is one in which abstaining is right: the account, and its users as candidates.

    `gap`: the host's logs are silent over the hours of the act. `common-key`: the login is as the account itself, with a key that all
    its users hold, from a host that many are on. `lost`: the host's logs were not handed in.
    """
    lab, rng = story.lab, story.rng
    actor = on_service(story, story.pick())
    spot, written = desk(story, actor), Written(busiest_base(story))

    def by_common_key() -> None:
        near, far = lab.login_host(), lab.mover
        key = fingerprint(lab.domain, lab.service, "common")
        for n in range(4):  # the account is used like this all the time
            log_in(
                lab.hosts[far],
                lab.service,
                lab.service_uid,
                key,
                lab.host_ips[near],
                spot.when - (n + 1) * 7 * HOUR,
                spot.when - (n + 1) * 7 * HOUR + 900,
                "",
            )
        log_in(lab.hosts[far], lab.service, lab.service_uid, key, lab.host_ips[near], spot.when - 200, spot.when + 500, "")
        written.when, written.version = spot.when, lab.store.put(written.key, spot.when, lab.service, lab.host_ips[far])

    def plan() -> None:
        when = spot.settle().when
        lab.at(when - 600, by_common_key if story.variant == "common-key" else lambda: as_service(story, spot, written))
        if story.variant == "gap":
            low, high = when - rng.randrange(150, 260) * 60, when + rng.randrange(180, 320) * 60
            silent_log(story, lab.mover, low, high, f"auth:{lab.mover}", f"audit:{lab.mover}")
        if story.variant == "lost":
            lab.dropped |= {f"auth:{lab.mover}", f"audit:{lab.mover}"}
        if rng.random() < 0.6:
            restore(story, written, when + 30 * HOUR)

    def tell() -> None:
        account = lab.store.account(lab.service)
        flags = ["log-gap"] if story.variant == "gap" else []
        answer = Answer(
            written.ref(story),
            actor.id,
            None,
            "account",
            "shared-identity",
            account,
            ["unknown"],
            [f"unix:{lab.service}"],
            users(story),
            flags,
            not_flags(*flags),
        )
        q = story.ask(answer.object, spot.when, answer, at=lab.store.kind == "hdfs")
        story.causes.append(object_cause(story, q, written))
        yardsticks(story, q, pusher=None)
        other = rng.choice([p for p in lab.users_of_service if p is not actor])
        story.say(other.id, "I never used that account on that day.", "not-me", q, "not resolved")
        scale_statement(story, q)

    story.plan(plan)
    story.tell(tell)


NEEDS = {"edr": False, "okta": False, "meetings": False, "loghost": False, "auditd": True}
PLOT = Plot(8, "shared-silent", {"gap": Variant(True, NEEDS), "common-key": Variant(True, NEEDS), "lost": Variant(True, NEEDS)}, plant)
