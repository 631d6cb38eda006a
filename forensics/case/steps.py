"""An examination: read, link, reason, tell; and the custody of what it was made from."""

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from forensics import __version__, custody, rulebook, schema
from forensics.case import own
from forensics.case.folder import open_case
from forensics.case.problems import Problem
from forensics.case.reading import PART_IDS, files_table, plan, read_all
from forensics.errors import CaseError, EvidenceError, Exit, ForensicsError, UsageError
from forensics.evidence import check_unchanged, collect, hash_all, sha256_of
from forensics.facts import acts_table, addresses_table, jobs_table, pushes_table
from forensics.link import rules
from forensics.model import CaseConfig, Evidence
from forensics.parts import PartWriter
from forensics.patterns.apart import Apart
from forensics.patterns.matching import unmatched
from forensics.patterns.rules import installed
from forensics.reasoning.answers import Reasoned, reason
from forensics.reasoning.clocks import clocks, clocks_table
from forensics.reasoning.policy import Policy, read_policy
from forensics.reasoning.world import Own, Raw
from forensics.source import kinds, load
from forensics.sources.git.blobs import reader
from forensics.sources.git.intake import copy_of
from forensics.tables import Tables
from forensics.telling import comparison, report
from forensics.telling import findings as findings_room
from forensics.telling.handoff import sbom
from forensics.telling.raw import RawReader
from forensics.telling.references import References

TOOL = f"training-forensics {__version__}"


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller asks for. Time and examiner come from the caller; nothing here asks the clock."""

    examiner: str
    time: str
    """ISO 8601, UTC"""
    workers: int = 2
    policy: Path | None = None
    rules: tuple[Path, ...] = ()
    """rules of the examiner's own: files, folders, or a rules.json"""
    skip_unknown: bool = False
    force: bool = False
    page: bool = True
    """write report.html, too; `forensics report` makes it later out of OUT"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    findings: dict[str, Any]
    exit: Exit
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Intake:
    """Evidence that can be read, and sources that can't, with the reason."""

    evidences: tuple[Evidence, ...]
    unreadable: dict[str, str]


def investigate(root: Path, out: Path, request: Request, progress: Callable[[str], None]) -> Outcome:
    """Examine a case folder and write OUT; IntegrityError where evidence changed meanwhile."""
    case, problems = open_case(root)
    policy = read_policy(request.policy)
    book = rulebook.read(request.rules)
    _known_kinds(case, request)
    _fresh(root, out, force=request.force)
    with ThreadPoolExecutor(2) as pool:
        progress("taking in: hashing every file")
        intake = take_in(case, out, pool, request)
        (out / "policy.toml").write_text(policy.source, encoding="utf-8", newline="\n")
        if book.files:
            rulebook.write(book, out / "rules.json")
        progress(f"reading {sum(len(e.files) for e in intake.evidences)} files of {len(intake.evidences)} sources")
        tables = read(intake, out, request.workers)
        progress("linking: what led to what")
        link(tables, case, policy)
        progress("reasoning: hypotheses, and what the records say of each")
        with ExitStack() as stack:
            shipped = stack.enter_context(Apart()).hits if installed() else unmatched
            own = Own(stack.enter_context(Apart(book.text)).hits if book.text else None, book.commands)
            reasoned = reason(
                tables, case, policy, reader(_copies(intake, out)), shipped, own, _pointed(stack.enter_context(RawReader(out)))
            )
        progress("telling: findings and report")
        findings = tell(tables, case, intake, reasoned, policy, out, request)
        tables.close()
        progress("hashing every file again")
        for evidence in intake.evidences:
            check_unchanged(evidence, pool)
    custody.append(
        out / "custody.jsonl",
        _actor(request),
        [{"action": "examined", "subject": "findings.json", "sha256": sha256_of(str(out / "findings.json"))}],
    )
    damaged = any(source["damage"] for source in findings["sources"])
    return Outcome(findings, Exit.UNREADABLE if intake.unreadable or damaged else Exit.DONE, tuple(problems))


def _pointed(reader: RawReader) -> Raw:
    """Return how the bytes are read that a row of events points at."""
    return lambda row: reader.read({"source": row["source"], "path": row["file"], "locator": f"bytes={row['start']}-{row['end']}"})


def _copies(intake: Intake, out: Path) -> list[Path]:
    """Return the safe copies of the repositories that could be read."""
    names = [e.source.name for e in intake.evidences if e.source.kind == "git" and e.source.name not in intake.unreadable]
    return [copy_of(str(out / "work"), name) for name in names]


def _actor(request: Request) -> custody.Actor:
    return custody.Actor(request.examiner, request.time, TOOL)


def _known_kinds(case: CaseConfig, request: Request) -> None:
    unknown = sorted({s.kind for s in case.sources} - set(kinds()))
    if unknown and not request.skip_unknown:
        raise CaseError(
            f"no reader for: {', '.join(unknown)}",
            where="case.toml",
            hint="`forensics sources` lists what can be read; --skip-unknown goes on without these",
        )


def _fresh(root: Path, out: Path, *, force: bool) -> None:
    """Make OUT an empty folder. Only a folder that this program made is ever replaced, and only when asked to."""
    if out.resolve().is_relative_to(root.resolve()):
        raise UsageError(
            "OUT lies inside the case folder, and evidence is never written to", where=str(out), hint="choose a place outside the case"
        )
    if root.resolve().is_relative_to(out.resolve()):
        raise UsageError("OUT holds the case folder, and would be replaced with it", where=str(out), hint="choose a place outside the case")
    if out.exists() and any(out.iterdir()):
        if not force:
            raise UsageError("is not empty", where=str(out), hint="choose another OUT, or --force to replace an earlier examination")
        if not (out / "examination.json").exists():
            raise UsageError("was not made by this program, and is left alone", where=str(out), hint="choose another OUT")
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)


def take_in(case: CaseConfig, out: Path, pool: ThreadPoolExecutor, request: Request) -> Intake:
    """Find and hash every file, note it in the custody log, and lay down safe copies of what needs them."""
    work = out / "work"
    evidences = [hash_all(own.evidence(Path(case.root)), pool)]
    unreadable: dict[str, str] = {}
    for source in sorted(case.sources, key=lambda s: s.name):
        try:
            evidence = hash_all(collect(case, source, str(work)), pool)
            evidences.append(evidence)
        except (EvidenceError, CaseError) as error:
            unreadable[source.name] = error.what
    _examination(case, out, request)
    entries = [
        {"action": "received", "subject": f"{e.source.name}/{f.file}" if f.file else e.source.name, "sha256": f.sha256, "bytes": f.size}
        for e in evidences
        for f in e.files
    ]
    custody.append(out / "custody.jsonl", _actor(request), entries)
    return Intake(tuple(_prepared(evidences, unreadable)), unreadable)


def _prepared(evidences: list[Evidence], unreadable: dict[str, str]) -> list[Evidence]:
    ready = []
    for evidence in evidences:
        kind = evidence.source.kind
        if kind in kinds() and (prepare := load(kind).prepare):
            try:
                ready.append(prepare(evidence))
            except ForensicsError as error:
                unreadable[evidence.source.name] = error.what
                ready.append(evidence)
        else:
            if kind not in kinds() and kind != own.NAME:
                unreadable[evidence.source.name] = f"no reader for kind {kind!r}: skipped, as asked"
            ready.append(evidence)
    return ready


def _examination(case: CaseConfig, out: Path, request: Request) -> None:
    """Note where the case lies, for `show`, and how it was examined, for `rerun`; this is no part of the findings."""
    note = {
        "case": str(Path(case.root).resolve()),
        "case_id": case.id,
        "sources": {s.name: s.path for s in case.sources} | {own.NAME: "."},
        "kinds": {s.name: s.kind for s in case.sources},
        "timezone": case.timezone,
        "window": list(case.window),
        "people": {p.id: p.name for p in case.people},
        "tool": TOOL,
        "examiner": request.examiner,
        "time": request.time,
        "skip_unknown": request.skip_unknown,
        "code": sbom.code(),
        "lock": sbom.lock().decode(),
    }
    (out / "examination.json").write_text(json.dumps(note, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def read(intake: Intake, out: Path, workers: int) -> Tables:
    """Read every source into the tables of OUT, and balance the books."""
    folder = out / "tables"
    readable = [e for e in intake.evidences if e.source.name not in intake.unreadable and e.source.kind != own.NAME]
    tasks = plan(readable, folder)
    accounts = read_all(tasks, workers)
    _own_registers(intake.evidences[0], folder, len(tasks))
    tables = Tables(folder)
    tables.write("files", [files_table(readable, accounts), _unread(intake), _registers(intake.evidences[0])])
    return tables


def _own_registers(registers: Evidence, folder: Path, number: int) -> None:
    next_id = number << PART_IDS
    with PartWriter(folder, number) as part:
        for file, batch in own.read(registers):
            if batch.events:
                part.write("events", schema.event_batch(own.NAME, file.file, next_id, batch.events))
                next_id += len(batch.events)


def _unread(intake: Intake) -> pa.Table:
    """Book the bytes of sources that were not read: all skipped."""
    rows = [
        {"source": e.source.name, "file": f.file, "sha256": f.sha256, "stored": f.size, "text": 0, "parsed": 0, "skipped": f.size, "rejected": 0,
         "damage": intake.unreadable[e.source.name], "counted": True}
        for e in intake.evidences if e.source.name in intake.unreadable for f in e.files
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=schema.FILES)


def _registers(registers: Evidence) -> pa.Table:
    rows = [
        {"source": own.NAME, "file": f.file, "sha256": f.sha256, "stored": f.size, "text": f.size, "parsed": f.size, "skipped": 0, "rejected": 0,
         "damage": "", "counted": True}
        for f in registers.files
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=schema.FILES)


def link(tables: Tables, case: CaseConfig, policy: Policy) -> None:
    """Set the clocks, put jobs, pushes and acts together, and draw the edges of every rule."""
    tables.write("clocks", [clocks_table(clocks(tables, case, policy))])
    tables.write("jobs", [jobs_table(tables)])
    tables.write("pushes", [pushes_table(tables)])
    tables.write("acts", [acts_table(tables, case)])
    tables.write("addresses", [addresses_table(tables)])
    for number, rule in enumerate(rules()):
        tables.write("edges", (_edges(rule.name, rows) for rows in rule.run(tables)), number)


def _edges(rule: str, rows: pa.Table) -> pa.Table:
    if not rows.num_rows:
        return schema.EDGES.empty_table()
    rows = rows.append_column("rule", pa.repeat(pa.scalar(rule), rows.num_rows))
    return rows.select(schema.EDGES.names).cast(schema.EDGES)


def tell(
    tables: Tables, case: CaseConfig, intake: Intake, reasoned: Reasoned, policy: Policy, out: Path, request: Request
) -> dict[str, Any]:
    """Write comparison.json, findings.json and report.html."""
    used = {"policy": sha256_of(str(out / "policy.toml")), comparison.NAME: _compared(tables, reasoned, policy, out)}
    if request.rules:
        used[rulebook.NAME] = sha256_of(str(out / "rules.json"))
    told = findings_room.make(tables, case, reasoned, dict(intake.unreadable), {e.source.name: e.notes for e in intake.evidences}, used)
    kept = report.Kept(case, policy.as_printed(), tuple(sorted({s.kind for s in case.sources} - set(kinds()))))
    with RawReader(out) as raw:
        report.keep(told, tables, kept, raw.read)
    told["tables"] = tables.hashes() | used
    findings_room.write(told, out / "findings.json")
    if request.page:
        _page(told, tables, case, kept, out, request)
    return told


def _page(told: dict[str, Any], tables: Tables, case: CaseConfig, kept: report.Kept, out: Path, request: Request) -> None:
    log = [json.loads(line) for line in (out / "custody.jsonl").read_text(encoding="utf-8").splitlines()]
    compared = json.loads((out / "comparison.json").read_text(encoding="utf-8"))
    rules = json.loads((out / "rules.json").read_text(encoding="utf-8")) if request.rules else {}
    extra = report.Extra(
        TOOL, request.examiner, request.time, log[-1]["hash"], tuple(log), kept.policy, kept.unknown_kinds, compared=compared, rules=rules
    )
    (out / "report.html").write_text(report.render(told, tables, case, extra), encoding="utf-8", newline="\n")


def _compared(tables: Tables, reasoned: Reasoned, policy: Policy, out: Path) -> str:
    """Write comparison.json; return its SHA-256."""
    path = out / "comparison.json"
    comparison.write(comparison.make(reasoned.comparison, References(tables), int(policy.causes["shuffles"])), path)
    return sha256_of(str(path))
