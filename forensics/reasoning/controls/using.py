"""Controls over what was used: whether it was scanned first, stayed the same, was used by known people, and left no copy behind."""

from collections.abc import Iterator

from forensics.reasoning.act import Row
from forensics.reasoning.controls.control import Control, Shows
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.impact import Impact
from forensics.reasoning.world import World

_REFS = 6
_SCANNED = "it was scanned before it was first used"
_SAME = "what was used is what was written, by its hash or version"
_KEYED = "each use is recorded under one person's account"
_REMOVED = "the copy of the stage before was removed"
_SCANNERS = r"(?i)\b(picklescan|modelscan|fickling|modelaudit|clamscan|clamdscan|trivy|semgrep|bandit|forensics scan|yara)\b"
_STORED = ("s3:", "hdfs:", "file:")


def scanned_first(world: World, dossier: Dossier, reach: Impact) -> Iterator[Control]:
    """Yield whether a check or a scanner is recorded for the artefact, before its first use."""
    reference = dossier.planted[0].object if dossier.planted else dossier.objects[0]
    if not reference.startswith(_STORED):
        return
    bare = reference.partition("?versionId=")[0]
    code = dossier.code or tuple(r for p in dossier.planted for r in p.code)
    would = (
        f"a scan names what runs on loading: {', '.join(sorted({str(r['name']) for r in code}))}"
        if code
        else "a scan compares it with what it was"
    )
    written = dossier.when[0] if dossier.when else 0
    first = min((e["time"] for e in reach.edges if e["time"] is not None and e["dst"] in reach.jobs and e["time"] >= written), default=None)
    scans = _scans(world)
    mine = [s for s in scans if s["object"].partition("?versionId=")[0] == bare or bare.rpartition("/")[2] in s["argv"]]
    before = [s for s in mine if s["time"] >= written and (first is None or s["time"] <= first)]
    if before:
        outcome = before[-1]["outcome"] or "not recorded"
        why = f"a check of it is recorded before its first use, with the outcome {outcome}"
        yield Control("scanned-first", _SCANNED, reference, Shows.YES, why, would, _ids(before))
    elif scans:
        why = "checks are recorded, and none of it before its first use" if mine else "checks of other files are recorded, and none of it"
        yield Control("scanned-first", _SCANNED, reference, Shows.NO, why, would, _ids(mine or scans[:1]))
    else:
        yield Control(
            "scanned-first", _SCANNED, reference, Shows.NOTHING, "no record of any scan or check was supplied", would, dossier.seen[:_REFS]
        )


def _scans(world: World) -> list[Row]:
    """Return every check of a file against a hash, and every run of a scanner, in the order of time."""
    return world.tables.rows(
        """
        SELECT a.event AS id, a.time, coalesce(a.object, '') AS object, coalesce(a.outcome, '') AS outcome,
               CASE WHEN a.action = 'process.exec' THEN coalesce(json_extract_string(e.attrs, '$.argv'), '') ELSE '' END AS argv
        FROM acts a JOIN events e ON e.id = a.event
        WHERE a.time IS NOT NULL AND (a.action = 'file.check'
           OR (a.action = 'process.exec' AND regexp_matches(coalesce(json_extract_string(e.attrs, '$.argv'), ''), $scanners)))
        ORDER BY a.time, a.event LIMIT 10000
        """,
        scanners=_SCANNERS,
    )  # fmt: skip


def same_hash(world: World, dossier: Dossier, reach: Impact) -> Iterator[Control]:
    """Yield whether the records bind what was used to what was written: a commit's id, a version, or a digest."""
    reference = dossier.objects[0]
    would = "whoever uses it would have used what was reviewed and scanned, or nothing"
    if reference.startswith("git:") and "@" in reference:
        ran = [e for e in reach.edges if e["rule"] == "job-commits" and e["recorded"]]
        if ran:
            jobs = len({e["dst"] for e in ran})
            why = f"the records of {jobs} jobs name the commit that they ran"
            yield Control("same-hash", _SAME, reference, Shows.YES, why, would, _of_edges(ran))
        else:
            why = "no job's record names the commit that it ran"
            yield Control("same-hash", _SAME, reference, Shows.NOTHING, why, would, dossier.seen[:_REFS])
        return
    if not reference.startswith(_STORED):
        return
    bare = reference.partition("?versionId=")[0]
    uses = [e for e in reach.edges if e["src"].partition("?versionId=")[0] == bare]
    bound = [e for e in uses if "?versionId=" in e["src"]]
    if uses and len(bound) == len(uses):
        yield Control(
            "same-hash", _SAME, reference, Shows.YES, f"each of {len(uses)} recorded uses names the version", would, _of_edges(bound)
        )
        return
    changed = world.acts("action = 'file.check' AND outcome <> 'ok' AND object = $b", b=bare)
    if changed:
        why = "a check found that it was not what it had been"
        yield Control("same-hash", _SAME, reference, Shows.NO, why, would, tuple(r["event"] for r in changed[:_REFS]))
        return
    writes = world.acts("action IN ('object.write', 'file.write') AND outcome = 'ok' AND split_part(object, '?versionId=', 1) = $b", b=bare)
    if uses and len(writes) > 1:
        why = f"its name was written {len(writes)} times, and {len(uses) - len(bound)} uses name no version or hash"
        yield Control("same-hash", _SAME, reference, Shows.NO, why, would, (*_of_edges(uses), *(r["event"] for r in writes[:3])))
        return
    yield Control(
        "same-hash", _SAME, reference, Shows.NOTHING, "no use of it is recorded with a hash or a version", would, dossier.seen[:_REFS]
    )


def use_by_person(world: World, dossier: Dossier, reach: Impact) -> Iterator[Control]:
    """Yield whether the jobs that ran or loaded it were started under accounts of one person each."""
    would = "each use would lead to the person who started it"
    if not reach.jobs:
        yield Control("use-by-person", _KEYED, dossier.objects[0], Shows.NOTHING, "no use of it is recorded", would, dossier.seen[:_REFS])
        return
    rows = world.tables.rows(
        "SELECT job, min(actor) AS actor, min(submit) AS time, min(events[1]) AS event FROM jobs WHERE list_contains($j, job) GROUP BY job ORDER BY job",
        j=list(reach.jobs),
    )
    others = [r for r in rows if world.known.kind(r["actor"], r["time"] or 0) != "personal"]
    refs = tuple(r["event"] for r in (others or rows)[:_REFS] if r["event"] is not None)
    if not rows or len(rows) < len(reach.jobs):
        why = f"of {len(reach.jobs)} jobs, {len(reach.jobs) - len(rows)} have no record of who started them"
        yield Control("use-by-person", _KEYED, dossier.objects[0], Shows.NOTHING, why, would, refs or dossier.seen[:_REFS])
        return
    if others:
        named = ", ".join(sorted({str(r["actor"]) for r in others if r["actor"]})[:5]) or "none is recorded"
        why = f"{len(others)} of {len(rows)} jobs ran under accounts that are not one person's ({named})"
        yield Control("use-by-person", _KEYED, dossier.objects[0], Shows.NO, why, would, refs)
        return
    yield Control("use-by-person", _KEYED, dossier.objects[0], Shows.YES, f"all {len(rows)} jobs ran under personal accounts", would, refs)


def copy_removed(world: World, dossier: Dossier) -> Iterator[Control]:
    """Yield whether the place that a copy came from was cleared: of an artefact that another one was copied from."""
    reference = dossier.objects[0]
    if not reference.startswith(_STORED) or dossier.when is None:
        return
    bare, since = reference.partition("?versionId=")[0], dossier.when[0]
    copies = world.tables.rows(
        """
        SELECT e.id, split_part(e.object, '?versionId=', 1) AS copy FROM events o JOIN events e ON e.target = o.target AND e.action = 'object.content'
        WHERE o.action = 'object.content' AND split_part(o.object, '?versionId=', 1) = $b AND split_part(e.object, '?versionId=', 1) <> $b ORDER BY e.id
        """,
        b=bare,
    )
    copied = world.tables.rows(
        """
        SELECT id AS event FROM events WHERE action = 'object.write' AND coalesce(outcome, 'ok') = 'ok' AND time >= $t
          AND split_part(coalesce(prior, target, ''), '?versionId=', 1) = $b AND split_part(object, '?versionId=', 1) <> $b ORDER BY id LIMIT 10
        """,
        t=since, b=bare,
    )  # fmt: skip
    if not copies and not copied:
        return
    would = "an earlier copy can't be loaded by mistake, or changed unseen"
    place = bare.rpartition("/")[0]
    gone = world.acts(
        "action IN ('object.delete', 'file.delete') AND outcome = 'ok' AND time >= $t AND split_part(object, '?versionId=', 1) = $b",
        t=since,
        b=bare,
    )
    refs = tuple(r["id"] for r in copies[:3]) + tuple(r["event"] for r in copied[:3])
    if gone:
        yield Control("copy-removed", _REMOVED, bare, Shows.YES, "its deletion is recorded", would, tuple(r["event"] for r in gone[:_REFS]))
        return
    kept = world.acts("action IN ('object.delete', 'file.delete') AND starts_with(object, $p)", p=place)
    why = "deletions there are recorded, and none of it" if kept else "no deletion there is recorded at all"
    yield Control("copy-removed", _REMOVED, bare, Shows.NO if kept else Shows.NOTHING, why, would, refs)


def _ids(rows: list[Row]) -> tuple[int, ...]:
    return tuple(int(r["id"]) for r in rows[:_REFS])


def _of_edges(edges: list[Row]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(event for e in edges for event in e["events"][:2]))[:_REFS]
