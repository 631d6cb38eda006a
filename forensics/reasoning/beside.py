"""What goes with a file or folder that a process was given: the files below it, its libraries, what a script takes from its own folder."""

import re

from forensics import times
from forensics.facts import shared_prefixes
from forensics.reasoning.act import Act, Row
from forensics.reasoning.commands import line_of
from forensics.reasoning.paths import Place, path_of, told_below, words_of, writes
from forensics.reasoning.world import World

WORN = 7 * times.DAY
"""how long before an act somebody else's edit of a file may still have gone into it"""
TEXTS = (".py", ".sh", ".yaml", ".yml", ".json", ".toml", ".cfg", ".ini", ".conf", ".so", ".pth", ".mk", "Makefile")
"""files that tell a program what to do"""


_HOLDS = ("kubectl", "helm", "kustomize", "argo", "oc")
"""programs that take all files of a folder that they are given"""


def under(world: World, act: Act, place: Place) -> list[Row]:
    """Return the writes below a folder that went with it: to the file that bears the name of the act's object, of manifests to all, below a program's own libraries and those that a variable names, and beside a script.

    A program in PREFIX/bin loads PREFIX/lib without being told.
    """
    own = sorted({a for p in world.known.last_holders(act.account, act.time[0]) for a in world.known.of(p, "unix")})
    if place.by == LOADED:
        return _below(world, place, place.path, TEXTS, act.time[0] - WORN, own)
    if place.by == IMPORTS:
        return _beside(world, place, place.path, _OF_PYTHON, act.time[0] - WORN, own)
    ends = next((ends for by, own, ends in _SCRIPTS if by.fullmatch(place.by) and place.path.endswith(own)), ())
    if ends:
        return _beside(world, place, place.path.rpartition("/")[0], ends, act.time[0] - WORN, own)
    name = str(act.rows[0]["object"]).partition("?")[0].rpartition("/")[2]
    prefix, found, _ = place.path.rpartition("/bin/")
    if found and prefix not in ("", "/usr", "/usr/local"):
        return _below(world, place, f"{prefix}/lib", TEXTS, act.time[0] - WORN, own)
    if act.kind == "job.launch" and place.by in _HOLDS:
        return _below(world, place, place.path, TEXTS, act.time[0] - WORN, own)
    if not name or not act.kind.startswith(("object.", "file.")) or place.path == "/":
        return []
    itself = {path_of(str(r["object"])) for r in act.rows}
    below = [r for r in _below(world, place, place.path, ("/" + name,), 0, own) if path_of(str(r["object"])) not in itself]
    nearest = max((_common_tail(r, act) for r in below), default=0)
    return [r for r in below if _common_tail(r, act) == nearest]


LOADED = "loaded"
"""stands for the program of a place that a variable names"""
IMPORTS = "imported"
"""of the folder that Python imports from where it was given no script"""
_OF_PYTHON = (".py", ".so", ".pth", ".yaml", ".yml", ".json", ".toml", ".cfg", ".ini")
_SCRIPTS = (
    (re.compile(r"python[\d.]*|torchrun|accelerate|deepspeed|srun|ipython[\d.]*|pytest|ray"), (".py",), _OF_PYTHON),
    (re.compile(r"node|deno|bun"), (".js", ".mjs", ".cjs", ".ts"), (".js", ".mjs", ".cjs", ".ts", ".json")),
    (re.compile(r"Rscript|R"), (".R", ".r"), (".R", ".r")),
    (re.compile(r"(ba|da|k|z)?sh|sbatch|srun"), (".sh", ".bash", ".sbatch", ".slurm"), (".sh", ".bash", ".env", ".conf")),
    (re.compile(r"perl"), (".pl",), (".pl", ".pm")),
)
"""programs that run scripts, how these end, and what a script takes from its own folder (sys.path[0] of Python, require of node, `.` of shells, a configuration)"""


def _beside(world: World, place: Place, folder: str, ends: tuple[str, ...], since: int, own: list[str]) -> list[Row]:
    """Return the writes of what a script may take from a folder; of Python at the top of a share, of what lies there itself alone, and of others there nothing."""
    rows = [
        r
        for r in _below(world, place, folder, ends, since, own)
        if path_of(str(r["object"])) != place.path and not _apart(r, place, folder)
    ]
    if folder.count("/") > 1:
        return rows
    return [r for r in rows if path_of(str(r["object"])).rpartition("/")[0] == folder] if ends is _OF_PYTHON else []


_ASIDE = re.compile(r"/(tests?|docs?|logs?|wandb|__pycache__|\.git)/|/(test_[^/]*|conftest|setup|noxfile)\.py$")
"""what of a project no program of it takes"""


def _apart(row: Row, place: Place, folder: str) -> bool:
    """Tell whether a file in a script's folder is none that it takes: tests, documents, logs."""
    return place.by != "pytest" and bool(_ASIDE.search(path_of(str(row["object"])).removeprefix(folder)))


def imports_from(row: Row) -> str:
    """Return the folder that a Python without a script imports from: the one that it was started in (python(1), -m and -c)."""
    words = words_of(line_of(row))
    if (
        not words
        or not re.fullmatch(r"python[\d.]*|ipython[\d.]*|jupyter[\w-]{0,20}", words[0].rpartition("/")[2])
        or any(w.endswith(".py") for w in words[1:2])
    ):
        return ""
    folder = str(row["attrs"].get("cwd") or "")
    return folder if folder.count("/") > 1 or folder.strip("/") not in ("", "tmp") else ""


def _common_tail(row: Row, act: Act) -> int:
    """Count the last parts of its path that a file has in common with the object of the act."""
    one, other = (str(r["object"]).partition("?")[0].split("/")[::-1] for r in (row, act.rows[0]))
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _below(world: World, place: Place, folder: str, ends: tuple[str, ...], since: int, own: list[str]) -> list[Row]:
    """Return the last writes of the files below a folder whose names end so, watched or told by commands; others' first, so that many of the act's own hide none."""
    inside = folder.rstrip("/") + "/"
    rows = world.tables.rows(
        "SELECT object, max(NOT list_contains($own, coalesce(actor, ''))) AS anothers FROM acts WHERE action = 'file.write' AND outcome = 'ok' AND time >= $since AND time < $t AND (starts_with(object, $local) OR starts_with(object, $shared)) AND len(list_filter($ends, lambda e: ends_with(object, e))) > 0 GROUP BY object ORDER BY anothers DESC, object LIMIT 200",
        t=place.moment, since=since, local=f"file://{place.host}{inside}", shared=f"file://{inside}", ends=list(ends), own=own,
    )  # fmt: skip
    shared = any(inside.startswith(p) for p in shared_prefixes(world.case))
    told = told_below(world, place.host, [inside], since, place.moment, anywhere=shared)
    paths = {path_of(str(r["object"])) for r in rows} | {p for p in told if p.startswith(inside) and p.endswith(ends)}
    return [w for p in sorted(paths) for w in writes(world, place.host, p, place.moment) if w["time"] >= since]
