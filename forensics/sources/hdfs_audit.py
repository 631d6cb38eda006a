"""HDFS's audit log: who opened, wrote, renamed or deleted which file, as the name node recorded it.

A line is `<time> <level> <logger>: ` and fields `name=value` between tabs, in the order of `_FIELDS`; values may hold spaces, and `null` is
none. Paths are kept as recorded: newer name nodes escape tabs and what is not ASCII in them as Java does, older ones nothing.
With auth=SIMPLE the name node believed whatever account the client named; attrs say so.
"""

import re
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import NamedTuple

import msgspec

from forensics import times
from forensics.errors import RecordError
from forensics.fields import address
from forensics.model import Batch, Event, Piece, SourceConfig, Tier
from forensics.records import each_line, split_lines
from forensics.source import Source

_MARK = "FSNamesystem.audit:"
_FIELDS = ("allowed", "ugi", "ip", "cmd", "src", "dst", "perm", "trackingId", "proto", "callerContext")
_ALWAYS = ("cmd", "src", "dst", "perm")
_USUAL = re.compile(
    r" ?allowed=([^\t]*+)\tugi=([^\t]*+)\tip=([^\t]*+)\tcmd=([^\t]*+)\tsrc=([^\t]*+)\tdst=([^\t]*+)\tperm=([^\t]*+)"
    r"(?:\ttrackingId=([^\t]*+))?+(?:\tproto=([^\t]*+))?+(?:\tcallerContext=([^\t]*+))?+"
)
"""a line as name nodes write it, where no value holds a tab"""
_FIELD = re.compile(rf"(?:^ ?|\t)({'|'.join(_FIELDS)})=")
"""only these names begin a field: what else stands after a tab belongs to the value before it"""
_HEAD = re.compile(
    r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)\s?(Z|[+-]\d\d:?\d\d)? (?:\[[^\]]*\] )?[A-Z]+ +(?:\[[^\]]*\] )?(?:[\w$]+\.)*",
    re.ASCII,
)
"""what log4j's usual patterns write before the logger's last name: time, level, and here or there the thread in brackets"""
_LONGEST_HEAD = 300
_LONGEST_CACHED = 200
"""characters of a text that is remembered: caches hold thousands"""
_MILLI = len("2023-05-11 00:38:54,596")

_OBJECTS = {
    "create": "object.write", "append": "object.write", "truncate": "object.write", "open": "object.read", "delete": "object.delete",
}  # fmt: skip
_RENAMES = frozenset(("rename", "rename2"))
_NO_SESSION = frozenset(("CLI",))
"""contexts that name a tool: Hadoop's shell writes CLI for everybody, which makes nobody's commands one session"""


class _Facts(msgspec.Struct, gc=False, omit_defaults=True):
    """Goes into attrs as it stands; the fields are in the order of their names."""

    auth: str | None = None
    context: str | None = None
    dst: str | None = None
    options: str | None = None
    paths: list[str] | None = None
    """all of a value `[/a, /b]`"""
    perm: str | None = None
    principal: str | None = None
    """the account as written, where it is more than the short name"""
    proto: str | None = None
    source_address: str | None = None
    """as written, where it is more than the address, or none"""
    src: str | None = None
    token: str | None = None
    via: str | None = None
    """who acted for the account: a proxy user such as Hive, authenticated in its place"""
    via_auth: str | None = None
    via_principal: str | None = None


_ENCODE = msgspec.json.Encoder().encode
_ROW = tuple.__new__
_NOTHING = frozenset((None, "", "null"))


# --- when, who, from where ------------------------------------------------------------------------------------------


def _when(head: str, zone: str) -> tuple[int, int | None]:
    """Return (earliest, latest where it is another) of a line."""
    found = _HEAD.fullmatch(head) if len(head) <= _LONGEST_HEAD else None
    if not found:
        raise RecordError(f"no line of the audit log: {head[:40]!r} before its name is no time and level")
    written, offset = found.groups()
    if len(written) == _MILLI and not offset and written >= "1970" and written[11:13] < "24" and written[17:19] < "60":
        low, high = _minute(written[:16], zone)
        more = int(written[17:19]) * times.SECOND + int(written[20:]) * 1_000_000
        return low + more, high + more if high != low else None
    return times.instant(written + (offset or ""), zone)


_minute = lru_cache(maxsize=4096)(times.parse)


class _Caller(NamedTuple):
    """An `ugi`: `alice (auth:PROXY) via hive/host@REALM (auth:KERBEROS)`.

    https://hadoop.apache.org/docs/stable/api/org/apache/hadoop/security/UserGroupInformation.html
    """

    actor: str | None
    auth: str | None
    principal: str | None
    via: str | None
    via_auth: str | None
    via_principal: str | None


def _read_caller(ugi: str) -> _Caller:
    user, _, proxy = ugi.partition(" via ")
    actor, auth, principal = _account(user)
    return _Caller(actor, auth, principal, *_account(proxy))


def _account(written: str) -> tuple[str | None, str | None, str | None]:
    """Return (account, method, principal where it is more than the account's name) of `user/host@REALM (auth:METHOD)`."""
    name, auth, method = written.rpartition("(auth:")
    name = (name if auth else written).strip()
    short = name.partition("@")[0].partition("/")[0]
    if short in {"", "null"}:
        short = ""
    principal = name if name not in {short, "null"} else None
    return f"unix:{short}" if short else None, method.rstrip(")").upper() or None if auth else None, principal


_cached_caller = lru_cache(maxsize=4096)(_read_caller)


def _caller(ugi: str) -> _Caller:
    return _cached_caller(ugi) if len(ugi) <= _LONGEST_CACHED else _read_caller(ugi)


def _place(written: str) -> tuple[str | None, str | None]:
    """Return (address, what is written where it is more, or none) of `/10.20.4.9` or `gateway/10.20.4.9`."""
    name, _, last = written.rpartition("/")
    ip = address(last) if len(last) <= _LONGEST_CACHED else None
    return ip, written if name or ip is None else None


# --- what -----------------------------------------------------------------------------------------------------------


def read(piece: Piece) -> Iterator[Batch]:
    """Turn the log's lines into rows."""
    return each_line(piece, partial(_parse, piece.source))


class _Said(NamedTuple):
    """What a line's fields say, in the order of `_FIELDS`; None where they say nothing."""

    allowed: str | None
    ugi: str | None
    ip: str | None
    command: str | None
    src: str | None
    dst: str | None
    perm: str | None
    token: str | None
    proto: str | None
    context: str | None


def _parse(source: SourceConfig, line: bytes, start: int, end: int) -> list[Event]:
    head, mark, text = line.decode("utf-8", "backslashreplace").partition(_MARK)
    if not mark:
        raise RecordError("no line of the audit log: FSNamesystem.audit is not in it")
    said = _said(text)
    time, latest = _when(head, source.timezone)
    caller = _caller(said.ugi or "")
    ip, written = _place(said.ip) if said.ip else (None, None)
    session = f"hdfs:{said.context}" if said.context and said.context not in _NO_SESSION else None
    outcome = said.allowed and ("ok" if said.allowed == "true" else "denied")
    facts = _Facts(
        caller.auth, said.context, None, None, None, said.perm, caller.principal, said.proto, written, None, said.token,
        caller.via, caller.via_auth, caller.via_principal,
    )  # fmt: skip
    host = source.host or None
    return [
        _ROW(Event, (
            start, end, time, action, caller.actor, place, target, prior, None, session, None, None, ip, host, outcome, None, None, latest,
            None, None, _encoded(facts),
        ))
        for action, place, target, prior in _acts(said, source.host, facts)
    ]  # fmt: skip


def _said(text: str) -> _Said:
    usual = _USUAL.fullmatch(text)
    if usual:
        said = _Said(*[None if value in _NOTHING else value for value in usual.groups()])
    else:
        found = _fields(text)
        said = _Said(*[None if value in _NOTHING else value for value in map(found.get, _FIELDS)])
    if said.command is None:
        raise RecordError("no line of the audit log: its cmd is empty")
    return said


def _fields(text: str) -> dict[str, str]:
    """Return the fields of a line that is not as usual; RecordError where it can't be told which is which."""
    before, *pieces = _FIELD.split(text)
    found = dict(zip(pieces[::2], pieces[1::2], strict=True))
    missing = next((name for name in _ALWAYS if name not in found), None)
    if missing:  # a path that is broken off would be another file's name
        raise RecordError(f"no line of the audit log, or one that is broken off: it has no {missing}")
    if before.strip():
        raise RecordError("no line of the audit log: its fields do not follow its name")
    if len(found) * 2 != len(pieces):
        twice = next(name for name in found if pieces[::2].count(name) > 1)
        raise RecordError(f"the line says {twice} twice: a path or a context may hold a tab, and which one is its own can't be told")
    return found


def _acts(said: _Said, host: str, facts: _Facts) -> list[tuple[str, str | None, str | None, str | None]]:
    """Return (action, object, target, prior) of the command; a rename is two acts: a file appears, and another is gone."""
    command, _, options = (said.command or "").partition(" ")
    if options:
        facts.options = options.removeprefix("(options=").removesuffix(")").strip("[]")
    src, facts.paths, facts.src = _path(host, said.src)
    dst, several, facts.dst = _path(host, said.dst)
    if several:
        facts.dst = said.dst
    if command in _RENAMES and src and dst:
        return [("object.write", dst, None, src), ("object.delete", src, None, None)]
    if command == "concat" and dst:
        return [("object.write", dst, None, None)]
    return [(_OBJECTS.get(command) or f"hdfs.{command}", src, dst, None)]


def _path(host: str, written: str | None) -> tuple[str | None, list[str] | None, str | None]:
    """Return (file, all paths where there are several, what is written where it is no path)."""
    if written is None:
        return None, None, None
    if written.startswith("/"):
        return f"hdfs://{host}{written}", None, None
    if written.startswith("[/") and written.endswith("]"):
        first, *others = written[1:-1].split(", /")
        return f"hdfs://{host}{first}", [first, *(f"/{path}" for path in others)], None
    return None, None, written


def _encoded(facts: _Facts) -> str | None:
    written = _ENCODE(facts).decode()
    return written if written != "{}" else None


SOURCE = Source(
    name="hdfs_audit",
    reads="HDFS's audit log: files read, written, renamed and deleted, by account, address and caller context",
    collect=(
        'scp -p "$NAMENODE:/var/log/hadoop-hdfs/hdfs-audit.log*" evidence/hdfs/  # of every name node, the standby ones too',
        'ssh "$NAMENODE" timedatectl show --property=Timezone --value  # goes into case.toml as timezone: the lines bear no offset',
        "contexts of jobs are in it only where hadoop.caller.context.enabled is true; reads of data that is already open leave no line",
    ),
    reference="https://hadoop.apache.org/docs/stable/api/org/apache/hadoop/hdfs/server/namenode/HdfsAuditLogger.html",
    tier=Tier.T3,
    keeps="log4j keeps 20 files of 256 MB by default, on the name node: days on a busy cluster",
    split=split_lines,
    read=read,
    needs=("host",),
)
