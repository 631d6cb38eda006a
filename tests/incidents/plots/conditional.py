"""26. A pushed change that harms large jobs alone, or the jobs of one team alone."""

from tests.incidents.lab import forge as forges
from tests.incidents.lab.cluster import Job
from tests.incidents.plots.scenes import BARE, Bad, code_cause, desk, push_answer, scale_statement, write_commit, yardsticks
from tests.incidents.plots.story import Plot, Story, Variant


def plant(story: Story) -> None:
    """The push is as any other: person by lease, credential and sensor. Of the jobs that ran the change, those are harmed on which it acts;
    what it asks for stands in its lines. The twin has nothing behind the account.
    """
    lab, rng = story.lab, story.rng
    actor = story.pick()
    spot, bad = desk(story, actor, rng.uniform(0.25, 0.45)), Bad()
    least = 16
    team = rng.choice(sorted({p.team for p in lab.people if p is not actor}))
    large = story.variant != "one-team"

    def fragile(job: Job) -> bool:
        return job.gpus >= least if large else job.team == team

    def act() -> None:
        asked = f'int(os.environ.get("WORLD_SIZE", "1")) >= {least}' if large else f'os.environ.get("TEAM", "") == "{team}"'
        payload = f"\nif {asked}:\n    SCALE = SCALE * 1.5\n"
        sha = write_commit(story, bad, spot.when, forges.signature(actor), actor, payload=payload)
        lab.push(spot.there, actor, lab.forge.branch, sha, spot.when)

    def plan() -> None:
        lab.at(spot.settle().when, act)
        story.fragile = fragile

    def tell() -> None:
        q = story.ask(lab.forge.ref(bad.sha), spot.when, push_answer(story, spot, bad.sha), about="Only some of the runs go wrong.")
        story.causes.append(code_cause(story, q, bad))
        yardsticks(story, q, author=actor, committer=actor, pusher=actor)
        scale_statement(story, q)

    story.plan(plan)
    story.tell(tell)


PLOT = Plot(26, "conditional", {"large-jobs": Variant(), "one-team": Variant(), "bare": Variant(True, BARE)}, plant)
