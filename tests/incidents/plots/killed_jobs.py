"""25. Somebody cancelled a colleague's jobs."""

from making.hosts import run

from tests.incidents.lab.cluster import Job
from tests.incidents.lab.ordinary import submit
from tests.incidents.plots.scenes import BARE, Desk, desk, not_flags, yardsticks
from tests.incidents.plots.story import Plot, Story, Variant
from tests.incidents.truth import Answer


def plant(story: Story) -> None:
    """Kubernetes: the API server names account and address, the lease the laptop, whose sensor saw the command. Slurm: the accounting
    names the number of the account; on the login host the audit log shows `scancel` in a login that leads to the laptop: person.

    In the twin only the scheduler's own record is left: an account.
    """
    lab = story.lab
    actor, owner = story.pick(), story.pick()
    spot = desk(story, actor, where="office", hour=12.5 + 3.5 * story.rng.random())
    early = desk(story, owner, day=spot.day, where="office", hour=9.3 + story.rng.random())
    killed: list[Job] = []

    def cancel() -> None:
        running = [j for j in lab.cluster.jobs if j.start < spot.when - 60 and j.end > spot.when + 600 and j.person is owner]
        account = f"sso:{actor.emails[0]}"
        session = None
        if lab.cluster.kind == "slurm":
            session = lab.ssh(spot.there, lab.login_host(), spot.when - 240, min(spot.when + 400, spot.there.end - 20))
        for n, job in enumerate(running):
            when = spot.when + 7 * n
            job.cancelled_by, job.end = (when, account, actor.uid, lab.seen_ip(spot.there)), when + 1
            job.writes = [w for w in job.writes if w[0] < when]
            if session is not None:
                run(session, when - 0.4, ["scancel", str(job.number)], f"/home/{actor.login}")
            else:
                lab.diary.process(spot.there, when - 0.9, f"kubectl delete job {job.name} -n {lab.cluster.namespace}")
            killed.append(job)

    def plan() -> None:
        lab.at(early.settle().when - 120, lambda: _hand_in(story, early))
        lab.at(spot.settle().when, cancel)

    def tell() -> None:
        job = killed[0]
        slurm = lab.cluster.kind == "slurm"
        account = f"unix:{actor.login}" if slurm else f"k8s:sso:{actor.emails[0]}"
        also = [f"unix:#{actor.uid}"]
        if story.twin:
            answer = Answer(
                lab.cluster.ref(job),
                actor.id,
                None,
                "account",
                "own-account",
                account,
                ["unknown", "credential-misuse"],
                also,
                story.everyone(spot.when),
                not_flags=not_flags(),
                never=[job.person.id],
            )
        else:
            answer = Answer(
                lab.cluster.ref(job),
                actor.id,
                actor.id,
                "person",
                "own-account",
                account,
                [],
                also,
                [actor.id],
                not_flags=not_flags(),
                never=[job.person.id],
            )
        q = story.ask(answer.object, spot.when, answer, at=True, about="Who cancelled this job?")
        yardsticks(story, q, process=job.person)
        story.say(job.person.id, "I did not cancel it.", "not-me", q, "not resolved" if story.twin else "supported")

    story.symptoms = False
    story.plan(plan)
    story.tell(tell)


def _hand_in(story: Story, early: Desk) -> None:
    """Have the owner start two jobs that are going to run for hours."""
    lab = story.lab
    clone = next(c for c in lab.clones if c.team == early.person.team)
    session = lab.ssh(early.there, clone.host, early.when - 100, min(early.when + 1200, early.there.end - 20))
    for n in range(2):
        job = submit(lab, early.there, session, clone, early.when + 200 * n, story.rng, nodes=1, hours=9)
        job.state = "COMPLETED"


SLURM, K8S = {"scheduler": "slurm", "auditd": True, "auth": True}, {"scheduler": "k8s"}
BARE_HOST = {**BARE, "auth": False, "auditd": False}
PLOT = Plot(
    25,
    "killed-jobs",
    {
        "scancel": Variant(needs=SLURM),
        "delete": Variant(needs=K8S),
        "slurm-bare": Variant(True, {**BARE_HOST, "scheduler": "slurm"}),
        "k8s-bare": Variant(True, {**BARE_HOST, "scheduler": "k8s"}),
    },
    plant,
)
