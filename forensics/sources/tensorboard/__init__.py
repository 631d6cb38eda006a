"""The source "tensorboard": event files, as SummaryWriter of TensorFlow, PyTorch, tensorboardX and others writes them.

- `framing.py` records one after the other, each with its checksums
- `wire.py` protocol buffers, field by field, without anybody's schema
- `scalars.py` what an event says, as far as it is a number

A run is a folder of event files: `tensorboard:<folder below the source's path>`. Each scalar becomes one `metric.point` (name=tag, value,
time=wall time; attrs: step, and text where the value is no finite number); several of one record share its bytes. What a record says
besides (graphs, histograms, images, text) is not read; the record is then one `log.message`. `[source.runs] pattern` says which job the
name of a run's folder stands for. Files that are not named as event files are skipped where a folder was handed in.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath

from forensics.model import Batch, Evidence, Piece, Tier
from forensics.records import Tally, split_whole, stream_blocks
from forensics.source import Source
from forensics.sources.tensorboard.framing import framed
from forensics.sources.tensorboard.scalars import Scalars


def split(evidence: Evidence) -> Iterator[Piece]:
    """One piece a file: where a record begins is told by the one before it alone."""
    yield from split_whole(evidence)


def read(piece: Piece) -> Iterator[Batch]:
    """Read an event file; book any other file of a folder as skipped."""
    name = PurePosixPath(piece.file.file or piece.source.path).name
    if piece.file.file and "tfevents" not in name:
        return _skipped(piece)
    return framed(piece, Scalars(f"tensorboard:{_run(piece)}").parse)


def _run(piece: Piece) -> str:
    """Return the folder that an event file lies in, below the source's path; the source's own name where it lies in that."""
    below = PurePosixPath(piece.file.file).parent.as_posix() if piece.file.file else "."
    top = PurePosixPath(piece.source.path)
    return below if below != "." else (top.name if piece.file.file else top.parent.name) or top.name


def _skipped(piece: Piece) -> Iterator[Batch]:
    tally = Tally(piece)
    for _, data in stream_blocks(piece, tally):
        tally.batch.skipped += len(data)
    yield tally.batch


SOURCE = Source(
    name="tensorboard",
    reads="scalars from TensorBoard's event files (events.out.tfevents.*), a folder of runs or one file",
    collect=("tar -C /share/runs -cf tensorboard.tar --wildcards '*tfevents*' .    # with their times; unpack it below evidence/",),
    reference="https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto",
    tier=Tier.T1,
    keeps="whoever ran the training, as long as the run's folder lives",
    split=split,
    read=read,
)
