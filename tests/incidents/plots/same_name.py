"""20. Two people of one name; somebody with several addresses; an account that was renamed."""

from dataclasses import replace

from tests.incidents.lab import forge as forges
from tests.incidents.lab.clock import HOUR
from tests.incidents.lab.world import Identifier
from tests.incidents.plots.scenes import BARE, Bad, code_cause, desk, push_answer, scale_statement, take_back, write_commit, yardsticks
from tests.incidents.plots.story import Plot, Story, Variant


def plant(story: Story) -> None:
    """Names are claims; accounts, leases and sensors are not: person, and never the namesake. `renamed`: the forge's older records bear
    the older name, which the registers hold; `unregistered`: the commit's address is in no register. The twin has nothing behind the account.
    """
    lab, rng = story.lab, story.rng
    actor, namesake = story.pick(), story.pick()
    spot, bad = desk(story, actor), Bad()
    if story.variant in ("namesake", "bare"):
        namesake.name = actor.name
    if story.variant == "unregistered":
        author = f"{actor.name} <{actor.name.split()[0].lower()}@box.example>"
    else:
        actor.emails.append(f"{actor.name.split()[0].lower()}.{actor.number}@mail.example")
        author = forges.signature(actor, len(actor.emails) - 1)

    def act() -> None:
        sha = write_commit(story, bad, spot.when, author, actor)
        lab.push(spot.there, actor, lab.forge.branch, sha, spot.when)

    def plan() -> None:
        lab.at(spot.settle().when, act)
        if rng.random() < 0.5:
            take_back(story, bad, story.pick(actor), spot.when + 50 * HOUR)

    def tell() -> None:
        answer = push_answer(
            story, spot, bad.sha, maybe=("author-mismatch",) if story.variant == "unregistered" else (), never=(namesake.id,)
        )
        if story.variant == "renamed":
            answer.account_also = [rename(story, actor, spot.when + rng.choice((-30, 30)) * HOUR)]
        q = story.ask(answer.object, spot.when, answer)
        story.causes.append(code_cause(story, q, bad))
        yardsticks(story, q, author=namesake if story.variant in ("namesake", "bare") else actor, committer=actor, pusher=actor)
        if story.variant == "namesake":
            story.say(
                namesake.id, "We have the same name. I did not push this.", "not-me", q, "supported" if answer.person else "not resolved"
            )
        scale_statement(story, q)

    story.plan(plan)
    story.tell(tell)


def rename(story: Story, actor, when: float) -> str:
    """Let the forge's records before a moment bear the account's former name; return the former account."""
    lab = story.lab
    former = f"{actor.handle[:4]}_{actor.number}"
    actor.old_names.append(former)
    lab.forge.pushes = [replace(p, login=former) if p.login == actor.handle and p.when < when else p for p in lab.forge.pushes]
    for e in lab.forge.events:
        if e["login"] == actor.handle and e["time"] < when:
            e["login"] = former
    lab.extra_identifiers.append(Identifier(f"{lab.shape.forge}:{former}", actor.id, "personal", actor.since, int(when), "forge"))
    return f"{lab.shape.forge}:{former}"


PLOT = Plot(20, "same-name", {"namesake": Variant(), "renamed": Variant(), "unregistered": Variant(), "bare": Variant(True, BARE)}, plant)
