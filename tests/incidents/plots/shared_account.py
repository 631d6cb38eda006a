"""7. A service account that several people use overwrote a checkpoint; the host shows out of whose login."""

from tests.incidents.lab.clock import HOUR
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
    users,
    yardsticks,
)
from tests.incidents.plots.story import Plot, Story, Variant
from tests.incidents.truth import Answer


def plant(story: Story) -> None:
    """The store shows the service account and the transfer host. There, sudo and the audit log show the login that became that account;
    the login's address leads to a laptop, whose sensor saw the ssh command: person, among several who may use the account.

    In `crowded` two other users of the account are logged in on the host then, without sudo. In the twin the host's own records are
    gone, and so are the sensors: the account's users are what is left.
    """
    lab, rng = story.lab, story.rng
    actor = on_service(story, story.pick())
    spot = desk(story, actor)
    decoys = [
        desk(story, on_service(story, story.pick()), day=spot.day, where="office", hour=spot.hour)
        for _ in range(2 if story.variant == "crowded" else 0)
    ]
    written = Written(busiest_base(story))

    def act() -> None:
        for n, d in enumerate(decoys):
            lab.ssh(d.settle().there, lab.mover, spot.when - (9 + 7 * n) * 60, min(spot.when + 1500, d.there.end - 30))
        as_service(story, spot, written)

    def plan() -> None:
        when = spot.settle().when
        lab.at(when - 900, act)
        if rng.random() < 0.7:
            restore(story, written, when + 30 * HOUR)

    def tell() -> None:
        account = lab.store.account(lab.service)
        also = sorted({f"unix:{lab.service}", account} - {account})
        if story.twin:
            answer = Answer(
                written.ref(story),
                actor.id,
                None,
                "account",
                "shared-identity",
                account,
                ["unknown"],
                also,
                users(story),
                not_flags=not_flags(),
            )
        else:
            answer = Answer(
                written.ref(story),
                actor.id,
                actor.id,
                "person",
                "shared-identity",
                account,
                [],
                [*also, f"unix:{actor.login}"],
                [actor.id],
                not_flags=not_flags(),
                never=[d.person.id for d in decoys],
            )
        q = story.ask(answer.object, spot.when, answer, at=lab.store.kind == "hdfs", about="Overwritten; by whom?")
        story.causes.append(object_cause(story, q, written))
        yardsticks(story, q, pusher=None)
        if decoys:
            story.say(decoys[0].person.id, "I was logged in, but I wrote nothing.", "not-me", q, "supported")
        if not story.twin and rng.random() < 0.5:
            story.say(actor.id, "That account is everybody's; it was not me.", "not-me", q, "contradicted")
        scale_statement(story, q)

    story.plan(plan)
    story.tell(tell)


NEEDS = {"auditd": True, "auth": True}
PLOT = Plot(
    7, "shared-account", {"sudo": Variant(needs=NEEDS), "crowded": Variant(needs=NEEDS), "no-host-records": Variant(True, {"auditd": False, "auth": False, "edr": False, "loghost": False, "okta": False, "meetings": False})}, plant,
)  # fmt: skip
