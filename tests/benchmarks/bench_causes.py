"""How long it takes to find causes among 10,000 runs, 100,000 changes and 10 million reach edges, and in how much memory.

The bar: less than 60 s on two cores, in less than 4 GB. Counted is processor time, all threads together: on cores of its own it takes no longer.

    pytest -m bench tests/benchmarks/bench_causes.py -s
"""

import json
import resource
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from forensics import schema, times
from forensics.model import CaseConfig
from forensics.reasoning.causes import compare
from forensics.reasoning.policy import read_policy
from forensics.reasoning.world import world
from forensics.tables import Tables

RUNS, COMMITS, OBJECTS, LOADS = 10_000, 50_000, 50_000, 10_000_000
HARMFUL = 31_337
"""the object that harms whatever loads it"""
HOUR = times.HOUR
BLOCK = 1_000_000


def commit(n: int) -> str:
    return f"git:train@{n:040x}"


def lay(folder: Path) -> CaseConfig:
    """Write the tables of a laboratory in which each run loads a thousand of fifty thousand objects, and one object harms."""
    drawn = np.random.default_rng(1)
    tables = Tables(folder)
    jobs = [f"slurm:gpu/{n}" for n in range(RUNS)]
    tables.write("jobs", [_jobs(jobs)])
    tables.write("events", [_events()])
    tables.write("changes", [_changes()])
    tables.write("acts", [_acts()])
    harmed = np.zeros(RUNS, bool)
    tables.write("edges", _edges(jobs, drawn, harmed))
    named = [job for job, bad in zip(jobs, harmed, strict=True) if bad], [job for job, bad in zip(jobs, harmed, strict=True) if not bad]
    return CaseConfig(str(folder), "bench", "", "UTC", (0, 10**6 * HOUR), (), bad=tuple(named[0]), good=tuple(named[1]))


def _filled(table: str, rows: int, columns: dict[str, object]) -> pa.Table:
    wanted = schema.TABLES[table]
    arrays = [pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(rows, f.type) for f in wanted]
    return pa.Table.from_arrays(arrays, schema=wanted)


def _jobs(jobs: list[str]) -> pa.Table:
    starts = [(COMMITS + n) * HOUR for n in range(RUNS)]
    return _filled("jobs", RUNS, {
        "job": jobs, "actor": [f"unix:u{n % 50}" for n in range(RUNS)], "name": [f"m{n % 7}-{n}" for n in range(RUNS)], "submit": starts, "start": starts,
        "end": [s + HOUR for s in starts], "nodes": [[f"n{n % 500}", f"n{(n * 7) % 500}"] for n in range(RUNS)], "gpus": [float(8 << n % 4) for n in range(RUNS)],
        "workdir": ["/share/t/train"] * RUNS, "command": ["python run.py --lr 1e-4"] * RUNS, "events": [[10**9 + n] for n in range(RUNS)],
    })  # fmt: skip


def _events() -> pa.Table:
    attrs = [json.dumps({"parents": [f"{n - 1:040x}"] if n else [], "subject": f"change {n}"}) for n in range(COMMITS)]
    columns: dict[str, object] = {
        "id": range(COMMITS),
        "source": ["s"] * COMMITS,
        "file": ["o"] * COMMITS,
        "action": ["code.commit"] * COMMITS,
    }
    return _filled("events", COMMITS, columns | {"object": [commit(n) for n in range(COMMITS)], "attrs": attrs})


def _changes() -> pa.Table:
    return _filled("changes", COMMITS, {
        "commit": [f"{n:040x}" for n in range(COMMITS)], "path": [f"pkg/part{n % 900}.py" for n in range(COMMITS)], "status": ["M"] * COMMITS,
        "old_blob": [f"{n:040x}" for n in range(COMMITS)], "new_blob": [f"{n + 10**6:040x}" for n in range(COMMITS)],
    })  # fmt: skip


def _acts() -> pa.Table:
    names = [f"s3://lab/data/shard-{n:05d}" for n in range(OBJECTS)]
    return _filled("acts", OBJECTS, {
        "event": range(2 * 10**9, 2 * 10**9 + OBJECTS), "source": ["s"] * OBJECTS, "action": ["object.write"] * OBJECTS, "time": [n * HOUR for n in range(OBJECTS)],
        "object": names, "outcome": ["ok"] * OBJECTS,
    })  # fmt: skip


def _edges(jobs: list[str], drawn: np.random.Generator, harmed: "np.ndarray[tuple[int], np.dtype[np.bool_]]"):
    names = pa.array([f"s3://lab/data/shard-{n:05d}" for n in range(OBJECTS)])
    whose = pa.array(jobs)
    ran = [commit(COMMITS - RUNS + n) for n in range(RUNS)]
    yield _filled(
        "edges",
        RUNS,
        {
            "rule": ["job-commits"] * RUNS,
            "src": ran,
            "dst": jobs,
            "time": [(COMMITS + n) * HOUR for n in range(RUNS)],
            "recorded": [True] * RUNS,
            "events": [[n] for n in range(RUNS)],
        },
    )
    for _ in range(0, LOADS, BLOCK):
        job = drawn.integers(0, RUNS, BLOCK)
        loaded = drawn.integers(0, OBJECTS, BLOCK)
        harmed[job[loaded == HARMFUL]] = True
        yield _filled("edges", BLOCK, {
            "rule": pa.repeat(pa.scalar("job-objects"), BLOCK), "src": names.take(pa.array(loaded)), "dst": whose.take(pa.array(job)), "time": (COMMITS + job) * HOUR + 60,
            "recorded": pa.repeat(pa.scalar(True), BLOCK),
        })  # fmt: skip


@pytest.mark.bench
def test_ten_thousand_runs_and_ten_million_edges(tmp_path):
    case = lay(tmp_path / "tables")
    view = world(Tables(tmp_path / "tables"), case, read_policy(None))
    before, begin, clock = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time(), time.perf_counter()
    found = compare(view)
    took, wall, most = time.process_time() - begin, time.perf_counter() - clock, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"\n{took:.1f} s of processors ({wall:.1f} s by the clock), {most / 1e6:.2f} GB at most ({before / 1e6:.2f} before), {dict(found.considered)}"
    )
    assert found.causes[0].object == f"s3://lab/data/shard-{HARMFUL:05d}"
    assert took < 60
    assert most < 4e6
