"""The report made anew for a view that withholds: from what that view shows, and from events without their words."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from forensics import schema
from forensics.model import CaseConfig
from forensics.source import kinds
from forensics.tables import open_tables
from forensics.telling.handoff.material import Material
from forensics.telling.handoff.redaction import Redaction
from forensics.telling.report import Extra, render
from forensics.telling.report.extra import no_bytes

_KEPT = {
    "events": ("id", "source", "file", "start", "end", "time", "time_hi", "action", "locator"),
    "files": ("source", "file", "stored", "text", "parsed", "skipped", "rejected", "damage", "counted"),
    "clocks": schema.TABLES["clocks"].names,
}
"""columns that the report needs for its drawings and counts; of the rest nothing is left"""


def report(found: Material, redaction: Redaction, documents: Mapping[str, Any], language: str) -> bytes:
    """Return report.html as this view shows it."""
    case: CaseConfig = redaction.names.value(found.case)
    people = sorted(case.people, key=lambda p: (p.id, p.name))  # nor does the order of the register tell who is who
    case = replace(case, people=tuple(replace(p, role="") for p in people))  # a role that only one has is a name
    findings = json.loads(json.dumps(documents["data/findings.json"]))
    if redaction.view.everything:
        case = replace(
            case,
            title="",
            mandate=(),
            statements=(),
            sources=tuple(replace(s, host="", controllers=None, acquired=None) for s in case.sources),
        )
        for answer in findings["answers"]:
            answer["path"] = []
    unknown = tuple(sorted({s.kind for s in case.sources} - set(kinds())))
    log = tuple(documents["data/custody.jsonl"])
    last = log[-1]
    extra = Extra(last["tool"], last["examiner"], last["time"], "", log, found.policy, unknown, no_bytes, withheld=True)
    with tempfile.TemporaryDirectory() as place:
        for name, columns in _KEPT.items():
            _without_words(found.out / "tables" / name, Path(place) / name, columns, redaction)
        with open_tables(Path(place)) as tables:
            return render(findings, tables, case, extra, language).encode()


def _without_words(source: Path, target: Path, columns: tuple[str, ...] | list[str], redaction: Redaction) -> None:
    """Copy a table's kept columns, names replaced in their texts; every other column is empty."""
    for part in sorted(source.glob("part-*.parquet")):
        target.mkdir(exist_ok=True)
        opened = pq.ParquetFile(part)
        with pq.ParquetWriter(target / part.name, opened.schema_arrow) as writer:
            for batch in opened.iter_batches(batch_size=1 << 16):
                arrays = [
                    _renamed(column, redaction) if name in columns else pa.nulls(batch.num_rows, column.type)
                    for name, column in zip(batch.schema.names, batch.columns, strict=True)
                ]
                writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=batch.schema))


def _renamed(column: pa.Array, redaction: Redaction) -> pa.Array:
    """Replace names in a text column, each distinct value once."""
    if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
        return column
    coded = column.dictionary_encode()
    values = [None if v is None else redaction.names.text(v) for v in coded.dictionary.to_pylist()]
    return pa.array(values, column.type).take(coded.indices)
