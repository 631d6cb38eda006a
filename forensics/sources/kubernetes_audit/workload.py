"""What a job asks for: GPUs, command, environment, image, working directory, commit; read from the object that was sent."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

from forensics.fields import number, text

_DEEPEST = 16
_MOST = 1_000_000
"""copies of a pod beyond which a number is taken for nonsense"""

_ACCELERATORS = frozenset({"aws.amazon.com/neuron", "google.com/tpu", "habana.ai/gaudi", "volcano.sh/gpu-number", "gpu.intel.com/i915"})
"""besides `<vendor>/gpu`: https://kubernetes.io/docs/tasks/manage-gpus/scheduling-gpus/"""
_COMMIT_NAME = re.compile(r"(?:^|_)(?:COMMIT|GIT_?(?:SHA|REV|REVISION|HASH)|REVISION)(?:_|$)", re.IGNORECASE)
_SHA = re.compile(r"[0-9a-f]{40}")


def facts(job: dict[str, Any]) -> dict[str, Any]:
    """Return what a Job, PyTorchJob, Workflow, Pod or the like asks for."""
    metadata = _object(job.get("metadata"))
    specs = list(_pods(job.get("spec"), 1, 0)) if "spec" in job else []
    containers = [container for _, spec in specs for container in _list(spec.get("containers"))]
    main = next((c for c in containers if c.get("command") or c.get("args")), containers[0] if containers else {})
    env: dict[str, str] = {}
    for container in containers:
        env = _environment(container) | env
    labels = {key: text(value) for key, value in _object(metadata.get("labels")).items() if not isinstance(value, (dict, list))}
    return {
        "command": _command(main) or _string(_object(job.get("spec")).get("entrypoint")),
        "commit": next((value for name, value in sorted(env.items()) if _COMMIT_NAME.search(name) and _SHA.fullmatch(value)), None),
        "env": env,
        "gpus": sum(count * sum(_gpus(c) for c in _list(spec.get("containers"))) for count, spec in specs) or None,
        "image": _string(main.get("image")),
        "labels": labels,
        "owner": labels.get("owner"),
        "team": labels.get("team"),
        "workdir": _string(main.get("workingDir")) or env.get("WORKDIR"),
    }


def owner(thing: dict[str, Any]) -> str | None:
    """Return the name of the object that an object belongs to, such as a pod's job."""
    found = controller(thing)
    return found[1] if found else None


def controller(thing: dict[str, Any]) -> tuple[str, str] | None:
    """Return (resource, name) of the object that an object belongs to: the one that made it, where that is told.

    https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/
    """
    owners = _list(_object(thing.get("metadata")).get("ownerReferences"))
    found = next((o for o in owners if o.get("controller") is True), owners[0] if owners else {})
    named = _string(found.get("name"))
    return (f"{_string(found.get('kind')) or ''}s".lower(), named) if named else None


def by_hand(thing: dict[str, Any]) -> bool:
    """Tell whether a job says that somebody made it out of a timetable by hand (kubectl, pkg/cmd/create/create_job.go)."""
    return "cronjob.kubernetes.io/instantiate" in _object(_object(thing.get("metadata")).get("annotations"))


def name(thing: dict[str, Any]) -> str | None:
    """Return the name that an object bears."""
    return _string(_object(thing.get("metadata")).get("name"))


def _pods(node: object, count: float, depth: int) -> Iterator[tuple[float, dict[str, Any]]]:
    """Yield (copies, pod spec) wherever a kind of job keeps them.

    `parallelism` of a Job, `replicas` of Kubeflow's replica specs, Volcano's tasks, Ray's groups and JobSet's jobs multiply what is
    below them; Argo's templates hold one `container` each.
    """
    if depth > _DEEPEST:
        return
    if isinstance(node, list):
        for inner in node:
            yield from _pods(inner, count, depth + 1)
    if not isinstance(node, dict):
        return
    count *= _copies(node.get("parallelism")) * _copies(node.get("replicas"))
    if isinstance(node.get("containers"), list):
        yield count, node
        return
    if isinstance(node.get("container"), dict):
        yield count, {"containers": [node["container"]]}
    for key in sorted(node):
        if key not in {"containers", "container", "initContainers", "metadata", "status"}:
            yield from _pods(node[key], count, depth + 1)


def _copies(value: object) -> int:
    if value is None:
        return 1
    found = number(value)
    return int(found) if found is not None and 1 <= found <= _MOST else 1


def _gpus(container: dict[str, Any]) -> float:
    resources = _object(container.get("resources"))
    wanted = _object(resources.get("requests")) | _object(resources.get("limits"))
    found = (number(value) for key, value in sorted(wanted.items()) if key.endswith("/gpu") or key in _ACCELERATORS)
    return sum(value for value in found if value is not None and 0 <= value <= _MOST)


def _environment(container: dict[str, Any]) -> dict[str, str]:
    """Return a container's variables; those that come from secrets and the like have no value here."""
    pairs = ((_string(v.get("name")), v.get("value")) for v in _list(container.get("env")))
    return {name: text(value) for name, value in pairs if name and value is not None and not isinstance(value, (dict, list))}


def _command(container: dict[str, Any]) -> str | None:
    words = [container.get(key) for key in ("command", "args")]
    return shlex.join(text(w) for part in words if isinstance(part, list) for w in part if not isinstance(w, (dict, list))) or None


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
