"""11. A checkpoint holds code; a colleague's job loads it, and the colleague's process edits a file on the shared mount."""

from dataclasses import dataclass
from functools import partial

from tests.incidents.formats import checkpoints
from tests.incidents.formats.host_logs import job_process
from tests.incidents.lab.clock import HOUR
from tests.incidents.lab.cluster import Job
from tests.incidents.lab.diary import Stay
from tests.incidents.lab.ordinary import submit
from tests.incidents.lab.people import Person
from tests.incidents.plots.scenes import (
    Desk,
    Written,
    as_service,
    busiest_base,
    desk,
    node_host,
    not_flags,
    object_cause,
    on_service,
    put_words,
    users,
    yardsticks,
)
from tests.incidents.plots.story import Plot, Story, Variant
from tests.incidents.truth import Answer

PAYLOADS = (
    (checkpoints.call, "builtins", "exec", "import threading as t; t.Timer(40, __import__('{hook}').go).start()"),
    (checkpoints.call, "os", "system", "python3 -c 'import {hook}' &"),
    (checkpoints.stack_call, "builtins", "eval", "__import__('{hook}').arm('{share}')"),
    (checkpoints.call, "runpy", "run_path", "{share}/.cache/{hook}.py"),
)
USUAL = (("functools", "partial"), ("torch.optim.adamw", "AdamW"))
"""names that every checkpoint of this lab holds"""


@dataclass(slots=True)
class Deed:
    """What the plot knows about itself."""

    planter: Person
    victim: Person
    spot: Desk
    written: Written
    file: str
    edit: float = 0.0


def plant(story: Story) -> None:
    """Who loaded it is not who made it: the process ran as the job's owner, and the file's writer is that process. The object's own
    write leads from the planter's account over a leased address to the planter's laptop, whose sensor saw the upload: person, by deputy,
    for the file as for the object; the job's owner is never named.

    In the twin the object was written through a service account, and the transfer host's records and the sensors are missing.
    """
    lab, rng = story.lab, story.rng
    planter, victim = on_service(story, story.pick()), story.pick()
    spot, written = desk(story, planter, rng.uniform(0.3, 0.45)), Written(busiest_base(story))
    file = (
        f"{lab.share}/{victim.team}/settings/{rng.choice(('sched', 'limits', 'mixture', 'paths'))}.{rng.choice(('yaml', 'json', 'toml'))}"
    )
    deed = Deed(planter, victim, spot, written, file)

    def plan() -> None:
        lab.at(spot.settle().when - 600, lambda: _upload(story, deed))
        found = lab.diary.free(victim, spot.when + 3 * HOUR, spot.when + 90 * HOUR, rng)
        assert found is not None
        lab.at(found[1], lambda: _load(story, deed, *found))
        for n in range(3):
            lab.checkpoints[f"{victim.team}/old/{n}-step.pt"] = checkpoints.torch_zip(rng, 2, b"", USUAL)
        lab.checkpoints[f"{victim.team}/old/tokens.safetensors"] = checkpoints.safetensors(rng)

    story.plan(plan)
    story.tell(lambda: _tell(story, deed))


def _upload(story: Story, deed: Deed) -> None:
    lab, rng, written, spot = story.lab, story.rng, deed.written, deed.spot
    if story.twin:
        as_service(story, spot, written)
    else:
        words, _ = put_words(story, written.key)
        lab.diary.process(spot.there, spot.when - 1.7, " ".join(words))
        written.when, written.version = spot.when, lab.store.put(written.key, spot.when, deed.planter.login, spot.there.ip)
    how, module, name, text = rng.choice(PAYLOADS)
    hook = f"_{rng.choice(('fastpath', 'jitcache', 'kernels'))}{rng.randrange(90)}"
    lab.checkpoints[written.key] = checkpoints.torch_zip(rng, 3, how(module, name, text.format(hook=hook, share=lab.share)), USUAL)


def _load(story: Story, deed: Deed, stay: Stay, when: int) -> None:
    """Have the victim's job load it, and its process edit the file."""
    lab = story.lab
    clone = next(c for c in lab.clones if c.team == deed.victim.team)
    session = lab.ssh(stay, clone.host, when - 60, min(when + 600, stay.end - 10))
    job = submit(lab, stay, session, clone, when, story.rng, nodes=1)
    job.loads, job.state = deed.written.key, "COMPLETED"
    deed.edit = job.start + story.rng.randrange(90, 700)
    lab.at(job.start + 31, partial(_on_node, story, job, deed))


def _on_node(story: Story, job: Job, deed: Deed) -> None:
    """Record on the job's node that its process started, and that it wrote the file."""
    lab, rng, edit, file = story.lab, story.rng, deed.edit, deed.file
    node = node_host(story, job.nodes[0])
    words = ["python3", "-m", f"{lab.forge.package}.loop.train", "--resume", lab.store.ref(job.loads)]
    job_process(node, job.start + 12.4, job.person.login, job.person.uid, words, job.workdir, rng)
    job_process(node, edit + 0.21, job.person.login, job.person.uid, words, job.workdir, rng, file)
    job.end = max(job.end, int(edit) + 1200)
    for n, day in enumerate(lab.days if lab.shape.integrity else ()):
        checked = lab.moment(day, 3.1)
        lab.checks.append({"time": checked, "path": file, "result": "ok" if checked < edit else "changed", "found": f"{n:02x}" * 16})


def _tell(story: Story, deed: Deed) -> None:
    lab, planter, victim, written, twin = story.lab, deed.planter, deed.victim, deed.written, story.twin
    account = lab.store.account(lab.service if twin else planter.login)
    person, rung, candidates = (None, "account", users(story)) if twin else (planter.id, "person", [planter.id])
    also, unsure = [f"unix:{planter.login}", f"unix:{lab.service}"], ["unknown"] if twin else []
    common = {"candidates": candidates, "flags": ["hidden-code"], "not_flags": not_flags("hidden-code"), "never": [victim.id]}
    first = Answer(f"file://{deed.file}", planter.id, person, rung, "deputy", account, unsure, [*also, f"unix:{victim.login}"], **common)
    q1 = story.ask(first.object, deed.edit, first, about="Changed behind its owner's back; who answers for it?")
    second = Answer(
        written.ref(story),
        planter.id,
        person,
        rung,
        "deputy",
        account,
        ["own-account", *(["shared-identity", "unknown"] if twin else [])],
        also,
        **common,
    )
    q2 = story.ask(second.object, deed.spot.when, second, at=lab.store.kind == "hdfs")
    story.causes.append(object_cause(story, q2, written))
    yardsticks(story, q1, process=victim)
    yardsticks(story, q2, pusher=None if twin else planter)
    story.say(victim.id, "My job ran there, but I never touched that file.", "not-me", q1, "not resolved" if twin else "supported")


NEEDS = {"edr": False, "auditd": False, "auth": False, "loghost": False, "okta": False, "meetings": False}
PLOT = Plot(11, "planted-checkpoint", {"own-upload": Variant(), "service-upload": Variant(True, NEEDS)}, plant)
