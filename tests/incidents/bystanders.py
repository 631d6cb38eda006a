"""What others happen to do in the very seconds of an act: a look at the same object, a push of another branch, a question to the scheduler. It says nothing of the act."""

from tests.incidents.lab.people import Person
from tests.incidents.plots.story import Story

_MOST = 2
"""bystanders of one act"""


def pass_by(story: Story) -> None:
    """Let some who are at their laptops at the moment of an act run a command of its kind that can't have made it; after everything has happened."""
    lab = story.lab
    for q in story.answers:
        when, rng = story.when.get(q), lab.rng("bystanders", q)
        if when is None or rng.random() < 0.4:
            continue
        actor = story.answers[q].actor
        near = [(p, s) for p in lab.people if p.id != actor and (s := lab.diary.at(p, when)) is not None and s.busy(when) and not s.silent]
        for person, stay in rng.sample(near, min(len(near), rng.randrange(1, _MOST + 1))):
            lab.diary.process(stay, when + rng.uniform(-14, -0.5), rng.choice(_commands(story, q, person)))


def _commands(story: Story, q: str, person: Person) -> list[str]:
    """Return what leads to no such act: as its own words say."""
    object_ = story.answers[q].object.partition("?")[0]
    kind = object_.partition(":")[0]
    if kind == "git":
        own = f"{person.login}/notes"
        return [f"git push origin {own}", f"git push --force origin {own}", "git fetch origin", "git -C ~/src pull"]
    if kind in ("s3", "hdfs"):
        look = ("aws s3 ls {}", "aws s3 cp {} .", "aws s3api head-object {}") if kind == "s3" else ("hdfs dfs -ls {}", "hdfs dfs -get {} .")
        return [line.format(object_) for line in look]
    if kind in ("slurm", "k8s"):
        return [
            "squeue -u all",
            "sbatch --test-only probe.sh",
            "kubectl get pods",
            "kubectl apply --dry-run=client -f job.yaml",
            "scontrol show job",
        ]
    return ["ssh-add -l", "ls -la", "git status"]
