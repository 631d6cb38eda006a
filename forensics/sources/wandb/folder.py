"""The files of a run's own folder."""

import re
from collections.abc import Iterator
from functools import partial

from forensics import records
from forensics.errors import RecordError
from forensics.fields import attrs, loose
from forensics.model import Batch, Event, Piece, Reject
from forensics.sources.wandb import run as made

_LONGEST = 8 << 20
_KEY = re.compile(rb"^([^\s#'\"][^:\n]*|'[^'\n]*'|\"[^\"\n]*\"):[ \t]*([^\n]*)\n?", re.MULTILINE)
"""a key of config.yaml that stands at the begin of its line"""
_VALUE = re.compile(r"^ {2,4}value:[ \t]*", re.MULTILINE)
_DESC = re.compile(r"^ {2,4}desc:[^\n]*\n?", re.MULTILINE)


def read(piece: Piece, what: str, run: str) -> Iterator[Batch]:
    """Read one file of a run's folder."""
    if what == "packages":
        return records.each_line(piece, lambda line, start, end: [made.package(run, line.decode("utf-8", "backslashreplace"), start, end)])
    if what == "config":
        return _config(piece, run)
    return _whole(piece, partial(_metadata if what == "metadata" else _summary, run))


def _metadata(run: str, data: bytes, start: int, end: int) -> list[Event]:
    return [made.record(run, _object(data), {}, start, end, {})]


def _summary(run: str, data: bytes, start: int, end: int) -> list[Event]:
    found = list(made.numbers(run, _object(data), start, end, "run.latest"))
    return found or [Event(start, end, None, "log.message", object=made.reference(run))]


def _object(data: bytes) -> dict[str, object]:
    found = loose(data)
    if not isinstance(found, dict):
        raise RecordError("no JSON object")
    return found


def _all(piece: Piece, tally: records.Tally) -> bytes | None:
    """Return a file's bytes; None, and all of it rejected, where it is too long or damaged."""
    blocks, size = [], 0
    for _, data in records.stream_blocks(piece, tally):
        size += len(data)
        if size <= _LONGEST:
            blocks.append(data)
    if size > _LONGEST or (tally.batch.damage and size):
        tally.batch.rejects.append(
            Reject(0, size, "what is left of a damaged file" if tally.batch.damage else f"more than {_LONGEST} bytes")
        )
        return None
    return b"".join(blocks)


def _whole(piece: Piece, parse: records.Parse) -> Iterator[Batch]:
    """Read a file as one record."""
    tally = records.Tally(piece)
    data = _all(piece, tally)
    if data:
        tally.record(parse, data, 0, len(data))
    yield tally.batch


def _config(piece: Piece, run: str) -> Iterator[Batch]:
    """Read config.yaml key by key: each is a mapping of its value and its description, as W&B writes it.

    A value that is no plain scalar is kept as it is written: reading all of YAML is not needed to compare it.
    """
    tally = records.Tally(piece)
    data = _all(piece, tally)
    if data:
        starts = [found.start() for found in _KEY.finditer(data)]
        if not starts:
            tally.batch.rejects.append(Reject(0, len(data), "no key stands at the begin of a line"))
        elif starts[0]:
            tally.batch.skipped += starts[0]
        for start, end in zip(starts, [*starts[1:], len(data)][: len(starts)], strict=True):
            tally.record(partial(_setting, run), data[start:end], start, end)
            yield from tally.full()
    yield tally.batch


def _setting(run: str, block: bytes, start: int, end: int) -> list[Event]:
    text = block.decode("utf-8", "backslashreplace")
    head, _, rest = text.partition(":")
    key = head.strip().strip("'\"")
    found = _VALUE.search(rest)
    if found is None or key in ("_wandb", "wandb_version"):
        if not re.fullmatch(r"[ \t]*[\d.]*\s*|[ \t]*\n(?:[ \t].*(?:\n|$)|\s)*", rest):
            raise RecordError("a key without a value")
        return [
            Event(
                start, end, None, "log.message", object=made.reference(run), name=key, attrs=attrs({"text": rest.strip()[: made.LONGEST]})
            )
        ]
    value = _DESC.sub("", rest[found.end() :]).strip()
    return [made.param(run, key, value.strip("'\"") if value[:1] in "'\"" and "\n" not in value else value, start, end)]
