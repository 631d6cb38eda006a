"""19. An account's name was given to a new person after its first owner had left."""

from tests.incidents.lab import forge as forges
from tests.incidents.lab.clock import DAY, HOUR
from tests.incidents.plots.scenes import BARE, Bad, code_cause, desk, push_answer, scale_statement, take_back, write_commit, yardsticks
from tests.incidents.plots.story import Plot, Story, Variant


def plant(story: Story) -> None:
    """The registers say whose the name was and when; the act lies in the second owner's time, from the second owner's laptop: person, and
    never the first owner. The twin has nothing behind the account.
    """
    lab, rng = story.lab, story.rng
    old, new = story.pick(), story.pick()
    old.until = lab.begin - rng.randrange(9, 40) * DAY
    old.disabled = old.until
    new.since = lab.begin - rng.randrange(1, 6) * DAY
    new.login, new.forge, new.emails = old.login, old.forge, [old.emails[0]]
    new.gear = new.gear[-1:]
    spot, bad = desk(story, new), Bad()

    def act() -> None:
        sha = write_commit(story, bad, spot.when, forges.signature(new), new)
        lab.push(spot.there, new, lab.forge.branch, sha, spot.when)

    def plan() -> None:
        lab.at(spot.settle().when, act)
        if rng.random() < 0.5:
            take_back(story, bad, story.pick(new), spot.when + 50 * HOUR)

    def tell() -> None:
        q = story.ask(lab.forge.ref(bad.sha), spot.when, push_answer(story, spot, bad.sha, never=(old.id,)))
        story.causes.append(code_cause(story, q, bad))
        yardsticks(story, q, author=new, committer=new, pusher=old)
        story.say(old.id, "I left before that; the name is somebody else's now.", "left-before", q, "supported")
        scale_statement(story, q)

    story.plan(plan)
    story.tell(tell)


PLOT = Plot(19, "handed-on", {"same-name": Variant(), "bare": Variant(True, BARE)}, plant)
