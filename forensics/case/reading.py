"""Step one: every source's pieces become Parquet parts, and every byte gets its place in the account."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from forensics import engine, schema
from forensics.evidence import compression, share_out
from forensics.model import Account, Batch, Event, Evidence, EvidenceFile, Piece
from forensics.parts import PartWriter
from forensics.records import BATCH
from forensics.source import load

TASK = 16 << 20
"""bytes of small files that one task reads together"""
PART_IDS = 40
"""events of part n are numbered from n << PART_IDS"""


@dataclass(frozen=True, slots=True)
class Task:
    """Pieces of one source that one worker reads into one part."""

    number: int
    pieces: tuple[Piece, ...]
    folder: str


@dataclass(frozen=True, slots=True)
class PieceAccount:
    """Where the text of one piece went."""

    source: str
    file: str
    parsed: int
    skipped: int
    rejected: int
    consumed: int | None
    damage: str
    sha256: str


def plan(evidences: list[Evidence], folder: Path) -> list[Task]:
    """Cut every source into tasks. The plan depends on the evidence alone, never on the number of workers."""
    tasks: list[Task] = []
    for evidence in evidences:
        for group in _groups(load(evidence.source.kind).split(evidence)):
            tasks.append(Task(len(tasks), tuple(group), str(folder)))
    return tasks


def _groups(pieces: Iterator[Piece]) -> Iterator[list[Piece]]:
    group: list[Piece] = []
    weight = 0
    for piece in pieces:
        size = piece.file.size if piece.end < 0 else piece.end - piece.start
        if group and weight + size > TASK:
            yield group
            group, weight = [], 0
        group.append(piece)
        weight += size
    if group:
        yield group


def read_all(tasks: list[Task], workers: int) -> list[PieceAccount]:
    """Run every task; small cases in this process, since a worker takes longer to start than to read them."""
    weight = sum(p.file.size for t in tasks for p in t.pieces)
    accounts: list[PieceAccount] = []
    for result in engine.run(read_task, tasks, workers if weight > 2 * TASK else 1):
        accounts += result
    return accounts


def read_task(task: Task) -> list[PieceAccount]:
    """Read the pieces of a task into its part; runs in a worker."""
    accounts = []
    source = task.pieces[0].source
    read = load(source.kind).read
    with PartWriter(Path(task.folder), task.number) as part:
        gathered = _Gathered(part, source.name, task.number << PART_IDS)
        for piece in task.pieces:
            account = Account()
            rejected = 0
            for batch in read(piece):
                gathered.add(piece.file.file, batch)
                rejected += sum(r.end - r.start for r in batch.rejects)
                account = Account(
                    account.parsed + batch.parsed,
                    account.skipped + batch.skipped,
                    batch.consumed if batch.consumed is not None else account.consumed,
                    batch.damage or account.damage,
                )
            accounts.append(
                PieceAccount(
                    piece.source.name,
                    piece.file.file,
                    account.parsed,
                    account.skipped,
                    rejected,
                    account.consumed,
                    account.damage,
                    piece.file.sha256,
                )
            )
        gathered.write()
    return accounts


_FEW = 1000
"""events of a batch that are worth a record batch of their own"""


class _Gathered:
    """Writes rows to a part; those of small files together, since a record batch costs as much as hundreds of its rows."""

    def __init__(self, part: PartWriter, source: str, first_id: int) -> None:
        self._part, self._source, self._next_id = part, source, first_id
        self._events: list[Event] = []
        self._files: list[str] = []

    def add(self, file: str, batch: Batch) -> None:
        """Take the rows of a batch."""
        if len(batch.events) > _FEW:
            self.write()
            self._write(file, batch.events)
        else:
            self._events += batch.events
            self._files += [file] * len(batch.events)
            if len(self._events) >= BATCH:
                self.write()
        if batch.rejects:
            self._part.write("rejected", schema.reject_batch(self._source, file, batch.rejects))
        for table, rows in batch.tables.items():
            self._part.write(table, rows)

    def write(self) -> None:
        """Write what is gathered."""
        if self._events:
            self._write(self._files, self._events)
            self._events, self._files = [], []

    def _write(self, file: str | list[str], events: list[Event]) -> None:
        self._part.write("events", schema.event_batch(self._source, file, self._next_id, events))
        self._next_id += len(events)


def files_table(evidences: list[Evidence], accounts: list[PieceAccount]) -> pa.Table:
    """Balance the books: every file's stored bytes shared out to parsed, skipped and rejected."""
    books: dict[tuple[str, str], list[PieceAccount]] = {}
    for account in accounts:
        books.setdefault((account.source, account.file), []).append(account)
    rows = []
    for evidence in evidences:
        name, own = evidence.source.name, load(evidence.source.kind).prepare is not None
        for file in evidence.files:
            known = books.pop((name, file.file), []) if not own else []
            rows.append(_balance(name, file, known) | {"counted": not own})
        rows += [_inside(books.pop(key)) for key in sorted(k for k in books if k[0] == name)]
    return pa.Table.from_pylist(rows, schema=schema.FILES)


def _balance(source: str, file: EvidenceFile, accounts: list[PieceAccount]) -> dict[str, object]:
    parsed, skipped, rejected = (sum(getattr(a, key) for a in accounts) for key in ("parsed", "skipped", "rejected"))
    damage = next((a.damage for a in accounts if a.damage), "")
    shares = [parsed, skipped, rejected]
    if compression(file.path) and accounts:
        consumed = accounts[0].consumed if accounts[0].consumed is not None else file.size
        shares = share_out(consumed, shares)
        shares[2 if damage else 1] += file.size - sum(shares)
    row: dict[str, object] = dict(zip(("parsed", "skipped", "rejected"), shares, strict=True))
    return {
        "source": source,
        "file": file.file,
        "sha256": file.sha256,
        "stored": file.size,
        "text": parsed + skipped + rejected,
        "damage": damage,
        **row,
    }


def _inside(accounts: list[PieceAccount]) -> dict[str, object]:
    """Book what lies inside a file or folder: all objects of a repository, one of its reflogs."""
    first = accounts[0]
    total = sum(a.parsed + a.skipped + a.rejected for a in accounts)
    return {
        "source": first.source, "file": first.file, "sha256": first.sha256 or None, "stored": total, "text": total,
        "parsed": sum(a.parsed for a in accounts), "skipped": sum(a.skipped for a in accounts),
        "rejected": sum(a.rejected for a in accounts), "damage": next((a.damage for a in accounts if a.damage), ""), "counted": True,
    }  # fmt: skip
