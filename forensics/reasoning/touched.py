"""Jobs that a thing reached which is neither code nor content: a job itself, a node, a switch, a driver, a package, a training run."""

from typing import Any

from forensics.reasoning.world import World

Row = dict[str, Any]

_ITSELF = """
    SELECT 'jobs' AS rule, $o AS src, job AS dst, coalesce(start, submit) AS time, coalesce(start, submit) AS time_hi, true AS recorded, events
    FROM jobs WHERE job = $o ORDER BY time
"""

# A scheduler names its nodes within its own cluster; a reference bears the cluster's name.
_ON_NODE = """
    SELECT 'jobs' AS rule, $o AS src, job AS dst, coalesce(start, submit) AS time, coalesce(start, submit) AS time_hi, true AS recorded, events
    FROM jobs WHERE list_contains(nodes, $o) OR (list_contains(nodes, $name) AND regexp_extract(job, '^[a-z0-9]+:([^/]*)/', 1) = $cluster) ORDER BY dst, time
"""

_LINKED = "SELECT * FROM edges WHERE src = $o AND regexp_matches(dst, '^(slurm|k8s):') ORDER BY dst, time, events"

_TRACKED = """
    SELECT 'tracked' AS rule, $o AS src, j.job AS dst, coalesce(j.start, j.submit) AS time, coalesce(j.start, j.submit) AS time_hi, true AS recorded, [e.id] AS events
    FROM events e JOIN jobs j ON regexp_extract(j.job, '[^/]+$') = json_extract_string(e.attrs, '$.job')
    WHERE e.action = 'run.record' AND e.object = $o ORDER BY dst, time
"""

_INSTALLED = """
    SELECT 'tracked' AS rule, $o AS src, j.job AS dst, coalesce(j.start, j.submit) AS time, coalesce(j.start, j.submit) AS time_hi, true AS recorded, [p.id, e.id] AS events
    FROM events p JOIN events e ON e.action = 'run.record' AND e.object = p.object
    JOIN jobs j ON regexp_extract(j.job, '[^/]+$') = json_extract_string(e.attrs, '$.job')
    WHERE p.action = 'run.package' AND p.target = $o ORDER BY dst, time
"""


def touched(world: World, reference: str) -> list[Row]:
    """Return the edges into the jobs that this thing reached, as records show them."""
    if reference.startswith(("slurm:", "k8s:")):
        return world.tables.rows(_ITSELF, o=reference)
    if reference.startswith("node:"):
        cluster, _, name = reference.removeprefix("node:").partition("/")
        return world.tables.rows(_ON_NODE, o=reference, cluster=cluster, name=name)
    if reference.startswith(("mlflow:", "wandb:", "tensorboard:")):
        return world.tables.rows(_TRACKED, o=reference)
    if reference.startswith("pkg:"):
        return [*world.tables.rows(_LINKED, o=reference), *world.tables.rows(_INSTALLED, o=reference)]
    return world.tables.rows(_LINKED, o=reference)
