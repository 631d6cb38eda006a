"""The bytes behind a reference, read back from the evidence (or from the safe copy of a repository), and what they are checked against."""

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from forensics.errors import CaseError, EvidenceError, ForensicsError, IntegrityError, UsageError
from forensics.evidence import Unpacked, collect, open_text, sha256_of
from forensics.model import CaseConfig, EvidenceFile, SourceConfig
from forensics.sources.git import command, intake, record
from forensics.tables import Tables, open_tables

MOST = 1 << 30
"""bytes of one record; a reference to more is a mistake"""
_BYTES = re.compile(r"bytes=(\d{1,18})-(\d{1,18})", re.ASCII)
_GIT = re.compile(r"git=([0-9a-f]{40}|[0-9a-f]{64})", re.ASCII)
_SHA1 = 40
"""hexadecimal digits of an object's id; else it is a SHA-256"""
_ROW = re.compile(r"table=(.*);row=(\d{1,18})", re.ASCII | re.DOTALL)
_RECORDED = "SELECT DISTINCT sha256 FROM files WHERE source = $source AND file = $file AND sha256 IS NOT NULL"
_OBJECT = "SELECT DISTINCT sha256 FROM events WHERE source = $source AND locator = $locator AND sha256 IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Place:
    """A reference, taken apart."""

    source: str
    file: str
    """below the source's path; empty where the source is one file"""
    locator: str

    def __str__(self) -> str:
        return f"{self.source}{'/' if self.file else ''}{self.file}#{self.locator}"


@dataclass(frozen=True, slots=True)
class Found:
    """The bytes behind a reference, and where they lie."""

    place: Place
    file: str
    """on this machine"""
    sha256: str
    """of the file as stored; of a git object's canonical bytes"""
    data: bytes
    kind: str = ""
    """of a git object: commit, tree, blob or tag"""


def parse(text: str, sources: Mapping[str, str]) -> Place:
    """Take `<source>/<path>#<locator>` apart; a source's name and a path may bear slashes, and a path a `#`."""
    place, mark, locator = text.rpartition("#")
    if not mark or not any(form.fullmatch(locator) for form in (_BYTES, _GIT, _ROW)):
        raise UsageError(
            "is no reference",
            where=text,
            hint="write <source>/<path>#bytes=<from>-<to>, <source>#git=<object id> or <source>#table=<name>;row=<n>",
        )
    names = [name for name in sources if place == name or place.startswith(f"{name}/")]
    if not names:
        raise UsageError("names no source of this examination", where=text, hint=f"its sources: {', '.join(sorted(sources))}")
    source = max(names, key=len)
    return Place(source, place[len(source) + 1 :], locator)


class RawReader:
    """Reads records back. `case`: where the case folder lies now, if it was moved since.

    Files stay open between questions, so that references in the order of their places read a compressed file once.
    """

    def __init__(self, out: Path, case: Path | None = None) -> None:
        self._out = out
        note = json.loads((out / "examination.json").read_text(encoding="utf-8"))
        self.sources: dict[str, str] = note["sources"]
        self._kinds: dict[str, str] = note.get("kinds", {})
        self._case = case or Path(note["case"])
        self._files: dict[str, dict[str, EvidenceFile]] = {}
        self._open: tuple[str, BinaryIO, int] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close what is open."""
        if self._open:
            self._open[1].close()
            self._open = None

    def read(self, ref: Mapping[str, Any]) -> bytes | None:
        """Return the bytes behind a reference of the findings; None where they can't be read. Hashes are not checked again."""
        try:
            return self._bytes(Place(ref["source"], ref.get("path") or "", ref["locator"]))[1]
        except (ForensicsError, OSError, ValueError, KeyError, pa.ArrowException):
            return None

    def show(self, place: Place) -> Found:
        """Return the bytes behind a reference, after the hash of what they stand in was checked against the one noted at intake.

        IntegrityError where it does not hold.
        """
        with open_tables(self._out / "tables") as tables:
            object_id = _GIT.fullmatch(place.locator)
            return self._object(tables, place, object_id[1]) if object_id else self._record(tables, place)

    def _record(self, tables: Tables, place: Place) -> Found:
        noted = [row["sha256"] for row in tables.rows(_RECORDED, source=place.source, file=place.file)]
        if not noted:
            raise ForensicsError(
                "this examination took in no such file", where=str(place), hint="`forensics timeline` prints references that it knows"
            )
        file = self._file(place)
        now = sha256_of(file.path)
        if now not in noted:
            raise IntegrityError(
                f"is not what it was at intake: SHA-256 was {noted[0]}, is {now}",
                where=file.path,
                hint="compare with another copy of the evidence",
            )
        return Found(place, file.path, now, self._bytes(place)[1])

    def _object(self, tables: Tables, place: Place, object_id: str) -> Found:
        kind, data = self._bytes(place)
        if hashlib.new("sha1" if len(object_id) == _SHA1 else "sha256", data, usedforsecurity=False).hexdigest() != object_id:
            raise IntegrityError(
                "the object's bytes are not those that its id is the hash of", where=str(place), hint="examine the case again"
            )
        now = hashlib.sha256(data).hexdigest()
        noted = {row["sha256"] for row in tables.rows(_OBJECT, source=place.source, locator=place.locator)}
        if noted and now not in noted:
            raise IntegrityError(f"is not what was read: SHA-256 is {now}", where=str(place), hint="examine the case again")
        return Found(place, str(self._copy(place)), now, data, kind)

    # --- where it lies ----------------------------------------------------------------------------------------------

    def _bytes(self, place: Place) -> tuple[str, bytes]:
        """Return (git object's type, bytes)."""
        if found := _BYTES.fullmatch(place.locator):
            return "", self._range(self._file(place), int(found[1]), int(found[2]))
        if found := _GIT.fullmatch(place.locator):
            return _git_object(self._copy(place), found[1])
        if found := _ROW.fullmatch(place.locator):
            return "", _row(Path(self._file(place).path), int(found[2]))
        raise UsageError("is no locator", where=place.locator)

    def _copy(self, place: Place) -> Path:
        copy = intake.copy_of(str(self._out / "work"), place.source)
        if place.source not in self.sources or not copy.is_dir():
            raise ForensicsError("this examination has no copy of that repository", where=str(place), hint="examine the case again")
        return copy

    def _file(self, place: Place) -> EvidenceFile:
        """Find the file that a reference names among those that the source has; nothing else is ever opened."""
        if place.source not in self._files:
            self._files[place.source] = {file.file: file for file in self._listed(place.source)}
        try:
            return self._files[place.source][place.file]
        except KeyError:
            raise EvidenceError(
                "that file is not there any more", where=str(place), hint="--case names the folder, if it was moved"
            ) from None

    def _listed(self, source: str) -> list[EvidenceFile]:
        if self._kinds.get(source) == "git":  # reflogs and settings, as they were found in the folder, archive or bundle
            copy = intake.copy_of(str(self._out / "work"), source)
            plain = record.load(copy).plain if copy.is_dir() else ()
            return [EvidenceFile(p.file, str(copy / "record" / Path(p.stored).name), p.size, p.sha256) for p in plain]
        if not self._case.is_dir():
            raise EvidenceError("the case folder is not there any more", where=str(self._case), hint="--case names it, if it was moved")
        if source not in self.sources:
            raise EvidenceError("is no source of this examination", where=source)
        if self.sources[source] == ".":  # the case's own registers
            return [EvidenceFile(p.name, str(p), p.stat().st_size) for p in self._case.iterdir() if p.is_file() and not p.is_symlink()]
        bare = CaseConfig(root=str(self._case), id="", title="", timezone="", window=(0, 0), sources=())
        try:
            return list(collect(bare, SourceConfig(source, "", self.sources[source])).files)
        except CaseError as error:
            raise EvidenceError(error.what, where=error.where, hint="--case names the case folder, if it was moved") from error

    # --- bytes ------------------------------------------------------------------------------------------------------

    def _range(self, file: EvidenceFile, start: int, end: int) -> bytes:
        if not start <= end or end - start > MOST:
            raise UsageError(f"no range of at most {MOST} bytes", where=f"bytes={start}-{end}")
        stream, at = self._stream(file, start)
        for _ in _blocks(stream, start - at):
            pass
        data = b"".join(_blocks(stream, end - start))
        self._open = (file.path, stream, start + len(data))
        if len(data) != end - start:
            raise ForensicsError("the file ends before these bytes do", where=f"{file.path}, bytes={start}-{end}")
        return data

    def _stream(self, file: EvidenceFile, start: int) -> tuple[BinaryIO, int]:
        """Return the file's text as a stream, and the place where it stands (at or before `start`)."""
        if self._open and self._open[0] == file.path and self._open[2] <= start:
            return self._open[1], self._open[2]
        self.close()
        stream = open_text(file)
        self._open = (file.path, stream, 0)
        if not isinstance(stream, Unpacked):
            stream.seek(start)
            return stream, start
        return stream, 0


def _blocks(stream: BinaryIO, count: int) -> Iterator[bytes]:
    """Yield the next so many bytes, or what there is of them."""
    while count > 0 and (data := stream.read(min(count, 1 << 20))):
        count -= len(data)
        yield data


def _git_object(copy: Path, object_id: str) -> tuple[str, bytes]:
    """Return (type, canonical bytes) of an object in a safe copy.

    git is started once, and says the type and the size before the content (https://git-scm.com/docs/git-cat-file#_batch_output).
    """
    with tempfile.TemporaryFile() as asked:
        asked.write(f"{object_id}\n".encode())
        asked.seek(0)
        content, answer, complaint = command.run(copy, "cat-file", "--batch", feed=asked)
    head, _, data = answer.partition(b"\n")
    words = head.decode("ascii", "replace").split()
    if not content or len(words) != len(("id", "type", "size")) or len(data) != int(words[2]) + 1:
        why = "no such object" if words[1:] == ["missing"] else complaint
        raise ForensicsError(f"that object can't be read: {why}", where=object_id, hint="it may be damaged, or of another repository")
    return words[1], b"%s %s\x00" % (words[1].encode(), words[2].encode()) + data[:-1]


def _row(path: Path, number: int) -> bytes:
    """Return a row of a Parquet file as a JSON object."""
    try:
        opened = pq.ParquetFile(path, page_checksum_verification=True)
        for index in range(opened.num_row_groups):
            count = opened.metadata.row_group(index).num_rows
            if number < count:
                return msgspec.json.encode(_cells(opened.read_row_group(index).slice(number, 1)), enc_hook=str)
            number -= count
    except pa.ArrowException as error:
        raise ForensicsError(f"not a whole Parquet file: {error}", where=str(path)) from error
    raise ForensicsError("the table ends before that row", where=str(path))


def _cells(row: pa.Table) -> dict[str, Any]:
    """Return a row's cells; times and decimals as Arrow writes them, since Python would cut nanoseconds."""
    cells = {}
    for name, column in zip(row.column_names, row.columns, strict=True):
        text = pa.types.is_temporal(column.type) or pa.types.is_decimal(column.type)
        cells[name] = (column.cast(pa.string()) if text else column)[0].as_py()
    return cells
