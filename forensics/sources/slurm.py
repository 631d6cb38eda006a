"""Reads Slurm's accounting: jobs and steps as `sacct --parsable2` prints them, and nodes' troubles as `sacctmgr show event` does; columns by name."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from forensics import records, times
from forensics.errors import RecordError
from forensics.evidence import compression
from forensics.model import Batch, Event, Evidence, EvidenceFile, Piece, SourceConfig, Tier
from forensics.source import Source

NO_HEADING = "no heading names the columns; collect again with sacct --parsable2 and without --noheader"
_HEADING = re.compile(rb"(?:[A-Za-z ]+\|)*(?:JobID|NodeName)(?:\|[A-Za-z ]*)*\r?")
_HEADING_LINE = re.compile(rb"^(?:\xef\xbb\xbf)?((?:[A-Za-z ]+\|)*(?:JobID|NodeName)(?:\|[A-Za-z ]*)*\r?)$", re.MULTILINE)
# Job id, array task or tasks, part of a heterogeneous job; then the step: https://slurm.schedmd.com/sacct.html#OPT_JobID
_JOB = re.compile(r"(\d+(?:_(\d+|\[[^\]]*\]))?(?:\+\d+)?)(?:\.(.+))?")
_NEVER = frozenset(("", "Unknown", "None", "NONE", "N/A", "INVALID"))
_OPEN = frozenset(("PENDING", "RUNNING", "SUSPENDED", "CONFIGURING", "COMPLETING", "RESIZING", "STOPPED", "SIGNALING", "STAGE_OUT"))
"""states of jobs that have not ended: sacct --truncate prints the end of the asked-for window as their End"""
_CANCELLED = re.compile(r"CANCELLED by (\d+)")
_GPUS = re.compile(r"(?:^|,)gres/gpu(:[^=,]*)?=(\d{1,9})(?=,|$)")
_COMMIT = re.compile(
    r"(?i)(?<![a-z0-9])(?:git[_-]?)?(?:commit|sha1?|rev|revision)(?:[_-]?(?:id|sha|hash))?\s*[=:]\s*([0-9a-f]{7,40})(?![0-9a-z])"
)
_LABEL = re.compile(r"(?i)commit|git|revision")
MOST_NODES = 10_000
LONGEST_NUMBER = 9
"""digits of a node's number"""
_TEXTS = {
    "JobName": "name", "ExitCode": "exit", "Account": "account", "Partition": "partition", "WorkDir": "workdir",
    "SubmitLine": "command", "Comment": "comment", "QOS": "qos", "Reservation": "reservation", "JobIDRaw": "raw_id",
}  # fmt: skip


# --- pieces: each knows the heading that holds where it begins ------------------------------------------------------


def split(evidence: Evidence) -> Iterator[Piece]:
    """Cut at line ends. The outputs of several calls may lie in one file, each with its own heading."""
    for file in evidence.files:
        cuts = list(records.ranges(file, records.PIECE))
        for (start, end), heading in zip(cuts, _headings(file, [start for start, _ in cuts]), strict=True):
            yield Piece(evidence.source, file, start, end, heading, evidence.work)


def _headings(file: EvidenceFile, starts: list[int]) -> Iterator[str]:
    """Yield the heading in force before each of these places; empty where none is."""
    yield ""
    if len(starts) == 1 or compression(file.path):
        return
    with Path(file.path).open("rb") as stream:
        heading = b""
        at = 0
        for end in starts[1:]:
            while at < end and (data := stream.read(min(records.BLOCK, end - at))):
                data += stream.readline() if at + len(data) < end else b""
                at += len(data)
                found = _HEADING_LINE.findall(data) if b"JobID" in data or b"NodeName" in data else []
                heading = found[-1] if found else heading
            yield heading.decode("utf-8", "backslashreplace")


# --- rows -----------------------------------------------------------------------------------------------------------


class _Rows:
    """Reads rows by the last heading seen."""

    def __init__(self, source: SourceConfig, heading: str) -> None:
        self.source = source
        self.columns = _columns(heading) if heading else []

    def parse(self, line: bytes, start: int, end: int) -> list[Event]:
        """Turn a row into events; a heading into none."""
        if _HEADING.fullmatch(line):
            self.columns = _columns(line.decode("utf-8", "backslashreplace"))
            return []
        if not self.columns:
            raise RecordError(NO_HEADING)
        values = line.decode("utf-8", "backslashreplace").split("|")
        if len(values) != len(self.columns):
            raise RecordError(f"{len(values)} fields where the heading names {len(self.columns)}")
        row = dict(zip(self.columns, values, strict=True))
        if "JobID" not in row:
            return [_node_state(row, self.source, start, end)]
        found = _JOB.fullmatch(row["JobID"])
        if not found:
            raise RecordError(f"no job id: {row['JobID'][:40]!r}")
        job, task, step = found.groups()
        reference = f"slurm:{self.source.host or row.get('Cluster') or self.source.name}/{job}"
        if step is not None:
            return [_step(row, reference, step, start, end, self.source.timezone)]
        return list(_job(row, reference, task, start, end, self.source.timezone))


def _columns(heading: str) -> list[str]:
    return heading.removeprefix("\ufeff").rstrip("\r").split("|")


def _job(row: dict[str, str], job: str, task: str | None, start: int, end: int, zone: str) -> Iterator[Event]:
    """Yield what a job's row says: that it was handed in, began, was cancelled, ended."""
    state = row.get("State", "")
    word = state.split(" ", 1)[0].rstrip("+")
    submit, began, ended = (_time(row.get(column, ""), zone) for column in ("Submit", "Start", "End"))
    if word in _OPEN:
        ended = None
    if word == "PENDING":
        began = None
    attrs = _attrs(row, submit[0] if submit else None, began[0] if began else None, ended[0] if ended else None)
    if task is not None:
        attrs["task"] = task
    actor = f"unix:{row['User']}" if row.get("User") else attrs.get("uid")
    yield Event(start, end, *_at(submit), "job.launch", _text(actor), job, time_hi=_late(submit), attrs=_json(attrs))
    if began:
        yield Event(start, end, *_at(began), "job.start", None, job, time_hi=_late(began))
    cancelled = _CANCELLED.match(state)
    if cancelled:
        yield Event(start, end, *_at(ended), "job.cancel", f"unix:#{cancelled.group(1)}", job, time_hi=_late(ended))
    if ended:
        attrs = {key: row[column] for column, key in (("ExitCode", "exit"), ("State", "state")) if row.get(column)}
        yield Event(start, end, *_at(ended), "job.end", None, job, outcome=word or None, time_hi=_late(ended), attrs=_json(attrs))


def _step(row: dict[str, str], job: str, step: str, start: int, end: int, zone: str) -> Event:
    """Return what a step's row says; steps belong to their job."""
    submit, began, ended = (_time(row.get(column, ""), zone) for column in ("Submit", "Start", "End"))
    state = row.get("State", "")
    ended = None if state.split(" ", 1)[0].rstrip("+") in _OPEN else ended
    attrs = _attrs(row, submit[0] if submit else None, began[0] if began else None, ended[0] if ended else None)
    when = began or submit
    return Event(
        start, end, *_at(when), "job.step", None, job, outcome=state.split(" ", 1)[0].rstrip("+") or None,
        time_hi=_late(when), attrs=_json(attrs | {"step": step}),
    )  # fmt: skip


def _node_state(row: dict[str, str], source: SourceConfig, start: int, end: int) -> Event:
    """Return what `sacctmgr show event` says of a node: since when it was down or drained, until when, and why.

    Rows without a node are about the whole cluster. https://slurm.schedmd.com/sacctmgr.html#SECTION_GENERAL-SPECIFICATIONS-FOR-EVENTS
    """
    began, ended = (_time(row.get(column, ""), source.timezone) for column in ("TimeStart", "TimeEnd"))
    facts: dict[str, object] = {key: row[column] for column, key in (("Reason", "reason"), ("User", "by")) if row.get(column)}
    facts |= {"until": ended[0]} if ended else {}
    name, state = row["NodeName"], row.get("State") or None
    if not name or not state:
        return Event(start, end, *_at(began), "log.message", time_hi=_late(began), attrs=_json(facts | {"state": state or ""}))
    node = f"node:{source.host or row.get('Cluster') or source.name}/{name}"
    return Event(start, end, *_at(began), "node.state", None, node, outcome=state, time_hi=_late(began), attrs=_json(facts))


def _attrs(row: dict[str, str], submit: int | None, start: int | None, end: int | None) -> dict[str, object]:
    found: dict[str, object] = {key: row[column] for column, key in _TEXTS.items() if row.get(column)}
    found |= {"submit": submit, "start": start, "end": end, "state": row.get("State", ""), "gpus": _gpus(row)}
    if row.get("UID", "").isdecimal():
        found["uid"] = f"unix:#{row['UID']}"
    nodes, whole = expand(row.get("NodeList", ""))
    found["nodes"] = nodes
    if not whole:
        found["nodelist"] = row["NodeList"]
    if row.get("Restarts", "").isdecimal():
        found["restarts"] = int(row["Restarts"][:9])
    commit = next((c for c in map(_commit, (row.get("Comment", ""), row.get("AdminComment", ""), row.get("SubmitLine", ""))) if c), None)
    if commit:
        found["commit"] = commit
    return found


def _commit(text: str) -> str | None:
    """Return the commit that a text clearly labels as one; a bare number of hex digits is none."""
    for found in _COMMIT.finditer(text):
        label = found.group()[: found.start(1) - found.start()]
        if _LABEL.search(label):
            return found.group(1).lower()
    return None


def _gpus(row: dict[str, str]) -> int | None:
    """Count GPUs in trackable resources; `gres/gpu` already holds what `gres/gpu:<type>` tells again."""
    text = row.get("AllocTRES") or row.get("ReqTRES")
    if not text:
        return None
    found = [(kind, int(count)) for kind, count in _GPUS.findall(text)]
    untyped = [count for kind, count in found if not kind]
    return sum(untyped) if untyped else sum(count for _, count in found)


def _time(text: str, zone: str) -> tuple[int, int] | None:
    """Read a time as (earliest, latest); None where there is none. SLURM_TIME_FORMAT=%s gives seconds since 1970."""
    if text in _NEVER:
        return None
    number = times.epoch(text)
    return times.parse(text, zone) if number is None else (number, number)


def _at(time: tuple[int, int] | None) -> tuple[int | None]:
    return (time[0] if time else None,)


def _late(time: tuple[int, int] | None) -> int | None:
    return time[1] if time and time[1] != time[0] else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _json(attrs: dict[str, object]) -> str:
    return msgspec.json.encode(attrs, order="sorted").decode()


# --- lists of nodes: gp[014,024-025],login-1 ------------------------------------------------------------------------


def expand(text: str) -> tuple[list[str], bool]:
    """Return the nodes of a hostlist, and whether these are all: at most MOST_NODES are named.

    https://slurm.schedmd.com/scontrol.html#OPT_hostlist; a list that is cut off is kept as written.
    """
    if text in _NEVER or text == "None assigned":
        return [], True
    if text.count("[") != text.count("]"):
        return [text], True
    found: list[str] = []
    for part in re.split(r",(?![^\[]*\])", text):
        names = itertools.islice(_expand_one(part), MOST_NODES + 1 - len(found))
        found += names
        if len(found) > MOST_NODES:
            return found[:MOST_NODES], False
    return found, True


def _expand_one(part: str) -> Iterator[str]:
    """Yield the names of `rack[1-2]n[01-04]`, the last bracket counting fastest."""
    head, bracket, rest = part.partition("[")
    inside, closed, tail = rest.partition("]")
    if not bracket or not closed:
        yield part
        return
    for number in _numbers(inside):
        for after in _expand_one(tail):
            yield f"{head}{number}{after}"


def _numbers(text: str) -> Iterator[str]:
    for item in text.split(","):
        first, dash, last = item.partition("-")
        if dash and first.isdecimal() and last.isdecimal() and max(len(first), len(last)) <= LONGEST_NUMBER:
            for number in range(int(first), int(last) + 1):
                yield str(number).zfill(len(first))
        else:
            yield item


def read(piece: Piece) -> Iterator[Batch]:
    """Read the rows of a piece."""
    return records.each_line(piece, _Rows(piece.source, piece.context).parse)


SOURCE = Source(
    name="slurm",
    reads="jobs and steps from Slurm's accounting database, as sacct prints them; when which node was down or drained (sacctmgr show event)",
    collect=(
        (
            "sacct --allusers --duplicates --parsable2 --starttime=<from> --endtime=<to> --format=JobID,JobName,User,UID,Account,Partition,"
            "Submit,Start,End,State,ExitCode,NodeList,AllocTRES,ReqTRES,WorkDir,SubmitLine,Comment,Restarts,Cluster > sacct.txt"
        ),
        "sacctmgr --parsable2 show event all_clusters start=<from> format=Cluster,NodeName,TimeStart,TimeEnd,State,Reason,User > nodes.txt",
    ),
    reference="https://slurm.schedmd.com/sacct.html",
    tier=Tier.T3,
    keeps="slurmdbd, until its purge settings (PurgeJobAfter) remove them; by default for ever",
    split=split,
    read=read,
)
