"""9. An administrator restarted sshd by hand; every login since then bears the administrator's audit id."""

from making.hosts import run

from tests.incidents.lab.clock import HOUR
from tests.incidents.plots.scenes import (
    Desk,
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
    """The kernel never changes a login id once set, so a daemon restarted out of a login hands it on. The audit log says the
    administrator; sshd's and sudo's own lines, the address and the laptop's sensor say who it was: person, and never the administrator.

    In the twin only the audit log is left: it names the administrator for everybody's logins alike, so an account and its users.
    """
    lab, rng = story.lab, story.rng
    actor, admin = on_service(story, story.pick()), on_service(story, story.pick(role="infrastructure"))
    spot = desk(story, actor)
    early = desk(story, admin, day=lab.days[max(0, lab.days.index(spot.day) - 1)], where="office", hour=11.0)
    written = Written(busiest_base(story))

    def plan() -> None:
        lab.at(early.settle().when, lambda: _restart(story, early))
        lab.at(spot.settle().when - 400, lambda: as_service(story, spot, written))
        if story.twin:
            lab.dropped.add(f"auth:{lab.mover}")
        if rng.random() < 0.6:
            restore(story, written, spot.when + 30 * HOUR)

    def tell() -> None:
        account = lab.store.account(lab.service)
        also = [f"unix:{lab.service}", f"unix:{actor.login}"]
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
                not_flags=not_flags(maybe=("impossible-overlap",)),
                never=[admin.id],
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
                also,
                [actor.id],
                not_flags=not_flags(maybe=("impossible-overlap",)),
                never=[admin.id],
            )
        q = story.ask(answer.object, spot.when, answer, at=lab.store.kind == "hdfs")
        story.causes.append(object_cause(story, q, written))
        yardsticks(story, q, pusher=None, process=admin)
        story.say(admin.id, "The audit log is wrong about me.", "not-me", q, "supported" if answer.person else "not resolved")
        scale_statement(story, q)

    story.plan(plan)
    story.tell(tell)


def _restart(story: Story, early: Desk) -> None:
    """Let the administrator start the daemon anew out of a login."""
    lab = story.lab
    session = lab.ssh(early.there, lab.mover, early.when, min(early.when + 1500, early.there.end - 30))
    lab.leaked[lab.mover] = (early.when + 60.6, early.person, session.number)
    run(session, early.when + 60.5, ["sudo", "systemctl", "restart", "sshd"], "/root", user=("root", 0))
    run(session, early.when + 61.0, ["/usr/sbin/sshd", "-D"], "/", exe="/usr/sbin/sshd", user=("root", 0))


PLOT = Plot(
    9, "leaked-auid", {"sudo-line": Variant(needs={"auditd": True, "auth": True}), "audit-only": Variant(True, {"auditd": True, "edr": False, "okta": False, "meetings": False, "loghost": False})}, plant,
)  # fmt: skip
