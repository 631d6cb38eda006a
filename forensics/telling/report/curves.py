"""How harmed and healthy runs went: their curves over the steps, and where each ended by when it began."""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics import times
from forensics.model import CaseConfig
from forensics.tables import Tables
from forensics.telling.report.showing import Shown

RUNS, POINTS = 40, 60
"""runs of each kind, and points of each run, that are drawn"""
WIDTH, HIGH, GAP, LEFT, TOP, FOOT = 1120, 220, 70, 44, 22, 26
_NEAR = 14
"""units within which two numbers would cover each other"""
_LOSS = re.compile(r"loss|perplexity|\bppl\b", re.IGNORECASE | re.ASCII)
_NAMES = """
    SELECT e.object AS run, any_value(json_extract_string(r.attrs, '$.job') ORDER BY r.id) AS job
    FROM (SELECT DISTINCT object FROM events WHERE action = 'metric.point' AND object IS NOT NULL) e
    LEFT JOIN events r ON r.action = 'run.record' AND r.object = e.object GROUP BY e.object ORDER BY e.object
"""
_METRICS = """
    SELECT name, count(DISTINCT object) AS runs FROM events WHERE action = 'metric.point' AND list_contains($runs, object) AND name IS NOT NULL
    GROUP BY name ORDER BY runs DESC, name
"""
_POINTS = """
    SELECT object AS run, TRY_CAST(json_extract_string(attrs, '$.step') AS BIGINT) AS step, time, value FROM events
    WHERE action = 'metric.point' AND name = $metric AND list_contains($runs, object) AND value IS NOT NULL
    ORDER BY run, step NULLS FIRST, time NULLS FIRST, id
"""


def points(tables: Tables, case: CaseConfig) -> list[dict[str, Any]]:
    """Return the points of named runs, of the metric that most of them have; of losses, where there is one."""
    kinds = dict.fromkeys(case.bad, True) | dict.fromkeys(case.good, False)
    runs = _runs(tables, kinds)
    if not runs:
        return []
    names = [row["name"] for row in tables.rows(_METRICS, runs=sorted(runs))]
    metric = next((name for name in names if _LOSS.search(name)), names[0])
    by_run: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in tables.rows(_POINTS, metric=metric, runs=sorted(runs)):
        by_run[row["run"]].append(row)
    return [
        row | {"job": runs[run], "harmed": kinds[runs[run]], "metric": metric}
        for run in _spread(by_run, lambda r: kinds[runs[r]])
        for row in _thin(by_run[run], POINTS)
    ]


def _runs(tables: Tables, kinds: Mapping[str, bool]) -> dict[str, str]:
    """Return run -> named job: by name, by the tracker's record, or by the job's number at the end of the run's name."""
    ids = {job.rpartition("/")[2]: job for job in sorted(kinds)}
    found = {}
    for row in tables.rows(_NAMES) if kinds else []:
        name = row["run"].partition(":")[2]
        ends = [name[i + 1 :] for i, sign in enumerate(name) if not sign.isalnum()]
        job = row["run"] if row["run"] in kinds else next((ids[n] for n in (row["job"], name, *ends) if n in ids), None)
        if job:
            found[row["run"]] = job
    return found


def _spread(by_run: Mapping[str, Sequence[Mapping[str, Any]]], harmed: Callable[[str], bool]) -> list[str]:
    """Choose at most RUNS of each kind, spread over the time in which they began."""
    chosen = []
    for kind in (False, True):
        mine = sorted((r for r in by_run if harmed(r) is kind), key=lambda r: (by_run[r][0]["time"] or 0, r))
        chosen += list(_thin(mine, RUNS))
    return chosen


def _thin(rows: Sequence[Any], most: int) -> Iterable[Any]:
    return rows if len(rows) <= most else [rows[round(n * (len(rows) - 1) / (most - 1))] for n in range(most)]


# --- the drawing ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dot:
    """A run by when it began and where it ended."""

    x: float
    y: float
    harmed: bool


@dataclass(frozen=True, slots=True)
class Curves:
    """Two panels, in the drawing's units."""

    metric: str
    harmed: int
    """named runs, each once, whatever number of trackers followed it"""
    healthy: int
    lines: tuple[tuple[Shown, bool], ...]
    """(path, whether harmed), harmed ones first, so that healthy ones lie over them"""
    dots: tuple[Dot, ...]
    marks: tuple[tuple[float, str], ...]
    """where each cause came in, with its number; numbers that would cover each other stand as one"""
    levels: tuple[tuple[float, str], ...]
    days: tuple[tuple[float, int], ...]
    last_step: int
    right: float
    """where the second panel begins"""


def draw(tables: Tables, case: CaseConfig, causes: Sequence[Mapping[str, Any]]) -> Curves | None:
    """Draw what the table of curves holds; None where it is empty."""
    rows = tables.rows("SELECT * FROM curves ORDER BY harmed, job, run, step NULLS FIRST, time NULLS FIRST, value")
    sound = [row for row in rows if math.isfinite(row["value"])]
    if len(sound) < 2:
        return None
    runs: dict[tuple[bool, str], list[dict[str, Any]]] = defaultdict(list)
    for row in sound:
        runs[row["harmed"], row["run"]].append(row)
    runs = _one_a_job(runs)
    jobs = {kind: len({row["job"] for row in sound if row["harmed"] is kind}) for kind in (True, False)}
    low, high = _range([row["value"] for row in sound])
    last = max((row["step"] or 0) for row in sound) or 1
    panel = (WIDTH - GAP - LEFT) / 2
    right = LEFT + panel + GAP

    def y(value: float) -> float:
        return round(TOP + HIGH * (1 - (min(max(value, low), high) - low) / (high - low)), 1)

    def when(time: int) -> float:
        begin, until = case.window
        return round(right + (min(max(time, begin), until) - begin) / max(until - begin, 1) * (panel - 8), 1)

    lines = tuple(
        (_path([(LEFT + (r["step"] or 0) / last * panel, y(r["value"])) for r in run]), key[0])
        for key, run in sorted(runs.items(), key=lambda pair: (not pair[0][0], pair[0][1]))
    )
    dots = tuple(Dot(when(run[0]["time"]), y(run[-1]["value"]), key[0]) for key, run in sorted(runs.items()) if run[0]["time"] is not None)
    marks = _apart([(when(times.parse(cause["when"])[0]), n) for n, cause in enumerate(causes[:5], 1) if cause.get("when")])
    return Curves(
        sound[0]["metric"], jobs[True], jobs[False], lines, dots, marks,
        tuple((y(v), f"{v:.3g}") for v in (low, (low + high) / 2, high)), tuple((when(t), t) for t in _days(case.window)), last, right,
    )  # fmt: skip


def _one_a_job(runs: Mapping[tuple[bool, str], list[dict[str, Any]]]) -> dict[tuple[bool, str], list[dict[str, Any]]]:
    """Keep, of the trackers that followed one job, the one with most points, so that a run is drawn once."""
    kept: dict[tuple[bool, str], tuple[bool, str]] = {}
    for key, points_of in sorted(runs.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        kept.setdefault((key[0], points_of[0]["job"]), key)
    return {key: runs[key] for key in sorted(kept.values())}


def _apart(marks: Sequence[tuple[float, int]]) -> tuple[tuple[float, str], ...]:
    found: list[tuple[float, list[int]]] = []
    for x, number in sorted(marks):
        if found and x - found[-1][0] < _NEAR:
            found[-1][1].append(number)
        else:
            found.append((x, [number]))
    return tuple((x, ", ".join(str(number) for number in sorted(numbers))) for x, numbers in found)


def _range(values: list[float]) -> tuple[float, float]:
    ordered = sorted(values)
    low, high = ordered[len(ordered) // 100], ordered[-1 - len(ordered) // 100]
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _days(window: tuple[int, int]) -> list[int]:
    begin, until = window
    return [begin + n * (until - begin) // 4 for n in range(5)]


def _path(places: Sequence[tuple[float, float]]) -> Shown:
    return Shown("M" + "L".join(f"{x:.1f} {y:g}" for x, y in places))
