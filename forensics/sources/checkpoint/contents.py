"""What is inside a collected file: containers, pickles and headers, down to a depth, within limits, in bounded memory."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from forensics import containers, sevenzip, tensors, unpacking
from forensics.containers import Allowance, Archive, Member, View
from forensics.errors import RecordError
from forensics.pickles.callables import Kind, is_plain_class
from forensics.pickles.cursor import Cursor
from forensics.pickles.streams import Stream, read_stream
from forensics.pickles.values import Budget, Named, Tensor
from forensics.pickles.walk import read_one
from forensics.tensors import Header

DEPTH = 4
"""archives inside archives"""
UNPACKED = 256 << 20
"""bytes that are unpacked for one file; checkpoints store theirs as they are"""
CHECKED = 1 << 30
"""bytes that are compared with the checksums beside them"""
LISTED = 10_000
"""callables of a kind that are listed one by one"""
_HEAD = 4096
_TRIED = 2000
"""opcodes after which what begins like a pickle is worth reading"""
_NUMPY = b"\x93NUMPY"
_NUMBERS = re.compile(rb"\{\s*['\"]descr['\"]\s*:\s*['\"][<>|=][biufcSUVMm]\d{1,6}['\"]\s*,")
"""a numpy header of plain numbers or text; behind any other a pickle may stand, since arrays of Python objects are pickled (numpy.lib.format)"""
_OBJECTS = re.compile(rb"['\"][|<>=]?O\d{0,3}['\"]")
_UNREAD = (
    (b"Rar!\x1a\x07", "rar"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"ZF", "joblib-zlib"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"GGUF", "gguf"),
)
"""formats that are told by their first bytes and not opened"""
_HOLD_NO_CODE = ("hdf5", "gguf")


@dataclass(frozen=True, slots=True)
class Code:
    """A callable that is not known to be harmless, and where a pickle names it."""

    named: Named
    member: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Described:
    """Tensors that a pickle of a torch zip names; their bytes are the members `<folder>/data/<key>`."""

    folder: str
    start: int
    """of the pickle, in the file"""
    end: int
    weights: tuple[tuple[str, Tensor], ...]


@dataclass(slots=True)
class Contents:
    """What was found in a file."""

    format: str = "unknown"
    also: str = ""
    """a container that begins behind another one's start"""
    globals: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    dangerous: set[str] = field(default_factory=set)
    """callables that are known to run code, called or handed to a call"""
    unknown: set[str] = field(default_factory=set)
    """callables that are called, and neither known nor classes of a library for training"""
    code: list[Code] = field(default_factory=list)
    omitted: int = 0
    pickles: int = 0
    tensors: int = 0
    header: Header | None = None
    """of a file that is safetensors as a whole"""
    members: tuple[Member, ...] = ()
    """of a file that torch wrote as a zip"""
    described: list["Described"] = field(default_factory=list)
    """what the pickles of such a file say of its tensors"""
    trailing: int = 0
    """bytes behind the last pickle, which loading leaves alone"""
    metadata: tuple[tuple[str, str], ...] = ()
    problems: list[tuple[int, str]] = field(default_factory=list)


def examine(view: View, name: str) -> Contents:
    """Look into a file; it never raises for what the file holds."""
    examiner = _Examiner(view.size)
    examiner.found.format = examiner.look(view, "", name, 0)
    return examiner.found


class _Examiner:
    def __init__(self, size: int) -> None:
        self.found = Contents()
        self.allowance = Allowance(2 * size)
        self.checked = CHECKED
        self.budget = Budget()
        self.room = UNPACKED
        self.listed = {Kind.DANGEROUS: LISTED, Kind.OTHER: LISTED}

    def problem(self, view: View, at: int, member: str, why: str) -> None:
        """Note what could not be read, or is not as it should be, with its place in the evidence."""
        if len(self.found.problems) < containers.PROBLEMS:
            self.found.problems.append((view.place(at, at)[0], f"{member}: {why}" if member else why))

    def look(self, view: View, member: str, name: str, depth: int) -> str:
        """Look at bytes of any kind, and return their format."""
        if depth > DEPTH:
            self.problem(view, 0, member, f"limit: nested deeper than {DEPTH}")
            return "unknown"
        head = view.read(0, _HEAD)
        listing = containers.archive(view, self.allowance) if depth == 0 or head.startswith(containers.LOCAL) else None
        if listing is not None and head.startswith(containers.LOCAL):
            kind = self.archive(view, listing, member, depth)
            if depth == 0 and kind == "torch-zip":
                self.found.members = listing.members
            return kind
        kind = self.plain(view, head, member, name, depth)
        if listing is not None:
            self.found.also = self.archive(view, listing, member, depth)
        return kind

    def plain(self, view: View, head: bytes, member: str, name: str, depth: int) -> str:
        """Look at what is no zip."""
        if head.startswith(_NUMPY):
            self.numpy(view, head, member, depth)
            return "numpy"
        if tensors.begins_like(head):
            return self.safetensors(view, member)
        if head.startswith(sevenzip.MAGIC):
            self.seven(view, member, depth)
            return "7z"
        packed = unpacking.kind_of(head)
        if packed and self.packed(view, packed, member, depth):
            return packed
        unread = next((kind for mark, kind in _UNREAD if head.startswith(mark)), "")
        if unread:
            if unread not in _HOLD_NO_CODE:
                self.problem(view, 0, member, f"container not read: {unread}")
            return unread
        stream = read_stream(view.read, view.size, self.budget, name=name)
        if stream is None:
            return "unknown"
        self.stream(view, stream, member, depth)
        return "torch-legacy" if stream.legacy else "pickle"

    # --- archives

    def packed(self, view: View, kind: str, member: str, depth: int) -> bool:
        """Look at what was compressed as a whole; false where it turns out not to be."""
        content, why = unpacking.unpacked(view, kind, max(0, min(containers.INFLATED, self.room)))
        self.room -= len(content)
        if content:
            self.look(containers.memory(content, view.place(0, view.size)), f"{member}!{kind}" if member else kind, "", depth + 1)
        elif kind == "zlib":  # two bytes that text may begin with, too
            return False
        if why:
            self.problem(view, 0, member, why)
        return True

    def seven(self, view: View, member: str, depth: int) -> None:
        """Look at the files of a 7z archive."""
        try:
            for file in sevenzip.files(view, max(0, min(containers.INFLATED, self.room))):
                self.room -= file.content.size
                name = f"{member}!{file.name}" if member else file.name
                if self.promising(file.content.read(0, _HEAD)):
                    self.look(file.content, name, file.name, depth + 1)
                if file.why:
                    self.problem(file.content, 0, name, file.why)
        except RecordError as error:
            self.problem(view, 0, member, f"7z: {error.what}")

    def archive(self, view: View, listing: Archive, member: str, depth: int) -> str:
        """Look at every member of a zip."""
        for place, why in listing.problems:
            self.problem(view, place, member, why)
        for inner in listing.members:
            self.member(view, inner, f"{member}!{inner.name}" if member else inner.name, depth)
        return _zip_format(inner.name for inner in listing.members)

    def member(self, view: View, member: Member, name: str, depth: int) -> None:
        """Look at a member, if its beginning is of interest: tensors are passed over."""
        try:
            head, _ = containers.unpacked(view, member, _HEAD)
            kind = ""
            if self.promising(head.read(0, _HEAD)):
                kind = self.opened(view, member, name, depth)
            if member.locked and kind in ("", "unknown"):
                self.problem(view, member.header, name, "protected by a password: not read")
        except RecordError as error:
            why = "protected by a password: not read" if member.locked else error.what
            self.problem(view, member.header, name, why)

    def opened(self, view: View, member: Member, name: str, depth: int) -> str:
        """Unpack a member, look at it, and compare it with what its header says."""
        content, why = containers.unpacked(view, member, max(0, min(containers.INFLATED, self.room)))
        if content.fixed is not None:
            self.room -= content.size
        kind = self.look(content, name, member.name, depth + 1)
        if kind == "unknown":
            return kind
        self.checked -= min(content.size, containers.INFLATED)
        if why:
            self.problem(view, member.header, name, why)
        elif self.checked > 0 and containers.checksum_fails(content, member):
            self.problem(view, member.header, name, "its bytes are not those of the checksum beside it")
        if member.locked:
            self.problem(view, member.header, name, "its header says encrypted, yet it reads plainly")
        return kind

    def promising(self, head: bytes) -> bool:
        """Tell whether bytes that begin so are to be looked at."""
        if (
            head.startswith((containers.LOCAL, _NUMPY, sevenzip.MAGIC, *(mark for mark, _ in _UNREAD)))
            or unpacking.kind_of(head)
            or tensors.begins_like(head)
        ):
            return True
        tried = Budget(min(_TRIED, self.budget.opcodes), references=min(_TRIED, self.budget.references))
        before = tried.opcodes
        pickle = read_one(Cursor(lambda at, count: head[at : at + count], len(head)), tried)
        self.budget.opcodes -= before - tried.opcodes
        return pickle.stopped or bool(pickle.named) or pickle.broken.startswith(("breaks off", "limit"))

    # --- what holds pickles, and what holds none

    def numpy(self, view: View, head: bytes, member: str, depth: int) -> None:
        """Look at an array; one of Python objects is a pickle behind its header."""
        width = 2 if head[6:7] == b"\x01" else 4
        start = 8 + width + int.from_bytes(head[8 : 8 + width], "little")
        header = view.read(8 + width, min(start, 1 << 16))
        self.found.tensors += 1
        if _NUMBERS.match(header):
            return
        stream = read_stream(view.read, view.size, self.budget, start=start)
        if stream is not None:
            self.found.tensors -= 1  # the pickle's own arrays are counted
            self.stream(view, stream, member, depth)
        elif _OBJECTS.search(header):
            self.problem(view, start, member, "an array of Python objects without its pickle")

    def safetensors(self, view: View, member: str) -> str:
        """Look at the header of a safetensors file."""
        if self.room <= 0:
            self.problem(view, 0, member, f"limit: more than {UNPACKED} bytes of headers and unpacked members")
            return "safetensors"
        announced = int.from_bytes(view.read(0, 8), "little")
        header = tensors.read(view.read(0, 8 + min(announced, tensors.LONGEST)), view.size)
        self.room -= header.end
        for why in header.problems:
            self.problem(view, header.end, member, why)
        self.found.tensors += header.tensors
        if not member:
            self.found.header = header
        self.found.metadata = self.found.metadata or header.metadata
        return "safetensors"

    def stream(self, view: View, stream: Stream, member: str, depth: int) -> None:
        """Book what the pickles of a stream name and call."""
        for pickle in stream.pickles:
            self.found.pickles += 1
            self.found.tensors += pickle.tensors
            if depth == 1 and pickle.weights and PurePosixPath(member).name == "data.pkl":
                folder = PurePosixPath(member).parent.as_posix()
                self.found.described.append(Described(folder, *view.place(0, view.size), pickle.weights))
            for named in pickle.named:
                self.book(view, named, member)
            for start, end in pickle.inner:
                self.look(view.part(start, end - start), f"{member}!bytes@{start}" if member else f"bytes@{start}", "", depth + 1)
        if stream.broken:
            self.problem(view, stream.end, member, stream.broken)
        elif depth == 0 and not stream.legacy:
            self.found.trailing = view.size - stream.end

    def book(self, view: View, named: Named, member: str) -> None:
        """Book one callable."""
        name, kind = named.full[:300], named.verdict.kind
        self.found.globals.add(name)
        if named.called:
            self.found.calls.add(name)
        if kind is Kind.HARMLESS:
            return
        if named.runs:
            self.found.dangerous.add(name)
        elif named.called and kind is Kind.OTHER and not is_plain_class(named.module, named.name):
            self.found.unknown.add(name)
        if self.listed[kind]:
            self.listed[kind] -= 1
            start, end = view.place(named.start, named.end)
            self.found.code.append(Code(named, member, start, end))
        else:
            self.found.omitted += 1


def _zip_format(names: Iterator[str]) -> str:
    """Tell what a zip is by its members' names: torch's has `<name>/data.pkl` and `<name>/version` (torch/serialization.py)."""
    listed = set(names)
    folders = [PurePosixPath(name).parent for name in listed if PurePosixPath(name).name == "data.pkl"]
    if any((folder / "version").as_posix() in listed for folder in folders):
        return "torch-zip"
    return "numpy-zip" if listed and all(name.endswith(".npy") for name in listed) else "zip"
