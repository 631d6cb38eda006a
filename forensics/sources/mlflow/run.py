"""What a run, its parameters, tags and points of metrics become, whichever store they lie in."""

import re
from collections.abc import Mapping

import msgspec

from forensics import times
from forensics.errors import RecordError
from forensics.fields import attrs
from forensics.model import Event

LONGEST_VALUE = 1 << 16
"""bytes of a parameter or tag; MLflow itself refuses what is longer than 8000 characters"""
CARRIED = 1 << 20
"""characters of parameters and tags that a run's own event carries; they all have events of their own"""

JOB_TAGS = (
    "slurm_job_id", "SLURM_JOB_ID", "job_id", "slurm.job_id", "slurm_jobid", "SLURM_JOBID", "slurm.jobid",
    "k8s_job", "kubernetes.job", "kubernetes_job", "k8s.job", "kubernetes.job_name", "k8s_job_name",
)  # fmt: skip
"""tags in which training code is known to leave its scheduler's job; the first that is there counts"""
_KEPT = frozenset(
    (*JOB_TAGS, "mlflow.runName", "mlflow.source.name", "mlflow.source.git.commit", "mlflow.source.git.repoURL", "mlflow.user")
)
"""tags that a run's own event always carries"""
_STATUS = {"1": "RUNNING", "2": "SCHEDULED", "3": "FINISHED", "4": "FAILED", "5": "KILLED"}
"""a file store writes the number, a database the word (RunStatus of MLflow's service.proto)"""

_WHOLE = re.compile(r"-?\d{1,19}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_NO_NUMBER = frozenset(("nan", "inf", "infinity"))
_STEP = re.compile(r"-?\d{1,18}", re.ASCII)
_LARGEST = 1.7976931348623157e308

Facts = Mapping[str, str | None]


class Carried:
    """Parameters or tags that run events will carry, within a limit of characters."""

    def __init__(self, room: int) -> None:
        self._room = room
        self.values: dict[str, str] = {}
        self.complete = True

    def wants(self, key: str) -> bool:
        """Tell whether one would be kept."""
        return self._room > 0 or key in _KEPT

    def add(self, key: str, value: str) -> None:
        """Keep one, where there is still room for it."""
        self._room -= len(key) + len(value)
        if self._room >= 0 or key in _KEPT:
            self.values[key] = value
        else:
            self.complete = False


def moment(text: str | None) -> int | None:
    """Read a time as MLflow writes it: whole milliseconds since 1970 (seconds, before version 1.0), as nanoseconds."""
    if text is None or not text.strip():
        return None
    if not _WHOLE.fullmatch(text.strip()):
        raise RecordError(f"the time is no whole number: {text[:40]!r}")
    return times.epoch(text.strip())


def record(run: str, facts: Facts, params: Carried, tags: Carried, start: int, end: int, locator: str | None = None) -> Event:
    """Make the event of a run from its metadata, by the names of meta.yaml, and what else the store holds of it."""
    tag = tags.values.get
    user = facts.get("user_id") or tag("mlflow.user")
    status = (facts.get("status") or "").strip()
    named = facts.get("run_id") or facts.get("run_uuid")
    found = {
        "artifacts": facts.get("artifact_uri"),
        "commit": (tag("mlflow.source.git.commit") or facts.get("source_version") or "").strip(),
        "deleted": moment(facts.get("deleted_time")),
        "end": moment(facts.get("end_time")),
        "entry_point": facts.get("entry_point_name"),
        "experiment": facts.get("experiment_id"),
        "incomplete": not (params.complete and tags.complete) or None,
        "job": next((tag(name, "").strip() for name in JOB_TAGS if tag(name, "").strip()), None),
        "lifecycle": facts.get("lifecycle_stage"),
        "name": (tag("mlflow.runName") or facts.get("run_name") or "").strip(),
        "params": params.values,
        "repo": (tag("mlflow.source.git.repoURL") or tag("mlflow.gitRepoURL") or "").strip(),
        "run_id": named if named != run else None,
        "source": (tag("mlflow.source.name") or facts.get("source_name") or "").strip(),
        "status": _STATUS.get(status, status),
        "tags": tags.values,
    }
    return Event(
        start, end, moment(facts.get("start_time")), "run.record",
        object=f"mlflow:{run}", claimed=f"unix:{user.strip()}" if user and user.strip() else None, locator=locator, attrs=attrs(found),
    )  # fmt: skip


def experiment(facts: Facts, tags: Facts, start: int, end: int, locator: str | None = None) -> Event:
    """Make the event of an experiment, which is context alone."""
    found = {
        "artifacts": facts.get("artifact_location"),
        "experiment": facts.get("experiment_id"),
        "experiment_name": facts.get("name"),
        "lifecycle": facts.get("lifecycle_stage"),
        "tags": dict(tags),
        "updated": moment(facts.get("last_update_time")),
    }
    return Event(start, end, moment(facts.get("creation_time")), "log.message", locator=locator, attrs=attrs(found))


def note(action: str, run: str, key: str, value: str, start: int, end: int, locator: str | None = None) -> Event:
    """Make the event of a parameter (`run.param`) or tag (`run.tag`). Neither store says when it was set."""
    return Event(start, end, None, action, object=f"mlflow:{run}", name=key, locator=locator, attrs=_as_json({"value": value}))


def experiment_tag(name: str, key: str, value: str, start: int, end: int, locator: str | None = None) -> Event:
    """Make the event of an experiment's tag, which is context alone."""
    return Event(start, end, None, "log.message", name=key, locator=locator, attrs=_as_json({"experiment": name, "value": value}))


def _as_json(facts: dict[str, str]) -> str:
    return msgspec.json.encode(facts, order="sorted").decode()


def point(
    run: str, key: str, time: int | None, text: str, step: str, start: int, end: int, locator: str | None = None,
    action: str = "metric.point", dataset: str = "",
) -> Event:  # fmt: skip
    """Make the event of one value of a metric; what is no finite number is kept as text."""
    value = float(text) if _NUMBER.fullmatch(text) else None
    if value is None and text.lower().lstrip("+-") not in _NO_NUMBER:
        raise RecordError(f"the value is no number: {text[:40]!r}")
    if step and not _STEP.fullmatch(step):
        raise RecordError(f"the step is no whole number: {step[:40]!r}")
    finite = value is not None and abs(value) <= _LARGEST
    facts: str | None = f'{{"step":{int(step)}}}' if step else None
    if not finite or dataset:
        facts = attrs({"dataset": dataset, "step": int(step) if step else None, "text": None if finite else text})
    return Event(start, end, time, action, object=f"mlflow:{run}", name=key, value=value if finite else None, locator=locator, attrs=facts)
