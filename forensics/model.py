"""What a case is made of: values only, standard library only."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Tier(StrEnum):
    """How hard a record is to falsify (method, after Casey's C-scale)."""

    T1 = "T1"
    """self-asserted"""
    T2 = "T2"
    """host log that local root can edit"""
    T3 = "T3"
    """server-side log that its administrators can edit"""
    T4 = "T4"
    """append-only, off-host, third party, or a verified digest chain"""
    T5 = "T5"
    """hardware or externally anchored"""


class Rung(StrEnum):
    """How far an answer goes."""

    NONE = "none"
    CHANGE = "change"
    ACCOUNT = "account"
    SESSION = "session"
    PERSON = "person"


class Mechanism(StrEnum):
    """How a change was made."""

    OWN_ACCOUNT = "own-account"
    CREDENTIAL_MISUSE = "credential-misuse"
    SHARED_IDENTITY = "shared-identity"
    DEPUTY = "deputy"
    FORGED_RECORD = "forged-record"
    AUTOMATION = "automation"
    DEFECT = "defect"
    UNKNOWN = "unknown"


class Event(NamedTuple):
    """One thing that a record says happened. Times are int nanoseconds since 1970 UTC, as recorded."""

    start: int
    """first byte of the record in its file, after decompression; -1 where `locator` tells the place"""
    end: int
    """byte after its last one (line end included)"""
    time: int | None
    action: str
    """a word of the contract's list of actions, or the log's own word"""
    actor: str | None = None
    """account that the recording system itself authenticated: `gitlab:mei`, `unix:mei`"""
    object: str | None = None
    """what was acted upon, as a reference of the contract"""
    target: str | None = None
    """second object: commit that a ref was set to, account that sudo switched to, role that was assumed, node of a job"""
    prior: str | None = None
    """what the object was before: commit before a push"""
    claimed: str | None = None
    """identity that anybody could have written: `email:` of a commit's author"""
    session: str | None = None
    credential: str | None = None
    device: str | None = None
    ip: str | None = None
    host: str | None = None
    outcome: str | None = None
    name: str | None = None
    """what `value` measures"""
    value: float | None = None
    time_hi: int | None = None
    """latest possible time, where a local time is ambiguous (clocks set back)"""
    locator: str | None = None
    """`git=<object id>` or `table=<name>;row=<n>` where bytes do not tell the place"""
    sha256: str | None = None
    """of a git object's canonical bytes (header and content, those that its id is the hash of)"""
    attrs: str | None = None
    """further facts as a JSON object with sorted keys"""


class Reject(NamedTuple):
    """A stretch of bytes that could not be read, and why."""

    start: int
    end: int
    reason: str
    locator: str | None = None


@dataclass(frozen=True, slots=True)
class Acquired:
    """How a piece of evidence was collected."""

    by: str = ""
    at: str = ""
    how: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """One `[[source]]` of case.toml."""

    name: str
    kind: str
    path: str
    host: str = ""
    timezone: str = ""
    year: int | None = None
    window: tuple[int, int] | None = None
    """year and month in which the case's window begins: what a log without years goes by where none is declared"""
    tier: Tier | None = None
    """None: the kind's default"""
    controllers: tuple[str, ...] | None = None
    """people who could have edited the records; None means unknown, never nobody"""
    repo: str = ""
    remote: str = ""
    role: str = ""
    worktree: str = ""
    prefix: str = ""
    map: tuple[tuple[str, str], ...] = ()
    actions: tuple[tuple[str, str], ...] = ()
    runs_pattern: str = ""
    acquired: Acquired | None = None

    def mapped(self, column: str) -> str | None:
        """Return the mapping of one event column, where this table has one."""
        return next((value for key, value in self.map if key == column), None)


@dataclass(frozen=True, slots=True)
class Person:
    """A row of people.csv. Times are nanoseconds UTC; None is open."""

    id: str
    name: str
    role: str
    employed_from: int | None
    employed_to: int | None


@dataclass(frozen=True, slots=True, order=True)
class Identifier:
    """A row of identifiers.csv: an account, key, device or address, whose it was, and when."""

    identifier: str
    person: str
    kind: str
    """personal, shared or service"""
    since: int | None
    until: int | None
    source: str = ""

    def live(self, time: int) -> bool:
        """Tell whether it was valid at that moment."""
        return (self.since is None or self.since <= time) and (self.until is None or time <= self.until)


@dataclass(frozen=True, slots=True)
class Access:
    """A row of access.csv: who could write what, and when."""

    person: str
    object: str
    right: str
    since: int | None
    until: int | None

    def covers(self, reference: str) -> bool:
        """Tell whether this right is about that object (`*` at the end stands for anything)."""
        if self.object.endswith("*"):
            return reference.startswith(self.object[:-1])
        return reference == self.object


@dataclass(frozen=True, slots=True)
class Question:
    """One `[[question]]`: who made this change."""

    id: str
    object: str
    at: tuple[int, int] | None = None
    """first and last nanosecond of the date or minute that it names"""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """One `[[statement]]`: what a party says, to be tested."""

    id: str
    by: str
    text: str
    test: str
    question: str = ""
    person: str = ""
    quantity: str = ""
    at_least: float | None = None
    object: str = ""


@dataclass(frozen=True, slots=True)
class CaseConfig:
    """A case folder, read and checked."""

    root: str
    """the folder, as given; never part of a finding"""
    id: str
    title: str
    timezone: str
    window: tuple[int, int]
    sources: tuple[SourceConfig, ...]
    questions: tuple[Question, ...] = ()
    people: tuple[Person, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    access: tuple[Access, ...] = ()
    statements: tuple[Statement, ...] = ()
    bad: tuple[str, ...] = ()
    good: tuple[str, ...] = ()
    gpu_hour: float | None = None
    currency: str = ""
    clock: str = ""
    mandate: tuple[tuple[str, str], ...] = ()

    def source(self, name: str) -> SourceConfig:
        """Return the source of that name; KeyError where there is none."""
        return next(s for s in self.sources if s.name == name)


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A file of a source, as it lay there."""

    file: str
    """path below the source's path with `/`; empty where the source is that one file"""
    path: str
    """where it lies on this machine; never part of a finding"""
    size: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A source with its files, in the order of their names."""

    source: SourceConfig
    files: tuple[EvidenceFile, ...]
    work: str = ""
    """a folder of our own where the source may lay down copies"""
    notes: tuple[str, ...] = ()
    """what intake saw and did not follow, such as symbolic links"""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a source that can be read on its own."""

    source: SourceConfig
    file: EvidenceFile
    start: int = 0
    end: int = -1
    """byte range in the file after decompression; -1: to its end"""
    context: str = ""
    """what the reader needs from elsewhere in the file, such as a header line"""
    work: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """Where the bytes of one piece went, in bytes of text (after decompression)."""

    parsed: int = 0
    skipped: int = 0
    consumed: int | None = None
    """of a compressed file: stored bytes that were turned into text"""
    damage: str = ""
    """why the rest of a file could not be turned into text"""


@dataclass(slots=True)
class Batch:
    """Rows that a source read from a piece, and where the bytes went. Rejected bytes are those of `rejects`."""

    events: list[Event] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    parsed: int = 0
    skipped: int = 0
    consumed: int | None = None
    damage: str = ""
    tables: dict[str, object] = field(default_factory=dict)
    """further Arrow record batches by table name (git's `changes`)"""
