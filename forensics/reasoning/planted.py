"""Code planted in what somebody else's process loaded: who ran it is not who made it."""

from collections.abc import Iterator
from dataclasses import dataclass

from forensics import times
from forensics.indicator import Hypothesis, Item
from forensics.model import Mechanism
from forensics.reasoning.act import Act, Row
from forensics.reasoning.effects import NONE, SHOWN, effect, handed, reaches
from forensics.reasoning.kin import collected, kin
from forensics.reasoning.world import World

_USUAL = 0.5
"""share of the checkpoints compared with from which on a callable is what such files always name; and of the jobs from which on a load is what jobs do anyway"""

_AT_ONCE = 0.1
"""share of the rest of a job within which a change came at once"""


@dataclass(frozen=True, slots=True)
class Planted:
    """An object that the act's process had loaded, and that holds code which runs."""

    object: str
    """its reference, with the version that was loaded where that is known"""
    write: Row
    """the write that put it there"""
    load: Row
    """the load before the act"""
    job: str
    code: tuple[Row, ...]
    named: bool
    """the code names the place of what was changed"""


def hidden_code(world: World, reference: str) -> tuple[Row, ...]:
    """Return the records of code that runs when this object is loaded, and that such files do not usually name.

    A collected copy that bears no version may be of any of the writes to its name (see `several_writes`).
    """
    bare = reference.partition("?versionId=")[0]
    rows = world.tables.rows(
        """
        SELECT id AS event, source, object, name, attrs FROM events WHERE action = 'object.code' AND json_extract_string(attrs, '$.kind') = 'dangerous'
          AND (object = $o OR (object = $b AND NOT contains(object, '?'))) ORDER BY id
        """,
        o=reference, b=bare,
    )  # fmt: skip
    if not rows:
        return ()
    pools = [_named(world, objects) for objects in _compared(world, reference)]
    return tuple(r for r in rows if not any(_usual(world, r, size, named) for size, named in pools if size))


_Named = dict[str, dict[str, set[tuple[str, ...]]]]
"""callable -> file that names it -> what it is called with there"""


def _compared(world: World, reference: str) -> Iterator[tuple[str, ...]]:
    """Yield the files that tell what is usual: those of its own run, the nearest of its own folders, and all that were collected."""
    bare = reference.partition("?versionId=")[0]
    own = collected(world, reference)
    found = [(by, tuple({r["object"] for r in rows})) for by, rows in kin(world, own) if rows] if own else []
    for by in dict.fromkeys(by for by, _ in found):
        yield next(objects for kind, objects in found if kind == by)
    rows = world.tables.rows(
        "SELECT DISTINCT object FROM events WHERE action = 'object.content' AND split_part(object, '?', 1) <> $b AND json_extract_string(attrs, '$.pickles') IS NOT NULL",
        b=bare,
    )
    yield tuple(r["object"] for r in rows)


def _named(world: World, objects: tuple[str, ...]) -> tuple[int, _Named]:
    named: _Named = {}
    rows = world.tables.rows(
        "SELECT object, name, attrs FROM events WHERE action = 'object.code' AND list_contains($o, object)", o=sorted(objects)
    )
    for row in rows:
        named.setdefault(row["name"], {}).setdefault(row["object"], set()).add(handed(row))
    return len(objects), named


def _usual(world: World, row: Row, size: int, named: _Named) -> bool:
    """Tell whether such files mostly name it; where it runs what it is handed, whether they hand it the same, and do so by more than one hand.

    Code that runs programs or text, alike in every file, all by one account, is that account's.
    """
    files = named.get(row["name"], {})
    alike = [f for f, calls in files.items() if effect(row) != SHOWN or handed(row) in calls]
    return len(alike) >= _USUAL * size and not (reaches(row) and _by_one(world, [row["object"], *alike]))


def _by_one(world: World, objects: list[str]) -> bool:
    """Tell whether the records show who wrote such files, and it was one account."""
    rows = world.tables.rows(
        """
        SELECT count(DISTINCT actor) AS n FROM acts WHERE action = 'object.write' AND outcome = 'ok' AND actor IS NOT NULL
          AND (list_contains($o, object) OR list_contains($o, split_part(object, '?versionId=', 1)))
        """,
        o=sorted({o.partition("?versionId=")[0] for o in objects} | set(objects)),
    )  # fmt: skip
    return bool(rows[0]["n"] == 1)


def several_writes(world: World, reference: str, code: tuple[Row, ...]) -> bool:
    """Tell whether the collected copy names no version, and its name was written more than once."""
    bare = reference.partition("?versionId=")[0]
    rows = world.tables.rows(
        "SELECT count(*) AS n FROM acts WHERE action = 'object.write' AND outcome = 'ok' AND split_part(object, '?', 1) = $b", b=bare
    )
    return all("?" not in str(r["object"]) for r in code) and rows[0]["n"] > 1


def planted_behind(world: World, act: Act, jobs: tuple[str, ...]) -> tuple[Planted, ...]:
    """Return the loaded objects with hidden code behind an act in a job's process, one for each write that put one there, in their order."""
    loads = world.tables.rows(
        """
        SELECT e.src, e.dst AS job, max(e.time) AS time, max(events[-1]) AS event FROM edges e
        WHERE e.rule = 'job-objects' AND list_contains($jobs, e.dst) AND e.time <= $t GROUP BY ALL ORDER BY ALL
        """,
        jobs=list(jobs), t=act.time[1],
    )  # fmt: skip
    found = {p.write["event"]: p for p in (_planted(world, act, r) for r in loads) if p is not None}
    return tuple(found[e] for e in sorted(found))


def _planted(world: World, act: Act, load: Row) -> Planted | None:
    bare = load["src"].partition("?versionId=")[0]
    writes = world.acts(
        "action = 'object.write' AND outcome = 'ok' AND time <= $t AND (object = $o OR ($o = $b AND split_part(object, '?', 1) = $b))",
        t=load["time"],
        o=load["src"],
        b=bare,
    )
    if not writes:
        return None
    write = writes[-1]
    code = tuple(r for r in hidden_code(world, write["object"]) if effect(r) != NONE)
    if not code:
        return None
    return Planted(write["object"], write, load, load["job"], code, any(_names(r, act) for r in code))


def _names(row: Row, act: Act) -> bool:
    """Tell whether the code's own text names the changed file, or a folder that it lies in."""
    path = "/" + str(act.rows[0]["object"]).partition("://")[2].partition("/")[2]
    folders = {path.rsplit("/", n)[0] + "/" for n in range(1, path.count("/"))} | {path}
    return any(len(f) > 3 and f in str(row["attrs"]) for f in folders)


def planted_items(world: World, act: Act, planted: Planted) -> Iterator[Item]:
    """Yield what speaks for planted code against the process's owner himself: the code, and that it was loaded before the change."""
    owners = world.known.last_holders(act.account, act.time[0])
    word = "very unlikely" if planted.named else "unlikely" if any(effect(r) == SHOWN for r in planted.code) else "almost certain"
    unlike = {Hypothesis(p, Mechanism.OWN_ACCOUNT): word for p in owners}
    names = ", ".join(sorted({r["name"] for r in planted.code}))
    what = " and names the place of what was changed" if planted.named else ""
    yield Item(
        "planted_code", f"{planted.object} holds code that runs when it is loaded ({names}){what}", (planted.code[0]["source"],), tuple(r["event"] for r in planted.code[:6]),
        "change", unlike, "almost certain",
    )  # fmt: skip
    minutes = (act.time[0] - planted.load["time"]) / times.MINUTE
    event = world.acts("event = $e", e=planted.load["event"])
    yield Item(
        "planted_load", f"{planted.job} had loaded it {minutes:.0f} minutes before its process made the change", tuple(r["source"] for r in event[:1]) or act.sources,
        (planted.load["event"], *act.events[:2]), "change", {Hypothesis(p, Mechanism.OWN_ACCOUNT): _coincidence(world, planted, act.time[0]) for p in owners}, "almost certain",
    )  # fmt: skip


def _coincidence(world: World, planted: Planted, moment: int) -> str:
    """Say how well it is explained without the code that the change came when it did.

    That a job had loaded the object tells nothing where most jobs load it anyway. But code that runs on loading acts at once, while who edits out of his own
    job may do so at any time of it: a change within the first tenth of the time that was left of the job is unlikely without the code.
    """
    job = world.tables.rows('SELECT max("end") AS over FROM jobs WHERE job = $j', j=planted.job)
    left = (job[0]["over"] or 0) - planted.load["time"]
    if left > 0:
        return "unlikely" if 0 <= moment - planted.load["time"] <= _AT_ONCE * left else "almost certain"
    bare = planted.object.partition("?versionId=")[0]
    rows = world.tables.rows(
        """
        SELECT count(DISTINCT dst) AS jobs, count(DISTINCT CASE WHEN split_part(src, '?', 1) = $b THEN dst END) AS loaded FROM edges
        WHERE rule = 'job-objects' AND regexp_matches(dst, '^(slurm|k8s):') AND time BETWEEN $since AND $until
        """,
        b=bare, since=planted.write["time"], until=planted.load["time"],
    )  # fmt: skip
    return "almost certain" if rows[0]["loaded"] > _USUAL * rows[0]["jobs"] else "unlikely"
