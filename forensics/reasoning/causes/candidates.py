"""Every change that reached a run, with the runs that it reached."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forensics import times
from forensics.reasoning.causes.faults import Fault
from forensics.reasoning.causes.runs import Runs, packed
from forensics.reasoning.causes.spread import Spread
from forensics.reasoning.images import parts
from forensics.reasoning.world import World

Step = tuple[int, str, bool]
"""time, action, and whether a check found the file as it should be"""
_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class Candidate:
    """A change, and the runs that it reached."""

    object: str
    kind: str
    """node, image, object, file, package, commit, argument or environment"""
    when: int | None
    """when it arrived, where that is recorded"""
    direct: int
    """runs that ran or loaded it themselves"""
    spread: int
    """these, and the runs that loaded what such jobs wrote"""
    since: int | None = None
    """of a node, or of a commit that asks for a date: counted from then on"""
    until: int | None = None
    """of a node: counted up to then"""
    fault: str = ""
    """what the records say of it that is odd: of a node its health, of an installed file that it is not as its package's list gives it"""
    made: bool = False
    """of an object: a job wrote it"""


def objects(came: Spread) -> Iterator[Candidate]:
    """Yield every version of every object that a job loaded."""
    jobs = came.loads.jobs
    count = len(came.own)
    place = np.array([came.own.get(job, 0).bit_length() - 1 for job in jobs], np.int64)
    further = np.array([came.downstream.get(job, 0) != came.own.get(job, 0) for job in jobs], bool)
    for key, loaded in came.loads.by_key():
        places = place[loaded]
        direct = packed(places[places >= 0], count)
        whole = direct
        for job in loaded[further[loaded]].tolist():
            whole |= came.downstream[jobs[job]]
        if whole:
            reference, when = came.versions.show(key)
            yield Candidate(reference, "object", when, direct, direct if whole == direct else whole, made=key in came.writers)


def nodes(compared: Runs, steps: int, faults: Mapping[str, Sequence[Fault]]) -> Iterator[Candidate]:
    """Yield every node, whole, from each of a few moments on, and before and after each of its recorded faults: what turns bad was good before."""
    on: dict[str, int] = defaultdict(int)
    for n, fact in enumerate(compared.facts):
        for node in set(fact["nodes"]):
            on[node] |= 1 << n
    later_on = moments(compared, steps)
    for node, reached in sorted(on.items()):
        known = faults.get(node, ())
        says = _says(known)
        yield Candidate(node, "node", None, reached, reached, fault=says)
        for moment in sorted({*later_on, *(f.time for f in known)}):
            later = reached & compared.since(moment, None)
            if later not in (0, reached):
                yield Candidate(node, "node", moment, later, later, since=moment, fault=says)
        for moment in sorted({f.time for f in known}):
            earlier = reached & ~compared.since(moment, None)
            if earlier not in (0, reached):
                yield Candidate(node, "node", None, earlier, earlier, until=moment, fault=says)


def _says(known: Sequence[Fault]) -> str:
    """Say what the records call a node, and since when; the first of it."""
    return f"{known[0].state} at {times.show(known[0].time)}" if known else ""


def moments(compared: Runs, steps: int) -> list[int]:
    """Return a few moments that cut the runs into equal parts: what acts from one on was harmless before."""
    return sorted({compared.starts[len(compared.jobs) * k // steps] for k in range(1, steps)})


def images(world: World, compared: Runs, odd: Mapping[str, str]) -> Iterator[Candidate]:
    """Yield every image by its digest: a tag alone does not say what ran. `odd`: what is said of a digest."""
    pushed = world.tables.rows(
        "SELECT object, min(time) AS time FROM acts WHERE action = 'object.write' AND outcome = 'ok' AND starts_with(object, 'image:') GROUP BY object ORDER BY object"
    )
    whens = {r["object"]: r["time"] for r in pushed}
    on: dict[tuple[str, str], int] = defaultdict(int)
    for n, fact in enumerate(compared.facts):
        place, mark, digest = fact["image"].partition("@sha256:")
        name = parts(place)[1]
        if mark:  # in the words of the record that it was pushed, where there is one
            on[name if f"image:{name}@sha256:{digest}" in whens else name.rpartition("/")[2], digest] |= 1 << n
    for (name, digest), reached in sorted(on.items()):
        reference = f"image:{name}@sha256:{digest}"
        yield Candidate(reference, "image", whens.get(reference), reached, reached, fault=odd.get(digest, ""))


_LOADED = """
    SELECT src, dst FROM edges WHERE regexp_matches(src, '^(pkg|image|driver|switch):') AND list_contains($jobs, dst)
    UNION  -- a tracker lists what was installed where the run ran
    SELECT p.target, j.job FROM events p JOIN events r ON r.action = 'run.record' AND r.object = p.object
    JOIN jobs j ON regexp_extract(j.job, '[^/]+$') = json_extract_string(r.attrs, '$.job')
    WHERE p.action = 'run.package' AND list_contains($jobs, j.job)
    ORDER BY ALL
"""


def packages(world: World, compared: Runs, came: Spread) -> Iterator[Candidate]:
    """Yield packages in their versions, drivers and the like that records tie to runs."""
    on: dict[str, int] = defaultdict(int)
    for row in world.tables.rows(_LOADED, jobs=list(compared.jobs)):
        on[row["src"]] |= came.own[row["dst"]]
    for reference, reached in sorted(on.items()):
        if not reference.startswith("image:"):  # see `images`
            yield Candidate(reference, "package", None, reached, reached)


# A path that a run names is taken for one and the same on every host that wrote there. A file's states: each write begins one; a check that finds it changed begins one, too, unless a write before explains it; a check that finds
# it as it should be ends it.
_FILES = """
    SELECT object, time, action, outcome = 'ok' AS good FROM acts
    WHERE time IS NOT NULL AND starts_with(object, 'file://') AND NOT contains(object, '/.git/')
      AND (action = 'file.check' OR (action IN ('file.write', 'file.delete') AND outcome = 'ok'))
    ORDER BY object, time, event
"""


def files(world: World, compared: Runs, odd: Mapping[str, str]) -> Iterator[Candidate]:
    """Yield every change of a file, to the runs that named its folder while it stood; `odd`: what else is said of it."""
    folders = named(compared)
    found: list[tuple[str, int, list[Step]]] = []
    last, reached = "", 0
    for batch in world.tables.stream(_FILES):
        for reference, time, action, good in zip(*(batch.column(n).to_pylist() for n in range(4)), strict=True):
            if reference != last:
                last, reached = reference, reached_by(reference, folders)
                if reached:
                    found.append((reference, reached, []))
            if reached:
                found[-1][2].append((time, action, good))
    for reference, reached, steps in found:
        for low, high in _states(steps):
            if during := reached & compared.since(low, high):
                yield Candidate(reference, "file", low, during, during, fault=odd.get(reference, ""))


def reached_by(reference: str, folders: dict[str, int]) -> int:
    """Return the runs that named the file or a folder above it."""
    path, reached = "/" + reference.removeprefix("file://").partition("/")[2], 0
    for _ in range(_DEEPEST):
        reached |= folders.get(path, 0)
        path = path.rpartition("/")[0]
        if not path:
            break
    return reached


def _states(steps: list[Step]) -> Iterator[tuple[int, int | None]]:
    """Yield (since, until) of each state that a change began."""
    begun: int | None = None
    checked = False
    for time, action, good in steps:
        if action != "file.check":
            if begun is not None:
                yield begun, time
            begun, checked = time, False
        elif not good:
            begun, checked = (time if begun is None else begun), True
        elif begun is not None and checked:
            yield begun, time
            begun = None
    if begun is not None:
        yield begun, None


def named(compared: Runs) -> dict[str, int]:
    """Return folder or file -> the runs whose command, working directory or environment names it.

    Who names `<folder>/bin/<program>` of an environment names the folder: what such a program loads lies beside it (https://docs.python.org/3/library/venv.html).
    """
    texts: dict[str, int] = defaultdict(int)
    for n, fact in enumerate(compared.facts):
        texts[fact["text"]] |= 1 << n
    found: dict[str, int] = defaultdict(int)
    for text, reached in texts.items():
        for word in set(text.replace("=", " ").replace(",", " ").replace(":", " ").split()):
            path = word.strip("'\"").rstrip("/")
            if path.startswith("/") and path.count("/") > 1:
                found[path] |= reached
                around, mark, _ = path.rpartition("/bin/")
                if mark and around.count("/") > 1:
                    found[around] |= reached
    return found
