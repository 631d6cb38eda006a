"""The source "checkpoint": what collected model files are, by digest, and which callables they name. Nothing is loaded, nothing runs.

- `contents.py` what is inside: containers, pickles, headers
- `digests.py` tensors' forms and digests
- `events.py` contents as events

Per file one `object.content` (object=<prefix><path>, target=sha256:<hex> of the stored bytes; attrs: format, globals, calls, unsafe with the
dangerous ones among them in `dangerous`, tensors, metadata, broken...), and an `object.code` for every callable that is not known to be harmless
(name=<module>.<name>; attrs: opcode, position, member, called, passed, args, kind, why).

Of safetensors and of torch's zips also one `object.tensors` (target=the same digest; attrs: tensors, by name with kind and shape, the SHA-256 of its bytes as
far as the budget for digests reaches, and of a zip the CRC-32 that it claims of them; container: torch-zip). In a torch zip names, kinds, shapes and the keys of
storages are told from the pickle's opcodes, and the digest is that of the whole storage. Of legacy torch files, of plain pickles and of what lies inside other
containers tensors are counted, and not told one by one (`tensors_not_told`).

Tier T3: the bytes come out of a store whose administrators could replace them, and nothing in a checkpoint says when or by whom it was written;
so these events have no time and no actor. What counts is the digest: it binds the content to uploads, copies and downloads recorded elsewhere,
whatever the file is called. Tensors are opaque: their bytes are booked as parsed, because the digest stands for every one of them. Their
CRC-32 inside a zip is checked of pickles, and of the storages that are digested.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from forensics import containers, records
from forensics.evidence import Unpacked, open_text, sha256_of
from forensics.model import Batch, Piece, Reject, Tier
from forensics.source import Source
from forensics.sources.checkpoint.contents import examine
from forensics.sources.checkpoint.digests import forms_of
from forensics.sources.checkpoint.events import events_of

_BLOCK = 1 << 20


def read(piece: Piece) -> Iterator[Batch]:
    """Turn a file into its events."""
    with open_text(piece.file) as stream:
        if isinstance(stream, Unpacked):
            yield _of_compressed(piece, stream)
            return
        size = stream.seek(0, 2)
        yield _batch(piece, containers.View(_reader(stream), 0, size), size, [])


def _reader(stream: BinaryIO) -> containers.Reader:
    def reader(at: int, count: int) -> bytes:
        stream.seek(at)
        return stream.read(count)

    return reader


def _of_compressed(piece: Piece, stream: Unpacked) -> Batch:
    """Read a file that was compressed as a whole: its beginning is looked into, the rest is counted."""
    blocks: list[bytes] = []
    size = kept = 0
    while data := stream.read(_BLOCK):
        if kept < containers.INFLATED:
            blocks.append(data)
            kept += len(data)
        size += len(data)
    notes = [(kept, f"limit: of a compressed file the first {kept} bytes are looked into")] if kept < size else []
    if stream.damage:
        notes.append((size, stream.damage))
    batch = _batch(piece, containers.memory(b"".join(blocks)), size, notes)
    batch.consumed, batch.damage = stream.consumed, stream.damage
    return batch


def _batch(piece: Piece, view: containers.View, size: int, notes: list[tuple[int, str]]) -> Batch:
    if not size:
        return Batch(rejects=[Reject(0, 0, why) for _, why in notes] or [Reject(0, 0, "an empty file: it has no content")])
    name = piece.file.file or Path(piece.source.path).name
    found = examine(view, name)
    forms = forms_of(view, found)
    found.problems.extend(forms.problems)
    found.problems.extend(notes)
    digest = piece.file.sha256 or sha256_of(piece.file.path)
    rejects = [Reject(place, place, why) for place, why in found.problems]
    return Batch(events_of(_reference(piece, name), digest, size, found, forms), rejects, parsed=size)


def _reference(piece: Piece, name: str) -> str:
    """Write an object as the contract does; without a prefix it is a file where it was collected."""
    return f"{piece.source.prefix}{name}" if piece.source.prefix else f"file://{piece.source.host}/{name}"


SOURCE = Source(
    name="checkpoint",
    reads="model files out of a store: digest, format, and the callables that their pickles name (torch, pickle, numpy, safetensors)",
    collect=(
        'aws s3api get-object --bucket <bucket> --key <key> --version-id <id> "store/<bucket>/<key>?versionId=<id>"    # prefix = "s3://"',
        'hdfs dfs -get /<path> store/<path>    # prefix = "hdfs://<name node>/"; `hdfs dfs -checksum` beside it is another\'s word for the digest',
        "keep the files as they are: never load them, not even to look",
    ),
    reference="https://docs.python.org/3/library/pickletools.html",
    tier=Tier.T3,
    keeps="the store, until somebody deletes or overwrites the object; older versions only where the bucket keeps them",
    split=records.split_whole,
    read=read,
)
