"""`forensics export`: what was found, for other programs."""

import json
from pathlib import Path
from typing import Any

import click

from forensics.cli.terms import CONTEXT, common, examination, stdout_bytes, stdout_is_terminal, terms
from forensics.errors import UsageError

_FORMATS = ("prov-json", "case-uco", "timesketch", "csv", "jsonl", "parquet")


@click.command(context_settings=CONTEXT, short_help="What was found, for other programs: PROV, CASE/UCO, Timesketch, tables.")
@examination()
@click.option("--format", "form", type=click.Choice(_FORMATS), required=True, help="How to write it.")
@common
def export(out: Path, form: str) -> None:
    """Write an examination for other programs, to stdout.

    prov-json (W3C PROV) and case-uco (CASE/UCO JSON-LD) carry the paths of the answers, with rule and records behind each link, and the evidence with its
    hashes; timesketch, csv, jsonl and parquet carry every event, as `timeline --limit 0` does. The same examination gives the same bytes.
    """
    from forensics.tables import open_tables
    from forensics.telling import export as room
    from forensics.telling import timeline

    if form == "parquet" and stdout_is_terminal():
        raise UsageError(
            f"{form} is nothing that a terminal can show", where="--format", hint=f"write it to a file: ... --format {form} > events.{form}"
        )
    with open_tables(out / "tables") as tables:
        if form in room.wholes():
            files = tables.rows("SELECT source, file, sha256, stored FROM files WHERE sha256 IS NOT NULL ORDER BY source, file")
            room.load_whole(form).write(_whole(out, files, tables), stdout_bytes())
            return
        wanted = timeline.Wanted()
        untimed = timeline.untimed(tables, wanted) if form == "timesketch" else 0
        room.load(form).write(timeline.events(tables, wanted), stdout_bytes(), "UTC")
        if untimed:
            terms().say(f"{untimed} events without a time are left out")


def _whole(out: Path, files: list[dict[str, Any]], tables: Any) -> Any:  # noqa: ANN401 - an export.Whole, whose room is imported only when it is used
    from forensics.telling.export import Whole, acts

    note = json.loads((out / "examination.json").read_text(encoding="utf-8"))
    if not (out / "findings.json").is_file():
        raise UsageError("this examination has no findings", where=str(out), hint="run `forensics investigate` to its end")
    log = (out / "custody.jsonl").read_text(encoding="utf-8").splitlines()
    first = json.loads(log[0]) if log else {}
    findings = json.loads((out / "findings.json").read_text(encoding="utf-8"))
    people, examiner, time = note.get("people", {}), first.get("examiner", ""), first.get("time", "")
    return Whole(findings, people, files, examiner, time, note.get("tool", ""), acts(findings, tables))
