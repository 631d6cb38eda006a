"""What an object reached, as a value for programs and in words for people."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from forensics import times
from forensics.model import CaseConfig
from forensics.reasoning.reach import Reach
from forensics.tables import Tables
from forensics.telling.prose import Line, Text, cited, wrapped
from forensics.telling.references import References
from forensics.telling.trace import resolve

Json = Mapping[str, Any]
# Nodes and packages stand in no edge, and an object's bare name may only stand there with a version.
_KNOWN = """
    SELECT 1 WHERE EXISTS (SELECT 1 FROM jobs WHERE list_contains(nodes, $name) OR list_contains(nodes, regexp_extract($name, '^node:[^/]*/(.*)$', 1)))
        OR EXISTS (SELECT 1 FROM edges WHERE starts_with(src, $name || '?') OR starts_with(dst, $name || '?'))
        OR EXISTS (SELECT 1 FROM events WHERE action = 'run.package' AND target = $name)
"""
SHOWN = 25
"""things that are listed of each kind, unless all are asked for"""
_RECORDS = 3
"""records that are cited for each"""


def named(tables: Tables, name: str) -> str:
    """Return the object that is meant; ForensicsError, with what is near, where no record names it."""
    return name if tables.rows(_KNOWN, name=name) else resolve(tables, name)


def make(found: Reach, case: CaseConfig, refs: References) -> dict[str, Any]:
    """Return the reach as a value: jobs and objects, recorded and inferred, with GPU-hours and cost as intervals, and references."""
    impact = found.impact
    ways = _ways(impact.edges)
    refs.load(e for edge in impact.edges for e in _records(edge))
    low, high = impact.gpu_hours
    told: dict[str, Any] = {
        "object": found.dossier.question.object,
        "when": {"from": times.show(found.dossier.when[0]), "to": times.show(found.dossier.when[1])} if found.dossier.when else None,
        "whole": found.whole,
        "seen": refs.of(found.dossier.seen[:_RECORDS]),
        "jobs": [_job(job, found, ways, refs) for job in impact.jobs],
        "jobs_possible": [_job(job, found, ways, refs) for job in impact.jobs_possible],
        "objects": [_object(o, ways, refs) for o in impact.objects],
        "objects_possible": [_object(o, ways, refs) for o in impact.objects_possible],
        "published": [
            {"from": e["src"], "to": e["dst"], "when": times.show(e["time"]), "refs": refs.of(_records(e))} for e in found.copies
        ],
        "readers": [
            {"actor": r["actor"] or None, "object": r["object"], "times": r["times"], "first": times.show(r["first"]), "refs": refs.of([r["event"]])}
            for r in found.readers
        ],
        "gpu_hours": {"low": low, "high": high},
        "unmeasured": impact.unmeasured,
    }  # fmt: skip
    if case.gpu_hour is not None:
        rate = case.gpu_hour
        told["cost"] = {"low": round(low * rate, 2), "high": round(high * rate, 2), "gpu_hour": rate, "currency": case.currency}
    return told


def _ways(edges: Iterable[Json]) -> dict[str, Json]:
    """Return thing -> the edge that led to it: a recorded one where there is one, the first."""
    found: dict[str, Json] = {}
    for edge in edges:
        known = found.get(edge["dst"])
        if known is None or (edge["recorded"] and not known["recorded"]):
            found[edge["dst"]] = edge
    return found


def _job(job: str, found: Reach, ways: Mapping[str, Json], refs: References) -> dict[str, Any]:
    row, edge = found.jobs.get(job, {}), ways.get(job)
    return {
        "job": job, "actor": row.get("actor"), "start": _time(row.get("start")), "end": _time(row.get("end")), "gpus": row.get("gpus"),
        "gpu_hours": round(row["hours"], 3) if row.get("hours") is not None else None, **_edge(edge, refs),
    }  # fmt: skip


def _object(name: str, ways: Mapping[str, Json], refs: References) -> dict[str, Any]:
    edge = ways.get(name)
    return {"object": name, "when": _time(edge["time"]) if edge else None, **_edge(edge, refs)}


def _edge(edge: Json | None, refs: References) -> dict[str, Any]:
    if edge is None:
        return {"by": None, "rule": None, "refs": []}
    return {"by": edge["src"], "rule": edge["rule"], "refs": refs.of(_records(edge))}


def _records(edge: Json) -> list[int]:
    """Return the first records of an edge and its last: jobs come first, what they did last."""
    events = edge["events"]
    return [*events[: _RECORDS - 1], *events[-1:]]


def _time(moment: int | None) -> str | None:
    return None if moment is None else times.show(moment)


# --- words ------------------------------------------------------------------------------------------------------------


def lines(told: Json, columns: int, *, everything: bool) -> Iterator[Line]:
    """Yield the reach in words."""
    most = None if everything else SHOWN
    texts = [*_heading(told)]
    texts += _jobs("Jobs that ran or loaded it, by recorded links", told["jobs"], most)
    texts += _jobs("Further jobs, by links that are only inferred", told["jobs_possible"], most)
    texts += _objects("Checkpoints and other objects that these wrote", told["objects"], most)
    texts += _objects("Further objects, by links that are only inferred", told["objects_possible"], most)
    texts += _published(told["published"], most)
    texts += _readers(told["readers"], most)
    yield from wrapped(texts, columns)


def _heading(told: Json) -> Iterator[Text]:
    yield 0, "#", f"What {told['object']} reached"
    when = told["when"]
    if when:
        yield 2, "", f"made at {when['from']}" if when["from"] == when["to"] else f"made between {when['from']} and {when['to']}"
    if told["whole"]:
        yield 2, "", "Every load under this name counts, whichever version it got; --at, or a version, tells one apart."
    yield from cited(told["seen"], 4)
    if not told["jobs"] and not told["jobs_possible"]:
        yield 2, "", "No record ties it to any job. That it reached none does not follow: records that were not supplied might show one."
        return
    yield 2, "", f"{len(told['jobs'])} jobs by recorded links, and {len(told['jobs_possible'])} more by inference."
    yield 2, "", f"{len(told['objects'])} objects that they wrote, and {len(told['objects_possible'])} more by inference."
    hours = told["gpu_hours"]
    yield 2, "", f"GPU-hours of these whole jobs: {_span(hours)} (low: recorded links alone; high: with the inferred ones)."
    if told["unmeasured"]:
        yield 2, "", f"Of {told['unmeasured']} of these jobs no record tells the GPUs; they count as none."
    if cost := told.get("cost"):
        yield 2, "", f"Cost: {_span(cost)} {cost['currency']}".rstrip() + f", at {cost['gpu_hour']:g} a GPU-hour."


def _span(interval: Json) -> str:
    low, high = f"{interval['low']:,.1f}", f"{interval['high']:,.1f}"
    return low if low == high else f"{low} to {high}"


def _jobs(title: str, jobs: list[Json], most: int | None) -> Iterator[Text]:
    if jobs:
        yield 0, "#", title
    for job in jobs[:most]:
        facts = [f"began {job['start']}"] if job["start"] else []
        facts += [f"{job['gpus']:g} GPUs"] if job["gpus"] is not None else []
        facts += [f"{job['gpu_hours']:,.1f} GPU-hours"] if job["gpu_hours"] is not None else []
        facts += [f"of {job['actor']}"] if job["actor"] else []
        yield 2, "- ", ", ".join([job["job"], *facts])
        yield from _way(job, job["job"])
    yield from _rest(jobs, most)


def _objects(title: str, objects: list[Json], most: int | None) -> Iterator[Text]:
    if objects:
        yield 0, "#", title
    for item in objects[:most]:
        yield 2, "- ", item["object"] + (f", {item['when']}" if item["when"] else "")
        yield from _way(item, item["object"])
    yield from _rest(objects, most)


def _way(item: Json, name: str) -> Iterator[Text]:
    if item["by"] and item["by"] != name:
        yield 4, "", f"by {item['by']} ({item['rule']})"
    yield from cited(item["refs"], 4)


def _rest(items: list[Json], most: int | None) -> Iterator[Text]:
    if most is not None and len(items) > most:
        yield 2, "", f"... and {len(items) - most} more (--all)"


def _published(copies: list[Json], most: int | None) -> Iterator[Text]:
    if copies:
        yield 0, "#", "Copied, renamed or published to"
    for copy in copies[:most]:
        yield 2, "- ", f"{copy['to']}, {copy['when']}, from {copy['from']}"
        yield from cited(copy["refs"], 4)
    yield from _rest(copies, most)


def _readers(readers: list[Json], most: int | None) -> Iterator[Text]:
    if readers:
        yield 0, "#", "Read by others than jobs: where it may have gone from here"
    for reader in readers[:most]:
        times_read = f"{reader['times']} time" + ("" if reader["times"] == 1 else "s")
        yield (
            2,
            "- ",
            f"{reader['actor'] or 'an account that the record does not name'} read {reader['object']} {times_read}, first {reader['first']}",
        )
        yield from cited(reader["refs"], 4)
    yield from _rest(readers, most)
