"""Which year a line belongs to, where lines bear none: the one that brings it closest to the line before.

The year that is declared is that of the oldest line: of the first line of a file, and where a log was rotated
(auth.log.2.gz, auth.log.1, auth.log), of the first line of its oldest file. Where none is declared, it is the one that brings that line closest to
the month in which the case's window begins.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from forensics import records
from forensics.evidence import compression, open_text
from forensics.model import Evidence, EvidenceFile, Piece, SourceConfig

MONTHS = {m: i for i, m in enumerate(("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1)}
_MONTH = re.compile(rb"^(?:<\d{1,3}>)?(" + "|".join(MONTHS).encode() + rb") [ \d]\d ", re.MULTILINE)
_HOST = re.compile(
    rb"^(?:<\d{1,3}>1? ?)?(?:[A-Z][a-z]{2} [ \d]\d [\d:.]{8,18}|\d{4}-\d\d-\d\dT[\d:.,]{8,18}(?:Z|[+-][\d:]{4,5})?) ([A-Za-z0-9-]+)",
    re.MULTILINE,
)
COLLECTED = "+"
"""mark of a file in which a log host gathers the lines of several hosts: there, a line's own host counts"""
_HALF = 6
SAMPLE = 64 << 10
"""a stretch whose first and last month are the same is not looked at more closely"""
_ROTATED = re.compile(r"(.*?)(?:\.(\d{1,4})|-(\d{8}))?(?:\.gz|\.zst)?")

State = tuple[int, int]
"""year and month of the last line"""


def next_year(state: State, month: int) -> int:
    """Return the year of a line in that month: the one that brings it closest to the line before."""
    year, before = state
    if month - before > _HALF:
        return year - 1
    return year + 1 if before - month > _HALF else year


def split(evidence: Evidence) -> Iterator[Piece]:
    """Cut at line ends; each piece knows the year and month in which it begins, and whether its file collects several hosts' lines."""
    begins = _begin(evidence.files, evidence.source)
    collected = COLLECTED if any(len(_hosts(file)) > 1 for file in evidence.files) else ""
    for file in evidence.files:
        cuts = list(records.ranges(file, records.PIECE))
        states = _states(file, [start for start, _ in cuts], begins.get(file.file))
        for (start, end), state in zip(cuts, states, strict=True):
            yield Piece(evidence.source, file, start, end, (f"{state[0]}-{state[1]}" if state else "") + collected, evidence.work)


def _hosts(file: EvidenceFile) -> set[bytes]:
    """Return the hosts that a file's first lines name, by their first labels."""
    with open_text(file) as stream:
        return {found.lower() for found in _HOST.findall(stream.read(SAMPLE))}


def _begin(files: tuple[EvidenceFile, ...], source: SourceConfig) -> dict[str, State]:
    """Return year and month of each file's first line, following each log through its rotated files, oldest first; nothing where neither a year nor the case's window tells."""
    if source.year is None and source.window is None:
        return {}
    logs: dict[str, list[tuple[int, str, EvidenceFile]]] = {}
    for file in files:
        found = _ROTATED.fullmatch(file.file)
        assert found is not None  # it matches any name without line ends
        base, number, day = found.groups()
        logs.setdefault(base, []).append((-int(number) if number else 0, day or "99999999", file))
    begins = {}
    for parts in logs.values():
        state: State | None = None
        for _, _, file in sorted(parts, key=lambda part: part[:2]):
            month = _first_month(file)
            if month:
                declared = source.year if source.year is not None else next_year(source.window or (0, 1), month)
                state = (next_year(state, month) if state else declared, month)
                begins[file.file] = state
                *_, state = _states(file, [0, file.size], state)
    return begins


def _first_month(file: EvidenceFile) -> int:
    with open_text(file) as stream:
        found = _MONTH.search(stream.read(SAMPLE))
    return MONTHS[found.group(1).decode()] if found else 0


def _states(file: EvidenceFile, places: list[int], state: State | None) -> Iterator[State | None]:
    """Yield the state before each of these places, which begin with the file's beginning."""
    yield state
    if len(places) == 1:
        return
    if state is None or compression(file.path) or not file.size:
        yield from [state] * (len(places) - 1)
        return
    with Path(file.path).open("rb") as stream:
        at = 0
        for place in places[1:]:
            while at < place and (data := stream.read(min(SAMPLE, place - at))):
                data += stream.readline() if at + len(data) < place else b""
                at += len(data)
                state = _through(data, state)
            yield state


def _through(data: bytes, state: State) -> State:
    """Follow the lines of a stretch; where its first and last are of the same month as the line before, that is that."""
    first = _MONTH.search(data)
    if not first:
        return state
    last = data.rfind(b"\n" + first.group(1) + b" ", len(data) - len(data) // 8)
    if last >= 0 and MONTHS[first.group(1).decode()] == state[1] and _MONTH.search(data, last + 1):
        return state
    for found in _MONTH.finditer(data):
        month = MONTHS[found.group(1).decode()]
        state = (next_year(state, month), month)
    return state
