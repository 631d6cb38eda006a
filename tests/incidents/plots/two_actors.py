"""23. Two people, who know nothing of each other, each pushed a harmful change."""

from tests.incidents.lab import forge as forges
from tests.incidents.plots.scenes import BARE, Bad, Desk, code_cause, desk, push_answer, write_commit, yardsticks
from tests.incidents.plots.story import Plot, Story, Variant


def plant(story: Story) -> None:
    """Each question has its own lease, credential and sensor's record: two persons. The twin has nothing behind either account."""
    lab, rng = story.lab, story.rng
    pairs = [(desk(story, story.pick(), share), Bad()) for share in (rng.uniform(0.3, 0.42), rng.uniform(0.46, 0.6))]

    def act(spot: Desk, bad: Bad) -> None:
        sha = write_commit(story, bad, spot.when, forges.signature(spot.person), spot.person)
        lab.push(spot.there, spot.person, lab.forge.branch, sha, spot.when)

    def plan() -> None:
        for spot, bad in pairs:
            lab.at(spot.settle().when, lambda spot=spot, bad=bad: act(spot, bad))

    def tell() -> None:
        (one, _), (two, _) = pairs
        for spot, bad in pairs:
            other = two.person if spot is one else one.person
            q = story.ask(lab.forge.ref(bad.sha), spot.when, push_answer(story, spot, bad.sha, never=(other.id,)))
            story.causes.append(code_cause(story, q, bad))
            yardsticks(story, q, author=spot.person, committer=spot.person, pusher=spot.person)
        first = story.answers["q1"]
        story.say(
            one.person.id,
            "The other one broke it, not I.",
            "someone-else",
            "q1",
            "contradicted" if first.person else "not resolved",
            person=two.person.id,
        )

    story.plan(plan)
    story.tell(tell)


PLOT = Plot(23, "two-actors", {"apart": Variant(), "bare": Variant(True, BARE)}, plant)
