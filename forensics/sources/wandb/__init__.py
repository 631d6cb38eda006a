"""The source "wandb": runs of Weights & Biases, from their own folders and from what its API exports.

- `layout.py` which file is what, and which run's
- `folder.py` the files of a run's folder: metadata, summary, config, installed packages
- `export.py` runs and histories as the API exports them: JSON, JSON lines, CSV
- `run.py` what each becomes

A run becomes one `run.record`: object=wandb:<run id>, time=its start, claimed=email:<e-mail> or unix:<user> (what the client said of
itself). Its attrs: name, job (SLURM's, or a config key that names it), commit, repo, source (the program), args, host, root, gpus, python,
state, params. Each key of a config is a `run.param`, each number of a summary a `run.latest`, each number of a history a `metric.point`
(time=_timestamp; attrs: step), each line of requirements.txt that pins a version a `run.package` (target=pkg:pypi/<name>@<version>).
The binary log (run-<id>.wandb), console output and media are skipped.
"""

from collections.abc import Iterator

from forensics import records, rows
from forensics.evidence import compression
from forensics.model import Batch, Evidence, Piece, Tier
from forensics.source import Source
from forensics.sources.wandb import export, folder
from forensics.sources.wandb.layout import place


def split(evidence: Evidence) -> Iterator[Piece]:
    """Tell files apart by their paths; tables by ranges of rows, all others whole."""
    for file in evidence.files:
        what, _ = place(evidence.source, file.file)
        single = Evidence(evidence.source, (file,), evidence.work)
        if what == "csv":
            yield from rows.split_rows(single)
        elif what == "json":
            yield from records.split_json(single)
        else:
            yield Piece(evidence.source, file, work=evidence.work)


def read(piece: Piece) -> Iterator[Batch]:
    """Read one file of a run, or of an export."""
    what, run = place(piece.source, piece.file.file)
    if what == "skipped":
        return _skipped(piece)
    if what == "csv":
        return export.read_csv(piece, run)
    if what == "json":
        return records.each_json(piece, export.Exported(run).parse)
    return folder.read(piece, what, run)


def _skipped(piece: Piece) -> Iterator[Batch]:
    if not compression(piece.file.path):
        yield Batch(skipped=piece.file.size)
        return
    tally = records.Tally(piece)
    for _, data in records.stream_blocks(piece, tally):
        tally.batch.skipped += len(data)
    yield tally.batch


SOURCE = Source(
    name="wandb",
    reads="runs of Weights & Biases: their folders (wandb/run-*/files), and runs and histories that its API exported",
    collect=(
        "tar -C /share/runs -cf wandb.tar wandb    # the run folders, unpacked below evidence/",
        (
            'python -c \'import json, wandb; [print(json.dumps({"run_id": r.id, **row})) for r in wandb.Api().runs("<entity>/<project>") '
            "for row in r.scan_history()]' > history.jsonl"
        ),
        (
            'python -c \'import json, wandb; [print(json.dumps({"id": r.id, "name": r.name, "state": r.state, "created_at": r.created_at, "commit": r.commit, "config": r.config, "summary": dict(r.summary), '
            '"metadata": r.metadata}, default=str)) for r in wandb.Api().runs("<entity>/<project>")]\' > runs.jsonl'
        ),
    ),
    reference="https://docs.wandb.ai/models/ref/python/public-api/run",
    tier=Tier.T1,
    keeps="the service, until runs are deleted; the folders, whoever ran the training. Any client with a key may write anything",
    split=split,
    read=read,
)
