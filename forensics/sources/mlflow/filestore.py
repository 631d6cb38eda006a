"""The file store: pieces of its files, each read by what it is. What a piece is, and whose, travels in its context."""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from forensics import records
from forensics.errors import RecordError
from forensics.evidence import compression, open_text
from forensics.model import Batch, Event, Evidence, EvidenceFile, Piece, Reject
from forensics.sources.mlflow import flat, run
from forensics.sources.mlflow.layout import NOTES, Owners, Place

_LONGEST_META = 1 << 20
_ACTIONS = {"params": "run.param", "tags": "run.tag"}


def pieces(evidence: Evidence, found: list[tuple[EvidenceFile, Place]]) -> Iterator[Piece]:
    """One piece a file, but large metrics by ranges of lines; meta.yaml's knows where the run's parameters and tags lie."""
    owners = Owners(evidence.source, (p for _, p in found), single=not evidence.files[0].file)
    beside: dict[str, list[list[object]]] = defaultdict(list)
    for file, place in found:
        if place.what in NOTES:
            beside[place.folder].append([place.what, place.key, file.path, file.size])
    for file, place in found:
        context: dict[str, object] = {"what": place.what, "owner": owners.name(place.folder), "key": place.key}
        if place.what == "tags" and not owners.is_run(place.folder):
            context["what"] = "experiment-tag"
        if place.what == "meta":
            context |= {"run": owners.is_run(place.folder), "beside": beside.get(place.folder, [])}
        for start, end in records.ranges(file, records.PIECE) if place.what == "metrics" else [(0, -1)]:
            yield Piece(evidence.source, file, start, end, json.dumps(context), evidence.work)


def read(piece: Piece, context: dict[str, Any]) -> Iterator[Batch]:
    """Read one file of a store."""
    what, owner, key = context["what"], context["owner"], context["key"]
    if what == "metrics":
        return records.each_line(piece, _points(owner, key))
    if what == "meta":
        return _whole(piece, lambda data, start, end: [_described(data, start, end, context)], _LONGEST_META)
    if what == "experiment-tag":
        return _whole(piece, lambda data, start, end: [run.experiment_tag(owner, key, _text(data), start, end)], run.LONGEST_VALUE)
    return _whole(piece, lambda data, start, end: [run.note(_ACTIONS[what], owner, key, _text(data), start, end)], run.LONGEST_VALUE)


def skip(piece: Piece) -> Iterator[Batch]:
    """Book a file that is not read; one that is compressed is unpacked, since its text is what is booked."""
    if not compression(piece.file.path):
        yield Batch(skipped=piece.file.size)
        return
    tally = records.Tally(piece)
    for _, data in records.stream_blocks(piece, tally):
        tally.batch.skipped += len(data)
    yield tally.batch


def _text(data: bytes) -> str:
    """Return a value as MLflow reads it back: without the line end that some versions write after it."""
    text = data.decode("utf-8", "backslashreplace")
    return text.removesuffix("\n").removesuffix("\r")


def _whole(piece: Piece, parse: records.Parse, longest: int) -> Iterator[Batch]:
    """Read a file as one record; an empty one has no bytes to point at, and says nothing."""
    tally = records.Tally(piece)
    blocks: list[bytes] = []
    size = 0
    for _, data in records.stream_blocks(piece, tally):
        size += len(data)
        if size <= longest:
            blocks.append(data)
    if size > longest:
        tally.batch.rejects.append(Reject(0, size, f"more than {longest} bytes"))
    elif tally.batch.damage and size:
        tally.batch.rejects.append(Reject(0, size, "what is left of a damaged file"))
    elif size:
        tally.record(parse, b"".join(blocks), 0, size)
    yield tally.batch


def _points(owner: str, key: str) -> records.Parse:
    """Read lines `<milliseconds> <value> [<step> [<dataset's name> <its digest>]]`."""

    def parse(line: bytes, start: int, end: int) -> list[Event]:
        cells = line.decode("utf-8", "backslashreplace").strip().split(" ")
        if len(cells) not in {2, 3, 5}:
            raise RecordError(f"{len(cells)} fields, where a point of a metric has 2, 3 or 5")
        step, dataset = cells[2] if len(cells) > 2 else "", " ".join(cells[3:])
        return [run.point(owner, key, run.moment(cells[0]), cells[1], step, start, end, dataset=dataset)]

    return parse


def _described(data: bytes, start: int, end: int, context: dict[str, Any]) -> Event:
    """Make a run or an experiment of its meta.yaml."""
    found = flat.parse(data)
    facts = {key: value for key, value in found.items() if not isinstance(value, dict)}
    if facts.get("run_id") or facts.get("run_uuid"):
        params, tags = (_carried(context["beside"], what) for what in ("params", "tags"))
        return run.record(context["owner"], facts, params, tags, start, end)
    if context["run"] or not facts.get("experiment_id"):
        raise RecordError("it names neither a run_id nor an experiment_id" if not context["run"] else "it names no run_id")
    inner = found.get("tags")
    own = {key: value for key, value in inner.items() if isinstance(value, str)} if isinstance(inner, dict) else {}
    return run.experiment(facts, own, start, end)


def _carried(beside: list[list[Any]], wanted: str) -> run.Carried:
    """Read the parameters or tags that lie beside a meta.yaml; they are booked where their own pieces are read."""
    carried = run.Carried(run.CARRIED)
    for what, key, path, size in beside:
        if what != wanted:
            continue
        data = _bounded(EvidenceFile("", path, size)) if carried.wants(key) else b""
        if len(data) > run.LONGEST_VALUE or not carried.wants(key):
            carried.complete = False
        else:
            carried.add(key, _text(data))
    return carried


def _bounded(file: EvidenceFile) -> bytes:
    """Return a small file's text, or as much as shows that it is too long."""
    with open_text(file) as stream:
        data = b""
        while len(data) <= run.LONGEST_VALUE and (more := stream.read(run.LONGEST_VALUE + 1 - len(data))):
            data += more
    return data
