"""16. An administrator overwrote a checkpoint as a service account, and then put a colleague's name into the host's own logs."""

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
    users,
    yardsticks,
)
from tests.incidents.plots.story import Plot, Story, Variant
from tests.incidents.truth import Answer


def plant(story: Story) -> None:
    """The transfer host's logs are the administrator's to edit, and name the victim. Out of his reach are the log host's copy, which
    took the lines as they came, the leases, and the sensors of both laptops: they show his login and his ssh command, and the victim on
    another device: person, by a forged record.

    In `no-copy` neither the log host's copy nor any sensor is left: the named victim cannot be cleared by records, but nor do records
    that the administrator could have written make him the actor: the account, and its users.
    """
    lab, rng = story.lab, story.rng
    admin, victim = on_service(story, story.pick(role="infrastructure")), on_service(story, story.pick())
    spot = desk(story, admin, where="office", hour=10.5 + 5 * rng.random())
    there = desk(story, victim, day=spot.day, where="office", hour=spot.hour)
    written = Written(busiest_base(story))
    keys = (f"auth:{lab.mover}", f"audit:{lab.mover}")

    def plan() -> None:
        when = spot.settle().when
        there.settle()
        lab.at(when - 600, lambda: as_service(story, spot, written))
        if not story.twin:
            lab.diary.records["edr"].append(
                {"time": when - 22, "event": "process", "user": victim.login, "device": there.there.kit.device, "detail": "python plot.py"}
            )
            lab.diary.records["edr"].append(
                {"time": when + 63, "event": "process", "user": victim.login, "device": there.there.kit.device, "detail": "vim draft.tex"}
            )
        if rng.random() < 0.6:
            restore(story, written, when + 40 * HOUR)

    def forge_it() -> None:
        """Put the victim in the administrator's place, in the host's logs of that hour alone."""
        low, high = spot.when - 900, spot.when + 1500
        lab.forged[lab.mover] = [
            (admin.login, victim.login),
            (str(admin.uid), str(victim.uid)),
            (admin.kit(low).key, victim.kit(low).key),
            (spot.there.ip, there.there.ip),
        ]
        lab.forged_span = (low, high)
        lab.controllers |= {key: [admin.id] for key in keys}

    def tell() -> None:
        forge_it()
        account = lab.store.account(lab.service)
        also = [f"unix:{lab.service}", f"unix:{admin.login}", f"unix:{victim.login}"]
        if story.twin:
            answer = Answer(
                written.ref(story),
                admin.id,
                None,
                "account",
                "shared-identity",
                account,
                ["unknown", "forged-record"],
                also,
                users(story),
                not_flags=not_flags(maybe=("impossible-overlap",)),
                never=[victim.id],
            )
        else:
            answer = Answer(
                written.ref(story),
                admin.id,
                admin.id,
                "person",
                "forged-record",
                account,
                ["shared-identity"],
                also,
                [admin.id],
                ["record-conflict"],
                not_flags(maybe=("impossible-overlap",)),
                [victim.id],
            )
        q = story.ask(answer.object, spot.when, answer, at=lab.store.kind == "hdfs")
        story.causes.append(object_cause(story, q, written))
        yardsticks(story, q, pusher=None, process=victim)
        story.say(
            victim.id,
            "That entry was made up.",
            "record-forged",
            q,
            "not resolved" if story.twin else "supported",
            **({"person": admin.id} if rng.random() < 0.5 else {}),
        )
        story.say(victim.id, "I was not on that machine.", "not-me", q, "not resolved" if story.twin else "supported")

    story.plan(plan)
    story.tell(tell)


PLOT = Plot(
    16, "framed",
    {"copied": Variant(needs={"auth": True, "auditd": False, "loghost": True, "bastion": False}), "copied-audit": Variant(needs={"auth": True, "auditd": True, "loghost": True, "bastion": False}),
     "no-copy": Variant(True, {"auth": True, "auditd": False, "loghost": False, "edr": False, "okta": False, "meetings": False, "badge": False, "bastion": False})},
    plant,
)  # fmt: skip
