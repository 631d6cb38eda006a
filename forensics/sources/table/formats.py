"""CSV, JSON and Parquet -> rows that know their place."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from forensics import records, rows
from forensics.errors import RecordError
from forensics.evidence import FREE_GROWTH, LARGEST_RATIO, compression, open_text
from forensics.model import Batch, Event, Evidence, EvidenceFile, Piece, Reject
from forensics.sources.table.mapping import Mapped

_PARQUET = b"PAR1"


def _format(file: EvidenceFile) -> str:
    """Tell CSV, JSON and Parquet apart by the file's first bytes: a heading never begins with a bracket."""
    with open_text(file) as stream:
        head = stream.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(_PARQUET):
        return "parquet"
    return "json" if head[:1] in (b"{", b"[") else "csv"


def split(evidence: Evidence) -> Iterator[Piece]:
    """Cut at record ends; a Parquet file, and a CSV file with quoted cells or without the mapped columns, stays whole."""
    for file in evidence.files:
        one = Evidence(evidence.source, (file,), evidence.work)
        kind = _format(file)
        if kind == "json":
            yield from records.split_json(one)
        elif kind == "parquet" or _missing(records.first_line(file), Mapped(evidence.source)):
            yield Piece(evidence.source, file, context=records.first_line(file) if kind == "csv" else "", work=evidence.work)
        else:
            yield from rows.split_rows(one)


def read(piece: Piece) -> Iterator[Batch]:
    """Read the rows of a piece."""
    kind = _format(piece.file)
    if kind == "parquet":
        return _parquet(piece)
    mapped = Mapped(piece.source)
    return records.each_json(piece, _json(mapped)) if kind == "json" else _csv(piece, mapped)


# --- JSON -----------------------------------------------------------------------------------------------------------


def _json(mapped: Mapped) -> records.Parse:
    decode = msgspec.json.Decoder().decode

    def parse(data: bytes, start: int, end: int) -> list[Event]:
        try:
            row = decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RecordError(f"not JSON: {error}") from error
        if not isinstance(row, dict):
            raise RecordError("JSON, but no object with named fields")
        return [mapped.event(row, start, end)]

    return parse


# --- CSV ------------------------------------------------------------------------------------------------------------


def _names(heading: str) -> tuple[list[str], str]:
    mark = rows.delimiter(heading)
    return [name.strip() for name in rows.cells(heading, mark)], mark


def _missing(heading: str, mapped: Mapped) -> list[str]:
    names = _names(heading)[0]
    return [column for column in mapped.columns if column not in names]


def _csv(piece: Piece, mapped: Mapped) -> Iterator[Batch]:
    names, mark = _names(piece.context)
    missing = _missing(piece.context, mapped)
    if missing:
        wanted = ", ".join(repr(m) for m in missing)
        return rows.reject_all(piece, f"the heading has no column {wanted}, which [source.map] names; it has {piece.context[:200]!r}")
    width = len(names)

    def parse(cells: list[str], start: int, end: int) -> list[Event]:
        if len(cells) != width:
            raise RecordError(f"{len(cells)} cells where the heading names {width}")
        return [mapped.event(dict(zip(names, cells, strict=True)), start, end)]

    return rows.each_row(piece, parse, mark)


# --- Parquet --------------------------------------------------------------------------------------------------------


def _parquet(piece: Piece) -> Iterator[Batch]:
    """Read a Parquet file by batches; its rows are told by table and number, its bytes are booked as a whole."""
    if compression(piece.file.path):
        return rows.reject_all(piece, "a Parquet file that was compressed again; collect it as it is")
    try:
        return _parquet_rows(piece, _open(piece))
    except (pa.ArrowException, OSError, ValueError, RecordError) as error:
        return rows.reject_all(piece, f"not a whole Parquet file: {_first_words(error)}")


def _open(piece: Piece) -> pq.ParquetFile:
    mapped = Mapped(piece.source)
    opened = pq.ParquetFile(piece.file.path, page_checksum_verification=True)
    size = sum(opened.metadata.row_group(i).total_byte_size for i in range(opened.metadata.num_row_groups))
    if size > max(FREE_GROWTH, piece.file.size * LARGEST_RATIO):
        raise RecordError(f"decompression limit: {size} bytes of text")
    names = opened.schema_arrow.names
    missing = [column for column in mapped.columns if column not in names and column.split(".", 1)[0] not in names]
    if missing:
        raise RecordError(f"it has no column {', '.join(map(repr, missing))}, which [source.map] names")
    return opened


_ROWS = 64
"""rows that are expanded at once"""


def _parquet_rows(piece: Piece, opened: pq.ParquetFile) -> Iterator[Batch]:
    table = Path(piece.file.file or piece.source.path).stem
    mapped, number, batch, expanded = Mapped(piece.source), 0, Batch(), 0
    try:
        for part in opened.iter_batches(batch_size=_ROWS):
            expanded += part.nbytes
            _bounded(expanded, piece)
            for row in _readable(part).to_pylist():
                locator = f"table={table};row={number}"
                number += 1
                try:
                    batch.events.append(mapped.event(row, -1, -1, locator))
                except RecordError as error:
                    batch.rejects.append(Reject(-1, -1, error.what, locator))
            yield batch
            batch = Batch()
    except (pa.ArrowException, OSError, ValueError, OverflowError, RecordError) as error:
        yield Batch(rejects=[Reject(0, piece.file.size, f"a damaged Parquet file: {_first_words(error)}")])
        return
    yield Batch(parsed=piece.file.size)


def _bounded(expanded: int, piece: Piece) -> None:
    """Stop where rows expand to more than a compressed file may: a dictionary's value is stored once, and may stand in every row."""
    if expanded > max(FREE_GROWTH, piece.file.size * LARGEST_RATIO):
        raise RecordError(f"decompression limit: more than {expanded} bytes of text")


def _readable(part: pa.RecordBatch) -> pa.RecordBatch:
    """Turn times, which Python would cut to microseconds, into text; one that knows its zone ends in Z."""
    columns = []
    for column in part.columns:
        kind = column.type
        if pa.types.is_timestamp(kind):
            text = column.cast(pa.timestamp(kind.unit)).cast(pa.string())
            columns.append(pc.binary_join_element_wise(text, pa.scalar("Z" if kind.tz else ""), ""))
        elif pa.types.is_temporal(kind) or pa.types.is_decimal(kind):
            columns.append(column.cast(pa.string()))
        else:
            columns.append(column)
    return pa.RecordBatch.from_arrays(columns, names=part.schema.names)


def _first_words(error: Exception) -> str:
    return (error.what if isinstance(error, RecordError) else str(error)).split("\n", 1)[0][:200]
