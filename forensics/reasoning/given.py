"""What the process of an act on a host had been given to run or to copy, where somebody else wrote that: who ran it is not who made it."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from forensics import times
from forensics.model import Question
from forensics.reasoning.act import Act, Row
from forensics.reasoning.beside import IMPORTS, LOADED, TEXTS, WORN, imports_from, under
from forensics.reasoning.commands import line_of, of_system
from forensics.reasoning.copied import parts
from forensics.reasoning.origins import Origin
from forensics.reasoning.paths import (
    Place,
    back,
    elsewhere,
    libraries,
    named,
    path_of,
    piped,
    program,
    starts_others,
    targets,
    words_of,
    writes,
)
from forensics.reasoning.spelled import fits, tells
from forensics.reasoning.unseen import unseen
from forensics.reasoning.world import World


def given(world: World, act: Act, origins: tuple[Origin, ...], question: Question) -> tuple[Row, ...]:
    """Return the last write of each file that the act's own process ran, copied or renamed, where somebody else made it; of a commit, such writes in its work tree, too.

    Left out is what has run since without the act, on several days: then it is part of the furniture.
    """
    mine = set(world.known.last_holders(act.account, act.time[0]))
    if not mine:
        return ()
    ran = _commands(world, act, origins)
    ran += [r for r in piped(world, ran) if r["event"] not in {x["event"] for x in ran}]
    found: dict[int, Row] = {}
    places = [Place(*p) for p in sorted({*_paths(act, ran), *_read(world, ran)}, key=str)]
    for place in [p for first in places for p in (first, *back(world, first))]:
        under_it = under(world, act, place)
        files = dict.fromkeys([place.path, *(path_of(str(r["object"])) for r in under_it)])
        silent = [r for path in files for r in unseen(world, replace(place, path=path), mine)]
        for row in [*writes(world, place.host, place.path, place.moment), *under_it, *_placed(place), *silent]:
            if others(world, row, mine) and not _ran_since(world, ran, place.path, row, place.moment):
                found[row["event"]] = row
    if act.kind == "job.launch":
        found |= {r["event"]: r for r in (*_changed_meanwhile(world, act), *_template(world, act)) if others(world, r, mine)}
    if act.kind == "object.write":
        found |= {r["event"]: r for r in parts(world, act.rows[0]) if others(world, r, mine)}
    if act.kind == "file.write":
        found |= {r["event"]: r for r in _fetched(world, act, ran) if others(world, r, mine)}
    if act.kind == "code.push":
        found |= {
            r["event"]: r
            for r in _in_work_tree(world, act, origins, question)
            if others(world, r, mine) and not _brought_himself(world, act, r)
        }
    return tuple(found[e] for e in sorted(found))


def _placed(place: Place) -> list[Row]:
    """Return the command that put a file where it was found as a write of that file: whoever copies or links it there says what it holds."""
    return [{**place.placed, "object": f"file://{place.host}{place.path}"}] if place.placed else []


def others(world: World, row: Row, mine: set[str]) -> bool:
    """Tell whether an act is known to be other people's than these."""
    owners = set(world.known.last_holders(row["actor"], row["time"])) if row["actor"] else set()
    return bool(owners) and not owners & mine


def _paths(act: Act, ran: list[Row]) -> Iterator[tuple[Any, ...]]:
    """Yield (host, absolute path, ns) of what the process was given, but for the object itself."""
    objects = {path_of(str(r["object"])) for r in act.rows if str(r["object"]).startswith("file:")}
    for row in act.rows:
        if row["attrs"].get("from") and row["host"]:
            yield str(row["host"]), str(row["attrs"]["from"]), row["time"]
    for row in ran:
        host = str(row["host"] or str(row["device"]).partition(":")[2])
        for path in named(row) - targets(row) - objects:
            yield host, path, row["time"], None, program(row)
        for there, path in elsewhere(row):
            yield there, path, row["time"]
        for path in libraries(row):
            yield host, path, row["time"], None, LOADED
        if folder := imports_from(row):
            yield host, folder, row["time"], None, IMPORTS


def _commands(world: World, act: Act, origins: tuple[Origin, ...]) -> list[Row]:
    """Return the commands that the act's process came out of, or that led to the act: by process ids where the records bear them (audit, SYSCALL), else all of the session shortly before."""
    led = world.acts("list_contains($e, event)", e=[e for o in origins for e in o.ran]) if any(o.ran for o in origins) else []
    led += _on_devices(world, act, origins)
    here = [r for r in act.rows if r["host"]] if act.kind.startswith("file.") else led
    sessions, hosts = sorted({str(r["session"]) for r in here if r["session"]}), sorted({str(r["host"]) for r in here})
    if not sessions:
        return led
    rows = world.acts(
        "action = 'process.exec' AND outcome = 'ok' AND list_contains($h, host) AND list_contains($s, session) AND time BETWEEN $low AND $t",
        h=hosts, s=sessions, low=act.time[0] - world.policy.windows["shared_exec"], t=act.time[1],
    )  # fmt: skip
    line = {r["attrs"].get(k) for r in here for k in ("pid", "ppid")} - {None}
    if not line:
        return rows
    for row in reversed(rows):
        if row["attrs"].get("pid") in line:
            line.add(row["attrs"].get("ppid"))
    # a subshell is forked without a record of it: of what ran just before, the chain of ids may have lost the script that it belongs to
    parents = [r["attrs"].get("ppid") for r in rows if r["attrs"].get("pid") in line]
    shell = {p for p in parents if sum(r["attrs"].get("ppid") == p for r in rows) > 1}  # the login's own, that several commands came out of
    lost = line - {r["attrs"].get("pid") for r in rows} - shell
    late = act.time[0] - world.policy.windows["just_before"] if lost else act.time[1]
    return [r for r in rows if r["attrs"].get("pid") is None or r["attrs"]["pid"] in line or (r["time"] >= late and starts_others(r))]


_BRINGS = (
    "pull",
    "merge",
    "checkout",
    "switch",
    "restore",
    "reset",
    "rebase",
    "cherry-pick",
    "am",
    "apply",
    "stash",
    "clone",
    "revert",
    "submodule",
    "worktree",
)
"""git's commands that write files of others' making"""


def _fetched(world: World, act: Act, ran: list[Row]) -> list[Row]:
    """Return the pushes that brought what git wrote to a file: the commits to a path of that name since the file was last written, a week back at most."""
    lines = [words_of(line_of(r)) for r in ran]
    if str(act.rows[0]["attrs"].get("exe") or act.rows[0]["attrs"].get("comm") or "git").rpartition("/")[2] != "git":
        return []
    if not any(words and words[0].rpartition("/")[2] == "git" and set(words) & set(_BRINGS) for words in lines):
        return []
    path = path_of(str(act.rows[0]["object"]))
    before = world.acts("action = 'file.write' AND outcome = 'ok' AND object = $o AND time < $t", o=act.rows[0]["object"], t=act.time[0])
    rows = world.tables.rows(
        """
        SELECT DISTINCT e.events[1] AS event FROM changes c JOIN edges e ON e.rule = 'pushed-commits' AND e.recorded AND split_part(e.dst, '@', 2) = c."commit"
        WHERE ends_with($path, '/' || c.path) AND e.time BETWEEN $low AND $t ORDER BY 1 LIMIT 50
        """,
        path=path, low=max([act.time[0] - WORN, *(r["time"] for r in before)]), t=act.time[1],
    )  # fmt: skip
    return world.acts("list_contains($e, event)", e=[r["event"] for r in rows]) if rows else []


def _on_devices(world: World, act: Act, origins: tuple[Origin, ...]) -> list[Row]:
    """Return the commands on the devices of the way back that may have led to the act."""
    devices = sorted({d.device for o in origins for d in o.devices})
    window = world.policy.windows["at_once"]
    rows = world.acts(
        "starts_with(action, 'device.process') AND list_contains($d, device) AND outcome = 'ok' AND time BETWEEN $low AND $high",
        d=devices, low=act.time[0] - window, high=act.time[1] + times.SECOND,
    ) if devices else []  # fmt: skip
    return [r for r in rows if fits(str(r["object"] or ""), of_system(world, act)) and tells(r, act)]


_STEERS = re.compile(
    r"\b(workdir|command|std(in|out|err)|features|partition|reservation|nodelist|burstbuffer|comment|name|switches)\s*=", re.IGNORECASE
)
"""what of a pending job `scontrol update` changes that it runs, loads or lands on (scontrol(1), update)"""


def _changed_meanwhile(world: World, act: Act) -> list[Row]:
    """Return the commands that changed what a pending job runs or where, between its being handed in and its start."""
    job = str(act.rows[0]["object"]).rpartition("/")[2]
    start = act.rows[0]["attrs"].get("start")
    rows = world.acts(
        "(action = 'process.exec' OR starts_with(action, 'device.process')) AND outcome = 'ok' AND actor IS NOT NULL AND time BETWEEN $low AND $high",
        low=act.time[0], high=start,
    ) if isinstance(start, int) else []  # fmt: skip
    lines = [(r, line_of(r)) for r in rows]
    return [
        r | {"object": str(act.rows[0]["object"])}
        for r, line in lines
        if "scontrol" in line and "update" in line and _STEERS.search(line) and re.search(rf"(?<!\d){re.escape(job)}(?!\d)", line)
    ]


def _template(world: World, act: Act) -> list[Row]:
    """Return the writes of the timetable that a job was made from by hand, where the job bears their line, or where none is told their image: it was that one's wording."""
    rows = world.acts(
        "starts_with(action, 'automation.trigger') AND object = $o AND outcome = 'ok' AND actor IS NOT NULL AND time < $t",
        o=act.rows[0]["attrs"].get("made_from"), t=act.time[0],
    ) if act.rows[0]["attrs"].get("made_from") else []  # fmt: skip
    return [r for r in rows if _bears(act.rows[0]["attrs"], r["attrs"])]


def _bears(job: dict[str, Any], wrote: dict[str, Any]) -> bool:
    """Tell whether a job bears what a write of its timetable says: its line or the end of it, what it sets in the environment; its image, where no line is told."""
    line, said = str(job.get("command") or ""), str(wrote.get("command") or "")
    if said and line:
        return line == said or line.endswith(f" {said}")
    env = wrote.get("env")
    if isinstance(env, dict) and env and isinstance(job.get("env"), dict):
        return bool(env.items() <= job["env"].items())
    return bool(wrote.get("image")) and wrote.get("image") == job.get("image")


def _in_work_tree(world: World, act: Act, origins: tuple[Origin, ...], question: Question) -> list[Row]:
    """Return the writes to the commit's own files, or to its hooks and settings, in the work tree that it was made in, within a week before."""
    sha = next((str(r["target"]).partition("@")[2] for r in act.rows if "@" in str(r["target"])), "")
    asked = question.object.partition("@")[2]
    commit, path = (asked.partition(":")[0] or sha), asked.partition(":")[2]
    rows = world.tables.rows(
        "SELECT DISTINCT path FROM changes WHERE \"commit\" = $c AND ($p = '' OR path = $p) LIMIT 500", c=commit, p=path
    )
    if not rows:
        return []
    paths = [r["path"] for r in rows]
    found: list[Row] = []
    for tree in sorted(_work_trees(world, act, origins, commit)):
        names = [f"{tree}/{p}" for p in paths]
        inside = f"{tree}/.git/"
        found += world.acts(
            """action = 'file.write' AND outcome = 'ok' AND time BETWEEN $low AND $t
               AND (list_contains($n, '/' || regexp_extract(object, '^file://[^/]*/(.*)$', 1))
                    OR regexp_matches('/' || regexp_extract(object, '^file://[^/]*/(.*)$', 1), $inside))""",
            low=act.time[0] - WORN, t=act.time[1], n=names, inside=f"^{re.escape(inside)}(hooks/|config|info/attributes)",
        )  # fmt: skip
    return found


def _brought_himself(world: World, act: Act, row: Row) -> bool:
    """Tell whether who edited a file of a work tree pushed a change of such a file himself since: his edit is in that, and in what others built on it."""
    who = set(world.known.last_holders(row["actor"], row["time"]))
    rows = world.tables.rows(
        """
        SELECT DISTINCT a.actor, a.time FROM changes c JOIN edges e ON e.rule = 'pushed-commits' AND e.recorded AND split_part(e.dst, '@', 2) = c."commit"
        JOIN acts a ON a.event = e.events[1] WHERE ends_with($path, '/' || c.path) AND a.time > $since AND a.time < $until AND a.actor IS NOT NULL ORDER BY ALL
        """,
        path=path_of(str(row["object"])), since=row["time"], until=act.time[0],
    )  # fmt: skip
    return any(who & set(world.known.last_holders(r["actor"], r["time"])) for r in rows)


def _work_trees(world: World, act: Act, origins: tuple[Origin, ...], commit: str) -> set[str]:
    """Return the folders that the commit was made in, by a clone's reflog or the git commands of the login that pushed it, and the clones that those commands took from."""
    rows = world.tables.rows(
        "SELECT DISTINCT json_extract_string(attrs, '$.worktree') AS tree FROM events WHERE action = 'ref.update' AND ends_with(target, '@' || $c) AND starts_with(json_extract_string(attrs, '$.message'), 'commit')",
        c=commit,
    )  # fmt: skip
    found = {str(r["tree"]).rstrip("/") for r in rows if r["tree"]}
    sessions = sorted({s for o in origins for s in o.sessions})
    rows = world.acts(
        "action = 'process.exec' AND outcome = 'ok' AND list_contains($s, session) AND time BETWEEN $low AND $t",
        s=sessions, low=act.time[0] - world.policy.windows["session"], t=act.time[1],
    ) if sessions else []  # fmt: skip
    for row in rows:
        words = words_of(line_of(row))
        if not words or words[0].rpartition("/")[2] != "git":
            continue
        place = words[words.index("-C") + 1] if "-C" in words[:-1] else ""
        folder = posixpath.normpath(posixpath.join(str(row["attrs"].get("cwd") or "/"), place))
        found |= {folder} if "commit" in words else set()
        found |= {c for w in words[2:] if set(words) & set(_TAKES_FROM) and (c := _clone(w, folder))}
    return {t.removesuffix("/.git") for t in found if t not in ("", "/", ".")}


_TAKES_FROM = ("fetch", "pull", "remote", "clone", "am", "apply")
"""git's commands that name another's clone, or a patch out of it"""


def _clone(word: str, folder: str) -> str:
    """Return the folder on some host that a word names: a path, or an address of ssh with one (git-clone(1), GIT URLS)."""
    path = re.sub(r"^(ssh|file|git\+ssh)://[^/]*|^[\w.@-]+:(?=[/~])", "", word)
    return posixpath.normpath(posixpath.join(folder, path)) if path.startswith(("/", "./", "../")) else ""


def _read(world: World, ran: list[Row]) -> Iterator[tuple[str, str, int]]:
    """Yield (host, path, ns) of the texts that these very processes read, where the records say so."""
    for row in ran:
        if row["attrs"].get("pid") is None or not row["session"]:
            continue
        reads = world.acts(
            "action = 'file.read' AND outcome = 'ok' AND host = $h AND session = $s AND time >= $t AND time <= $high",
            h=row["host"], s=row["session"], t=row["time"], high=row["time"] + world.policy.windows["shared_exec"],
        )  # fmt: skip
        for r in reads:
            if r["attrs"].get("pid") == row["attrs"]["pid"] and str(r["object"]).endswith(TEXTS):
                yield str(r["host"]), path_of(str(r["object"])), r["time"]


_DAYS = 2
"""days on which a file has run without the act before it is part of the furniture: code that waits for a date passes the first run, too"""


def _ran_since(world: World, ran: list[Row], path: str, written: Row, until: int) -> bool:
    """Tell whether others than its writer ran that file in between, on several days: who looks at it, or makes it executable, has not shown what it does.

    Where its writer has left meanwhile, only runs after that count: code may wait for it.
    """
    own = {r["event"] for r in ran}
    writer = set(world.known.last_holders(written["actor"], written["time"]))
    name = path.rpartition("/")[2]
    spelled = world.tables.rows(
        "SELECT id FROM events WHERE action = 'process.exec' AND (contains(attrs, $name) OR contains(attrs, $stem) OR ($make AND contains(attrs, 'make'))) ORDER BY id",
        name=name, stem=name.partition(".")[0] or name, make="makefile" in name.lower(),
    )  # fmt: skip
    gone = [p.employed_to for p in world.case.people if p.id in writer and p.employed_to is not None and p.employed_to <= until]
    rows = world.acts(
        "list_contains($e, event) AND outcome = 'ok' AND actor IS NOT NULL AND time > $since AND time < $until",
        e=[r["id"] for r in spelled if r["id"] not in own], since=max([written["time"], *gone]), until=until,
    )  # fmt: skip
    since = [r for r in rows if _runs(r, path) and not writer & set(world.known.last_holders(r["actor"], r["time"]))]
    return len({r["time"] // times.DAY for r in since}) >= _DAYS


_RUNNERS = re.compile(r"(ba|da|k|z)?sh|python[\d.]*|perl|node|Rscript|g?make|sbatch|srun|torchrun|accelerate|deepspeed|mpirun|ray")
"""programs that run what they are given, or run by it"""


def _runs(row: Row, path: str) -> bool:
    """Tell whether a command runs a file: as its program, or as what a program that runs such is given."""
    return path_of(str(row["object"])) == path or (bool(_RUNNERS.fullmatch(program(row))) and path in named(row))
