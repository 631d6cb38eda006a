"""22. A node is faulty. Nobody did anything; a commit of those days is suspected."""

from tests.incidents.lab import forge as forges
from tests.incidents.lab.clock import HOUR
from tests.incidents.lab.cluster import Job
from tests.incidents.plots.scenes import BARE, Bad, code_cause, desk, push_answer, write_commit, yardsticks
from tests.incidents.plots.story import Cause, Plot, Story, Variant


def plant(story: Story) -> None:
    """The harmed runs have the node in common, and the commit runs on healthy nodes as well. Who pushed the commit can be told, from lease
    and sensor: person; it is no misdeed. The twin has nothing behind the account.
    """
    lab = story.lab
    actor = story.pick()
    spot, innocent = desk(story, actor), Bad()
    faulty = {"node": ""}

    def act() -> None:
        sha = write_commit(story, innocent, spot.when, forges.signature(actor), actor)
        lab.push(spot.there, actor, lab.forge.branch, sha, spot.when)

    def plan() -> None:
        lab.at(spot.settle().when, act)

    def direct(job: Job) -> bool:
        return faulty["node"] in job.nodes and job.start > spot.when - 30 * HOUR

    def tell() -> None:
        q = story.ask(
            lab.forge.ref(innocent.sha), spot.when, push_answer(story, spot, innocent.sha), about="Pushed when the trouble began."
        )
        harmless = code_cause(story, q, innocent)
        harmless.blamed = False
        faulty["node"] = busiest(story)
        name = f"node:{lab.cluster.name}/{faulty['node']}"
        story.causes += [harmless, Cause("", lambda: name, lambda: [name], direct, lambda _: True, spreads=False)]
        yardsticks(story, q, author=actor, committer=actor, pusher=actor)

    story.plan(plan)
    story.tell(tell)


def busiest(story: Story) -> str:
    """Return the node that most jobs ran on, which is the one that turned bad."""
    jobs = story.lab.cluster.jobs
    counts = {n: sum(n in j.nodes for j in jobs) for n in story.lab.cluster.node_names()}
    return max(sorted(counts), key=lambda n: counts[n])


PLOT = Plot(22, "bad-node", {"suspected-commit": Variant(), "bare": Variant(True, BARE)}, plant)
