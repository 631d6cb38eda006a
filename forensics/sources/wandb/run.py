"""What a run, its settings, numbers and packages become, whichever file tells them."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from forensics import times
from forensics.errors import RecordError
from forensics.fields import attrs
from forensics.model import Event

LONGEST = 1 << 16
"""characters of a value that is kept"""
_MOST = 10_000
"""settings or numbers of one run"""
_JOB = ("slurm_job_id", "SLURM_JOB_ID", "slurm_jobid", "SLURM_JOBID", "job_id", "k8s_job", "kubernetes_job", "k8s_job_name", "JOB_NAME")
"""settings in which training code is known to leave its scheduler's job; the first that is there counts"""
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_PINNED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,200})==([A-Za-z0-9][A-Za-z0-9.!+_-]{0,100})", re.ASCII)
_UNPINNED = re.compile(
    r"\s*(?:#|-[A-Za-z-]+[ =]|git\+|https?://|file:|[./]+\w|[A-Za-z0-9][\w.-]{0,200}(?:\[[\w,-]*\])?\s*(?:@|[<>=!~]=|[<>]|;|$))", re.ASCII
)
"""other lines of a file of requirements: options, places, names without a version"""

Json = Mapping[str, Any]


def reference(run: str) -> str:
    """Return the run's reference; RecordError where nothing tells which run it is."""
    if not run:
        raise RecordError("nothing tells which run this is of")
    return f"wandb:{run}"


def moment(value: object) -> int | None:
    """Return a time in nanoseconds: seconds since 1970, or ISO 8601, which the service writes in UTC with an offset or without."""
    if isinstance(value, bool) or value is None or value == "":
        return None
    if isinstance(value, (int, float)):
        if not math.isfinite(value) or not 0 < value < 9e9:
            raise RecordError(f"no time since 1970: {value!r}")
        return round(value * 1e6) * (times.SECOND // 1_000_000)
    if isinstance(value, str):
        return times.parse(value, "UTC")[0]
    raise RecordError("a time that is neither a number nor text")


def record(run: str, meta: Json, config: Json, start: int, end: int, more: Json) -> Event:
    """Make the event of a run from its metadata (wandb-metadata.json, or the same in an export), its config, and what else is told of it."""
    git, slurm = _object(meta.get("git")), _object(meta.get("slurm"))
    commit = str(git.get("commit") or more.get("commit") or "").strip().lower()
    root, program = _text(meta.get("root")), _text(meta.get("codePath") or meta.get("program"))
    found = {
        "args": [str(a)[:LONGEST] for a in meta["args"]] if isinstance(meta.get("args"), list) else None,
        "commit": commit if _SHA.fullmatch(commit) else None,
        "gpus": meta.get("gpu_count") if isinstance(meta.get("gpu_count"), int) else None,
        "host": _text(meta.get("host")),
        "image": _text(meta.get("docker")),
        "job": _job(slurm, config),
        "name": _text(more.get("display_name") or more.get("displayName") or more.get("name")),
        "params": {k: text(v) for k, v in sorted(config.items())[:_MOST] if not k.startswith("_")},
        "python": _text(meta.get("python")),
        "repo": _text(git.get("remote")),
        "root": root,
        "source": program if not root or not program or program.startswith("/") else f"{root.rstrip('/')}/{program}",
        "status": _text(more.get("state") or meta.get("state")),
        "end": moment(more.get("heartbeatAt") or meta.get("heartbeatAt")),
    }
    email, user = _text(meta.get("email")), _text(meta.get("username") or _object(more.get("user")).get("username"))
    claimed = f"email:{email}" if email else f"unix:{user}" if user else None
    began = moment(meta.get("startedAt") or more.get("createdAt") or more.get("created_at"))
    return Event(start, end, began, "run.record", object=reference(run), claimed=claimed, attrs=attrs(found))


def _job(slurm: Json, config: Json) -> str | None:
    """Return the scheduler's job: of an array, as the scheduler prints it."""
    task, whole = (str(slurm.get(k) or "") for k in ("array_task_id", "array_job_id"))
    if task and whole:
        return f"{whole}_{task}"
    return str(slurm.get("job_id") or slurm.get("jobid") or "") or next((text(config[k]) for k in _JOB if config.get(k)), None)


def params(run: str, config: Json, start: int, end: int) -> Iterator[Event]:
    """Yield the settings of a run."""
    for key, value in sorted(config.items())[:_MOST]:
        if not key.startswith("_"):
            yield param(run, key, text(value), start, end)


def param(run: str, key: str, value: str, start: int, end: int) -> Event:
    """Make the event of one setting."""
    facts = msgspec.json.encode({"value": value[:LONGEST]}, order="sorted").decode()
    return Event(start, end, None, "run.param", object=reference(run), name=key, attrs=facts)


def numbers(run: str, row: Json, start: int, end: int, action: str) -> Iterator[Event]:
    """Yield the numbers of a row of a history, or of a summary; `_timestamp` is their time, `_step` their step."""
    stamp, step = row.get("_timestamp"), row.get("_step")
    time = moment(stamp) if isinstance(stamp, (int, float)) else None
    place = step if isinstance(step, int) and not isinstance(step, bool) and abs(step) < 1 << 62 else None
    for key, value in list(row.items())[:_MOST]:
        number = _number(value)
        if number is None or key.startswith("_"):
            continue
        finite = math.isfinite(number)
        facts = attrs({"step": place, "text": None if finite else str(number)})
        yield Event(start, end, time, action, object=reference(run), name=key, value=number if finite else None, attrs=facts)


def _number(value: object) -> float | None:
    """Return a number; the service writes those that JSON has not as texts."""
    if isinstance(value, str) and value in ("NaN", "Infinity", "-Infinity"):
        return float(value.replace("Infinity", "inf"))
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300 else None


def package(run: str, line: str, start: int, end: int) -> Event:
    """Make the event of an installed package; a line that pins no version (a path, a repository) is kept as it stands."""
    found = _PINNED.fullmatch(line.strip())
    if found is None:
        if not _UNPINNED.match(line):
            raise RecordError(f"no requirement: {line[:40]!r}")
        return Event(start, end, None, "log.message", object=reference(run), attrs=attrs({"line": line.strip()[:LONGEST]}))
    name = re.sub(r"[-_.]+", "-", found[1]).lower()  # https://packaging.python.org/en/latest/specifications/name-normalization/
    return Event(start, end, None, "run.package", object=reference(run), target=f"pkg:pypi/{name}@{found[2]}")


def text(value: object) -> str:
    """Return a setting as text: strings as they are, all else as JSON."""
    return value[:LONGEST] if isinstance(value, str) else msgspec.json.encode(value, order="sorted").decode()[:LONGEST]


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value[:LONGEST] if isinstance(value, str) and value else None
