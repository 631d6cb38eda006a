"""A group -> events."""

import posixpath
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

import msgspec

from forensics import records, times
from forensics.model import Batch, Event, Piece, SourceConfig
from forensics.sources.auditd import syscalls
from forensics.sources.auditd.fields import UNSET, Fields, account, argument, fields, plain, text, word
from forensics.sources.auditd.groups import Group, Record, groups

_AUXILIARY = frozenset(
    (
        b"SYSCALL",
        b"EXECVE",
        b"CWD",
        b"PATH",
        b"PROCTITLE",
        b"SOCKADDR",
        b"MMAP",
        b"BPRM_FCAPS",
        b"FD_PAIR",
        b"OBJ_PID",
        b"CAPSET",
        b"IPC",
        b"EOE",
        b"OPENAT2",
    )
)
"""records that tell more of what another of their group says"""
_CHANGERS = frozenset(("sudo", "su", "runuser", "pkexec", "doas", "cron", "crond"))
"""programs whose PAM sessions lie inside a login, and do not end it"""
_REFUSALS = frozenset((b"USER_LOGIN", b"USER_AUTH", b"USER_ACCT", b"USER_START", b"CRED_ACQ", b"USER_ERR"))
_SESSIONS = _REFUSALS | {b"LOGIN", b"USER_END", b"USER_LOGOUT"}
_TOLD = (b"op", b"unit", b"terminal", b"res", b"key", b"grantors", b"audit_enabled", b"list", b"sig", b"apparmor", b"ver")
_TOLD_TEXT = (b"acct", b"exe", b"comm", b"data", b"grp")
MOST_LINES = 100
_DIGITS = 18
"""of the longest number that is read as one"""


def read(piece: Piece) -> Iterator[Batch]:
    """Read the groups of a piece."""
    tally = records.Tally(piece)
    host = piece.source.host
    for group in groups(piece, tally):
        tally.batch.events.extend(_Event(piece.source, group, host).events())
        yield from tally.full()
    yield tally.batch


@lru_cache(maxsize=256)
def _time(stamp: bytes) -> int:
    seconds, _, fraction = stamp.partition(b".")
    return int(seconds) * times.SECOND + int(fraction.ljust(9, b"0"))


class _Event:
    """One group, taken apart."""

    __slots__ = ("apart", "fields", "group", "host", "node", "others", "primary", "time")

    def __init__(self, source: SourceConfig, group: Group, host: str) -> None:
        node, _, stamp = group.key.rpartition(b" ")
        self.group = group
        self.host = host or plain(node) or source.name
        self.time = _time(stamp.partition(b":")[0])
        self.primary = _primary(group)
        self.fields = fields(self.primary.body)
        self.others: dict[bytes, Fields] = {}
        first, last = group[0], group[-1]
        self.apart = last.end - first.start != sum(r.end - r.start for r in group)
        """other groups' lines lie between its own; reckoned once, since a hostile group may have many lines and events"""

    def events(self) -> list[Event]:
        kind = self.primary.type
        if kind == b"SYSCALL":
            return self._syscall()
        if kind == b"EXECVE":
            return [self._executed({}, "execve")]
        if kind == b"USER_CMD":
            return [self._command()]
        return [self._session(kind) or self._other()]

    # --- what every event bears

    def _event(
        self, action: str, attrs: dict[str, object], object_: str | None = None, target: str | None = None, *,
        actor: str | None = None, ip: str | None = None, claimed: str | None = None, outcome: str | None = None,
    ) -> Event:  # fmt: skip
        start, end = self._range(attrs)
        body = self.fields
        number = body.get(b"ses")
        session = None if number is None or number in UNSET else f"audit:{self.host}/{plain(number)}"
        return Event(
            start, end, self.time, action, actor or account(body.get(b"auid"), body.get(b"AUID")), object_, target, claimed=claimed, session=session, ip=ip,
            host=self.host, outcome=outcome, attrs=msgspec.json.encode({k: v for k, v in attrs.items() if v is not None}, order="sorted").decode(),
        )  # fmt: skip

    def _range(self, attrs: dict[str, object]) -> tuple[int, int]:
        """Return the bytes of the group where nothing lies between; else those of its main record, and the others' in attrs."""
        group = self.group
        if not self.apart:
            return group[0].start, group[-1].end
        attrs["lines"] = [[r.start, r.end] for r in islice(group, MOST_LINES + 1) if r is not self.primary][:MOST_LINES]
        return self.primary.start, self.primary.end

    def _target(self) -> str | None:
        """Return the account that it ran as, where that is not the original login's."""
        body = self.fields
        if body.get(b"uid") == body.get(b"auid"):
            return None
        return account(body.get(b"uid"), body.get(b"UID"))

    def _number(self, number: bytes, name: bytes) -> str | None:
        """Return the account's number, where an enriched record bears its name too."""
        plainly = account(self.fields.get(number), None)
        return plainly if account(self.fields.get(number), self.fields.get(name)) != plainly else None

    # --- system calls

    def _syscall(self) -> list[Event]:
        body = self.fields
        name = word(body.get(b"SYSCALL")) or syscalls.NAMES.get((body.get(b"arch", b""), body.get(b"syscall", b"")), "")
        attrs = self._process()
        if name in syscalls.RUNS:
            return [self._executed(attrs, name)]
        paths = self._paths() if name in _TOUCHES else []
        attrs["syscall"] = name or word(body.get(b"syscall"))
        events = list(self._touched(name, paths, attrs))
        return events or [
            self._event(
                "log.message", {"type": "SYSCALL", "exe": text(body.get(b"exe")), **attrs}, None, self._target(), outcome=self._outcome()
            )
        ]

    def _process(self) -> dict[str, object]:
        body = self.fields
        found: dict[str, object] = {"comm": text(body.get(b"comm")), "tty": word(body.get(b"tty")), "key": _key(body.get(b"key"))}
        found |= {"pid": _int(body.get(b"pid")), "ppid": _int(body.get(b"ppid"))}
        if b"success" in body:
            found["success"] = body[b"success"] == b"yes"
        for record in self.group:
            if record.type == b"CWD":
                found["cwd"] = text(record.body.strip().removeprefix(b"cwd="))
        return found

    def _outcome(self) -> str | None:
        return {b"yes": "success", b"no": "failed"}.get(self.fields.get(b"success", b""))

    def _executed(self, attrs: dict[str, object], name: str) -> Event:
        """Return an execution: of the program itself; what it was started as (a script) stands in attrs."""
        exe = text(self.fields.get(b"exe"))
        attrs["argv"] = _argv(self.group)
        started = next((fields(r.body) for r in self.group if r.type == b"PATH" and r.body.startswith(b"item=0 ")), None)
        first = _absolute(started, attrs.get("cwd")) if started else None
        failed = self.fields.get(b"success") == b"no"
        path = first if failed or not exe else exe
        if first and first != path:
            attrs["path"] = first
        if name != "execve":
            attrs["syscall"] = name
        target = self._target()
        if target and (number := self._number(b"uid", b"UID")):
            attrs["uid"] = number
        if not attrs["argv"]:
            attrs["proctitle"] = _title(self.group)
            attrs["argv"] = None
        return self._event("process.exec", attrs, self._file(path), target, outcome=self._outcome())

    def _file(self, path: str | None) -> str | None:
        return f"file://{self.host}{path}" if path and path.startswith("/") else None

    def _paths(self) -> list[Fields]:
        """Return the PATH records with a name, in the order of their items."""
        found = [fields(record.body) for record in self.group if record.type == b"PATH"]
        found.sort(key=lambda f: _int(f.get(b"item")) or 0)
        return [f for f in found if f.get(b"name", b"(null)") != b"(null)"]

    def _touched(self, name: str, paths: list[Fields], attrs: dict[str, object]) -> Iterator[Event]:
        """Yield what a call did to each file."""
        parents = [folder for path in paths if _kind(path) == b"PARENT" and (folder := text(path.get(b"name")) or "").startswith("/")]
        own = [path for path in paths if _kind(path) != b"PARENT"]
        named = [(_kind(path), _absolute(path, self._folder(name, path, parents, attrs.get("cwd")))) for path in own]
        made = [path for kind, path in named if kind == b"CREATE"]
        gone = [path for kind, path in named if kind == b"DELETE" and path not in made]
        every = list(dict.fromkeys(path for _, path in named))
        if name in syscalls.OPENS:
            write = bool(made) or self._writes(name)
            if not made and self._only_touches(name):
                yield from self._each("file.attribute", every, attrs)
                return
            kept = {"kept": True} if write and not made and not self._empties(name) else {}
            yield from self._each("file.write" if write else "file.read", every, attrs | kept)
        elif name in syscalls.REMOVES:
            yield from self._each("file.delete", gone or every, attrs)
        elif name in syscalls.RENAMES:
            gone = gone[:1]  # a second one is what lay at the new name, and was overwritten
            yield from self._each("file.delete", gone, attrs)
            yield from self._each(
                "file.write", made or [path for path in every if path not in gone], attrs | ({"from": gone[0]} if gone else {})
            )
        elif name in syscalls.LINKS:
            source = [path for path in every if path not in made]
            yield from self._each("file.write", made or every, attrs | ({"from": source[0]} if made and source else {}))
        elif name in syscalls.ALTERS:
            action = "file.attribute" if name in syscalls.ATTRIBUTES else "file.write"
            yield from self._each(action, every, attrs | ({"kept": True} if name in syscalls.KEEPS else {}))

    def _each(self, action: str, paths: list[str], attrs: dict[str, object]) -> Iterator[Event]:
        for path in paths:
            more = {} if path.startswith("/") else {"path": path}
            exe = text(self.fields.get(b"exe"))
            yield self._event(action, {"exe": exe, **attrs, **more}, self._file(path), self._target(), outcome=self._outcome())

    def _folder(self, name: str, path: Fields, parents: list[str], cwd: object) -> object:
        """Return the folder that a relative name is relative to; None where the call's descriptor tells, and the log does not."""
        made = _kind(path) == b"CREATE"
        if parents and b"/" not in path.get(b"name", b""):
            return parents[-1 if made else 0]
        call = self.fields.get(syscalls.FOLDERS.get((name, made), b"a0"), b"")
        return cwd if not name.endswith(("at", "at2")) or call.endswith(b"ffffff9c") else None

    def _writes(self, name: str) -> bool:
        return syscalls.writes(*self._flags(name))

    def _only_touches(self, name: str) -> bool:
        return name != "openat2" and syscalls.touches(
            self.fields.get(syscalls.OPENS[name]), posixpath.basename(text(self.fields.get(b"exe")) or "")
        )

    def _empties(self, name: str) -> bool:
        return syscalls.empties(*self._flags(name))

    def _flags(self, name: str) -> tuple[bytes | None, int]:
        """Return what an open was for, and the base in which its number is written."""
        if name == "openat2":
            found = next((fields(r.body) for r in self.group if r.type == b"OPENAT2"), {})
            return found.get(b"oflag"), 8
        return self.fields.get(syscalls.OPENS[name]), 16

    # --- records of programs

    def _command(self) -> Event:
        """Return what sudo was asked to run."""
        body = self.fields
        command = text(body.get(b"cmd")) or ""
        done = body.get(b"res") in _DONE
        attrs: dict[str, object] = {
            "command": command,
            "cwd": text(body.get(b"cwd")),
            "tty": word(body.get(b"terminal")),
            "pid": _int(body.get(b"pid")),
        }
        attrs |= {"success": done, "via": posixpath.basename(text(body.get(b"exe")) or "sudo")}
        actor = account(body.get(b"auid"), body.get(b"AUID")) or account(body.get(b"uid"), body.get(b"UID"))
        return self._event(
            "process.exec", attrs, self._file(command.split(" ", 1)[0]), actor=actor, outcome="success" if done else "failed"
        )

    def _session(self, kind: bytes) -> Event | None:
        """Return the beginning, end or refusal of a login; None where the record tells of none."""
        if kind not in _SESSIONS:
            return None
        body = self.fields
        program = posixpath.basename(text(body.get(b"exe")) or "")
        done = body.get(b"res", body.get(b"result", b"1")) in _DONE
        address = word(body.get(b"addr"))
        ip = f"ip:{address}" if address else None
        attrs: dict[str, object] = {
            "terminal": word(body.get(b"terminal")),
            "pid": _int(body.get(b"pid")),
            "type": plain(kind),
            "exe": text(body.get(b"exe")),
        }
        if kind in (b"LOGIN", b"USER_LOGIN") and done:
            attrs |= {"old_auid": account(body.get(b"old-auid"), body.get(b"OLD-AUID")), "op": word(body.get(b"op"))}
            attrs["uid"] = self._number(b"auid", b"AUID")
            return self._event("session.audit.open", attrs, ip=ip)
        if kind in (b"USER_END", b"USER_LOGOUT") and program not in _CHANGERS:
            return self._event("session.audit.close", attrs | {"acct": text(body.get(b"acct"))}, ip=ip)
        if not done and kind in _REFUSALS and program not in _CHANGERS:
            name = text(body.get(b"acct"))
            return self._event(
                "session.audit.fail",
                attrs | {"op": word(body.get(b"op"))},
                ip=ip,
                claimed=f"unix:{name}" if name else None,
                outcome="failed",
            )
        return None

    def _other(self) -> Event:
        body = self.fields
        attrs: dict[str, object] = {"type": plain(self.primary.type), "pid": _int(body.get(b"pid"))}
        attrs |= {plain(key): word(body[key]) for key in _TOLD if key in body}
        attrs |= {plain(key): text(body[key]) for key in _TOLD_TEXT if key in body}
        argv = _argv(self.group)
        if argv:
            attrs["argv"] = argv
        return self._event("log.message", attrs)


_DONE = frozenset((b"success", b"1", b"yes"))
_TOUCHES = frozenset(syscalls.OPENS) | syscalls.REMOVES | syscalls.RENAMES | syscalls.LINKS | syscalls.ALTERS


def _primary(group: Group) -> Record:
    """Return the record that says what happened: a program's own, else the system call, else the first."""
    if group[0].type == b"SYSCALL" and len(group) > 1 and group[1].type in _AUXILIARY and group[-1].type in _AUXILIARY:
        return group[0]
    for record in group:
        if record.type not in _AUXILIARY and record.type != b"AVC":
            return record
    for wanted in (b"SYSCALL", b"EXECVE", b"AVC"):
        for record in group:
            if record.type == wanted:
                return record
    return group[0]


def _int(value: bytes | None) -> int | None:
    return int(value) if value and len(value) <= _DIGITS and value.isdigit() else None


def _key(value: bytes | None) -> str | None:
    """Return the keys of the rules that matched; the log joins several by a byte 1."""
    found = text(value)
    return found.replace("\x01", ",") if found else None


def _kind(path: Fields) -> bytes:
    return path.get(b"nametype") or path.get(b"objtype", b"")


def _absolute(path: Fields, folder: object) -> str:
    name = text(path.get(b"name")) or ""
    if name and not name.startswith("/") and isinstance(folder, str):
        name = f"{folder}/{name}"
    return posixpath.normpath(name) if name.startswith("/") and ("/." in name or "//" in name or name.endswith("/")) else name


def _argv(group: Group) -> list[str]:
    """Return the arguments of EXECVE records; a long one comes in parts, a1[0], a1[1], over several records.

    https://github.com/torvalds/linux/blob/master/kernel/auditsc.c (audit_log_execve_info)
    """
    parts: dict[int, list[bytes]] = {}
    for record in group:
        if record.type == b"EXECVE":
            for key, value in fields(record.body).items():
                number = key[1:].partition(b"[")[0]
                if key[:1] == b"a" and number.isdigit() and len(number) <= _DIGITS:
                    parts.setdefault(int(number), []).append(value)
    return ["".join(map(argument, parts[number])) for number in sorted(parts)]


def _title(group: Group) -> str | None:
    """Return the command line as the process shows it, which is cut at 128 bytes."""
    for record in group:
        if record.type == b"PROCTITLE":
            return (text(fields(record.body).get(b"proctitle")) or "").replace("\x00", " ") or None
    return None
