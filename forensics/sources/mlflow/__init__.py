"""The source "mlflow": runs of training as their tracker has them, from a file store (mlruns/) or the database of a tracking server.

A file is a database where it begins as SQLite databases do; everything else is taken for a file store's, by its path.

- `layout.py` which file of a store is what
- `filestore.py` the file store's files
- `flat.py` its meta.yaml
- `database.py` the database's tables
- `sqlite.py` a database that nobody has reason to trust
- `run.py` what each record becomes

A run becomes one `run.record`: object=mlflow:<run id>, time=its start, claimed=unix:<user id> (what the client said of itself; MLflow
asks for no proof). Its attrs:

    name, job, commit, repo, source      from tags: mlflow.runName, the first of run.JOB_TAGS, mlflow.source.git.commit, .git.repoURL, .name
    status, end, deleted                 RUNNING, SCHEDULED, FINISHED, FAILED or KILLED; int nanoseconds
    experiment, lifecycle, artifacts, entry_point
    params, tags                         all of them; `incomplete` is true where they were too many
    run_id                               where meta.yaml names another run than its folder does (the folder's name is the object)

In a file store its place is meta.yaml: the piece of that file reads the small files beside it, too. Each of those has a piece and an
event of its own, so that every fact points at its bytes: `run.param` and `run.tag` (name=key; attrs: value; neither store says
when), `metric.point` (name=key, value, time; attrs: step, dataset, and text where the value is no finite number). A database says the
same of its rows, and `run.latest` of what its table latest_metrics holds: the server's own copy of each metric's last point.
Experiments are `log.message`. In a database a row's place is `table=<name>;row=<n>`, counted by rowid from zero.

An empty file of a parameter or tag has no event, since there is no byte to point at. Artifacts, models, traces, datasets and whatever
else lies in a store are skipped. `[source.runs] pattern` changes nothing here: what it is applied to is attrs.name.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from forensics import rows
from forensics.evidence import open_text
from forensics.model import Batch, Evidence, EvidenceFile, Piece, Tier
from forensics.source import Source
from forensics.sources.mlflow import database, filestore
from forensics.sources.mlflow.database import read_row
from forensics.sources.mlflow.layout import Place, place
from forensics.sources.mlflow.sqlite import MAGIC

__all__ = ["MAGIC", "SOURCE", "read_row"]

_JOURNALS = ("-wal", "-journal")


def split(evidence: Evidence) -> Iterator[Piece]:
    """Tell files apart by their paths, the unknown by their first bytes; one piece a file."""
    store: list[tuple[EvidenceFile, Place]] = []
    for file in evidence.files:
        found = place(file.file or Path(evidence.source.path).name)
        if found.what == "other" and _is_database(file):
            beside = [name for name in _JOURNALS if _holds_something(Path(file.path + name))]
            yield Piece(evidence.source, file, context=json.dumps({"what": "database", "beside": beside}), work=evidence.work)
        elif found.what in {"other", "skipped"}:
            what = "skipped" if file.file else "unknown"
            yield Piece(evidence.source, file, context=json.dumps({"what": what}), work=evidence.work)
        else:
            store.append((file, found))
    yield from filestore.pieces(evidence, store)


def _is_database(file: EvidenceFile) -> bool:
    with open_text(file) as stream:
        return stream.read(len(MAGIC)) == MAGIC


def _holds_something(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def read(piece: Piece) -> Iterator[Batch]:
    """Read a database, or one file of a store."""
    context = json.loads(piece.context)
    what = context["what"]
    if what == "database":
        return database.read(piece, context["beside"])
    if what == "skipped":
        return filestore.skip(piece)
    if what == "unknown":
        return rows.reject_all(piece, "neither a SQLite database nor a file of an MLflow file store")
    return filestore.read(piece, context)


SOURCE = Source(
    name="mlflow",
    reads="an MLflow tracking store: runs with their parameters, tags and metrics; a folder mlruns/ or a SQLite database",
    collect=(
        "tar -C /srv/mlflow -cf mlruns.tar --exclude='*/artifacts/*' mlruns    # the file store; unpack it below evidence/",
        "sqlite3 -readonly /srv/mlflow/mlflow.db \".backup 'mlflow.db'\"    # the database, while the server runs",
    ),
    reference="https://mlflow.org/docs/latest/tracking/backend-stores/",
    tier=Tier.T1,
    keeps="whoever runs the tracker, until runs are deleted and `mlflow gc` is run; without authentication any client may write anything",
    split=split,
    read=read,
)
