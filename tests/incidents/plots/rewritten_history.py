"""4. A harmful commit was on the branch, jobs ran it, and a forced push took it off again."""

from tests.incidents.lab import forge as forges
from tests.incidents.lab.clock import HOUR
from tests.incidents.lab.diary import Stay
from tests.incidents.lab.people import Person
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
    silent_log,
    write_commit,
    yardsticks,
)
from tests.incidents.plots.story import Plot, Story, Variant
from tests.incidents.truth import Answer


def plant(story: Story) -> None:
    """The commit is unreachable; the forge's record of its push, the shared clone's reflog and the objects themselves remain: person.

    In `gap` the forge recorded nothing over the push: the repository's reflog still shows the movement, and no account: change.
    """
    lab, rng = story.lab, story.rng
    actor = story.pick()
    spot, bad = desk(story, actor, rng.uniform(0.35, 0.5)), Bad()

    def act() -> None:
        sha = write_commit(story, bad, spot.when, forges.signature(actor), actor)
        lab.push(spot.there, actor, lab.forge.branch, sha, spot.when)

    def plan() -> None:
        when = spot.settle().when
        lab.at(when, act)
        lab.at(when + 5 * HOUR, lambda: _pulled(story, when + 5 * HOUR))
        found = lab.diary.free(actor, when + 20 * HOUR, when + 100 * HOUR, rng)
        if found:
            lab.at(found[1], lambda: _dropped(story, actor, bad, *found))
        if story.variant == "gap":
            own = "forge-shell" if lab.shape.forge == "gitlab" else "forge-audit"
            silent_log(story, "forge", when - rng.randrange(2, 4) * HOUR, when + rng.randrange(3, 5) * HOUR, own)

    def tell() -> None:
        gone = ["rewritten-history"] if bad.gone else []
        if story.variant == "gap":
            answer = Answer(
                lab.forge.ref(bad.sha),
                actor.id,
                None,
                "change",
                "unknown",
                None,
                ["own-account"],
                candidates=story.everyone(spot.when),
                flags=["log-gap", *gone],
                not_flags=not_flags("rewritten-history", "log-gap"),
            )
        else:
            rung = rung_of_push(
                story, device=device_known(story, spot.person, spot.where), credential=credential_known(story, actor), command=lab.shape.edr
            )
            person = actor.id if rung == "person" else None
            answer = Answer(lab.forge.ref(bad.sha), actor.id, person, rung, "own-account", forge_account(story, actor), ["defect"], candidates=[actor.id] if person else story.everyone(spot.when),
                            flags=gone, not_flags=not_flags("rewritten-history"))  # fmt: skip
        q = story.ask(answer.object, spot.when, answer)
        story.causes.append(code_cause(story, q, bad))
        yardsticks(story, q, author=actor, committer=actor, pusher=None if story.variant == "gap" else actor)
        scale_statement(story, q)

    story.plan(plan)
    story.tell(tell)


def _pulled(story: Story, when: float) -> None:
    """Let one of the shared clones have the commit, whatever else happens."""
    lab = story.lab
    lab.pull(lab.clones[story.rng.randrange(len(lab.clones))], story.rng.choice(lab.people), None, when)


def _dropped(story: Story, actor: Person, bad: Bad, stay: Stay, when: int) -> None:
    """Take the commit off the branch, and off the branches that grew from it: what came after is put on top of its parent anew."""
    lab, forge = story.lab, story.lab.forge
    base = forge.commits[bad.sha].parents[0]
    bad.gone = when
    for ref in [forge.branch, *sorted(r for r in forge.refs if r != forge.branch)]:
        if not forge.contains(forge.refs[ref], bad.sha):
            continue
        tip, later = base, _line(forge, forge.refs[ref], bad.sha)
        for c in later:
            tip = forge.commit(
                [tip],
                dict(c.edits),
                forges.signature(c.who or actor),
                c.when,
                c.title,
                who=c.who,
                committer=forges.signature(actor),
                committed=when - 20,
            )
        if ref == forge.branch:
            lab.push(stay, actor, ref, tip, when, force=True, count=len(later))
        else:
            forges.robot_push(
                forge, lab.robot, ref, tip, when + 90, "10.9.0.7", key_number=299 if lab.shape.forge == "gitlab" else 0
            ).force = True


def _line(forge, tip: str, stop: str):
    """Return the first-parent line from a commit (left out) to the tip, oldest first."""
    out = []
    while tip != stop and forge.commits[tip].parents:
        out.append(forge.commits[tip])
        tip = forge.commits[tip].parents[0]
    return out[::-1]


PLOT = Plot(4, "rewritten-history", {"force-push": Variant(), "gap": Variant(True, {"edr": False})}, plant)
