"""What programs say: sshd, sudo, su, systemd-logind, cron. A message that says none of these is a log.message."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from forensics.model import Event


class Line(NamedTuple):
    """A line taken apart."""

    start: int
    end: int
    time: int
    time_hi: int | None
    host: str
    program: str
    process: str | None
    message: str


def _json(attrs: Mapping[str, object]) -> str | None:
    return msgspec.json.encode(attrs, order="sorted").decode() if attrs else None


def _event(
    line: Line, action: str, actor: str | None = None, target: str | None = None, *, session: str | None = None, credential: str | None = None,
    ip: str | None = None, claimed: str | None = None, outcome: str | None = None, object_: str | None = None, attrs: str | None = None,
) -> Event:  # fmt: skip
    start, end, time, time_hi, host, _, _, _ = line
    return _new(Event, (
        start, end, time, action, actor, object_, target, None, claimed, session, credential, None, ip, host or None, outcome, None, None, time_hi,
        None, None, attrs,
    ))  # fmt: skip


_new = tuple.__new__
"""what Event(...) does, without the step between: a tenth of the time of a line"""


def other(line: Line) -> Event:
    """Return an event that only says that the host was writing."""
    program = line.program
    return _event(
        line, "log.message", attrs=f'{{"program":"{program}"}}' if program.isalnum() else _json({"program": program} if program else {})
    )


LONGEST = 16 << 10
"""a message longer than this is not looked into"""


def _session(line: Line, kind: str) -> str | None:
    return f"{kind}:{line.host}/{line.process}" if line.process else None


# --- sshd: https://github.com/openssh/openssh-portable/blob/master/auth.c (auth_log), packet.c, and Linux-PAM's pam_unix ---

_ACCEPTED = re.compile(r" ?Accepted (\S+) for (.*) from (\S+) port (\d+)(?: +ssh2)?(?:: (.*))?", re.DOTALL | re.ASCII)
_FAILED = re.compile(r" ?Failed (\S+) for (invalid user )?(.*) from (\S+)(?: port (\d+))?(?: +ssh\d?)?(?:: .*)?", re.DOTALL | re.ASCII)
_INVALID = re.compile(r"(?:Invalid|Illegal) user (.*) from (\S+)(?: port (\d+))?", re.DOTALL | re.ASCII)
_LEFT = re.compile(
    r"(?:Disconnected from|Connection (?:closed|reset) by) (authenticating |invalid )?user (.*) (\S+) port (\d+)(?: \[preauth\])?",
    re.DOTALL | re.ASCII,
)
_TOO_MANY = re.compile(
    r"error: maximum authentication attempts exceeded for (invalid user )?(.*) from (\S+) port (\d+) .*", re.DOTALL | re.ASCII
)
_NOT_ALLOWED = re.compile(r"User (.*) from (\S+) not allowed because (.*)", re.DOTALL | re.ASCII)
_PAM = re.compile(
    r"pam_\w+\(([^():]+):session\): session (?:opened for user ([^\s(]+)(?:\(uid=(\d{1,10})\))? by ([^\s(]*)\(uid=(\d{1,10})\)|closed for user (\S+))",
    re.ASCII,
)
_PAM_FAILED = re.compile(
    r"pam_\w+\(([^():]+):auth\): authentication failure; logname=\S* uid=\S* euid=\S* tty=\S* ruser=\S* rhost=(\S*)(?:\s+user=(.*))?",
    re.DOTALL | re.ASCII,
)
_KEY = re.compile(
    r"(\S+)(?: (SHA256:\S+|MD5:\S+|[0-9a-f]{2}(?::[0-9a-f]{2}){15}))?(?: ID (.*) \(serial (\d+)\) CA (\S+) (\S+).*)?", re.DOTALL | re.ASCII
)


def _sshd(line: Line) -> Event:
    text = line.message
    parse = _SSHD.get(text[:4]) or _SSHD.get(text.lstrip(" ")[:4])
    return (parse(line, text) if parse else None) or other(line)


def _accepted(line: Line, text: str) -> Event | None:
    found = _ACCEPTED.fullmatch(text)
    if not found:
        return None
    method, user, address, port, key = found.groups()
    attrs: dict[str, object] = {"method": method, "port": int(port[:9])}
    if line.process:
        attrs["pid"] = int(line.process)
    credential = _credential(key, attrs) if key else None
    return _event(
        line,
        "session.ssh.open",
        f"unix:{user}",
        session=_session(line, "ssh"),
        credential=credential,
        ip=f"ip:{address}",
        attrs=_json(attrs),
    )


def _credential(text: str, attrs: dict[str, object]) -> str | None:
    """Return the key of `ED25519 SHA256:...`; of a certificate, note its id, serial and authority, too."""
    found = _KEY.fullmatch(text)
    if not found:
        return None
    kind, print_, identity, serial, _, authority = found.groups()
    attrs["key_type"] = kind
    if identity is not None:
        attrs |= {"cert_id": identity, "serial": serial, "ca": f"ssh-key:{authority}"}
    if print_ is None:
        return None
    return f"ssh-key:{print_}" if print_[0] in "SM" else f"ssh-key:MD5:{print_}"


def _refused(line: Line, user: str | None, address: str | None, **attrs: object) -> Event:
    """Return a login that failed: the name is what somebody typed."""
    said = _json({key: value for key, value in attrs.items() if value})
    claimed, ip = f"unix:{user}" if user else None, f"ip:{address}" if address else None
    return _event(line, "session.ssh.fail", session=_session(line, "ssh"), ip=ip, claimed=claimed, outcome="failed", attrs=said)


def _failed(line: Line, text: str) -> Event | None:
    found = _FAILED.fullmatch(text)
    return _refused(line, found[3], found[4], method=found[1], port=found[5], invalid=bool(found[2])) if found else None


def _invalid(line: Line, text: str) -> Event | None:
    found = _INVALID.fullmatch(text)
    return _refused(line, found[1], found[2], port=found[3], invalid=True) if found else None


def _too_many(line: Line, text: str) -> Event | None:
    found = _TOO_MANY.fullmatch(text)
    return _refused(line, found[2], found[3], port=found[4], reason="maximum authentication attempts exceeded") if found else None


def _not_allowed(line: Line, text: str) -> Event | None:
    found = _NOT_ALLOWED.fullmatch(text)
    return _refused(line, found[1], found[2], reason=found[3]) if found else None


def _left(line: Line, text: str) -> Event | None:
    """Return the end of a connection. The process that says so is not the one that said `Accepted`, so the session stays open here."""
    found = _LEFT.fullmatch(text)
    if not found:
        return None
    before, user, address, port = found.groups()
    if before:
        return _refused(line, user, address, port=port, invalid=before == "invalid ", reason="disconnected before it was authenticated")
    attrs = f'{{"pid":{int(line.process)},"port":{int(port[:9])}}}' if line.process else f'{{"port":{int(port[:9])}}}'
    return _event(line, "session.ssh.close", f"unix:{user}", ip=f"ip:{address}", attrs=attrs)


def _pam(line: Line, text: str) -> Event | None:
    found = _PAM.match(text)
    if found:
        service, user, uid, by, by_uid, gone = found.groups()
        kind = _KINDS.get(service)
        if not kind:
            return None
        if gone is None:
            return _pam_opened(line, kind, user, uid, by or f"#{by_uid}")
        who = f"unix:{gone}"
        actor, target = (who, None) if kind == "ssh" else (None, who)
        return _event(line, f"session.{kind}.close", actor, target, session=_session(line, kind))
    found = _PAM_FAILED.match(text)
    if found and _KINDS.get(found[1]) == "ssh":
        return _refused(line, found[3], found[2], reason="authentication failure")
    return None


_KINDS = {"sshd": "ssh", "su": "su", "su-l": "su"}


def _pam_opened(line: Line, kind: str, user: str, uid: str | None, by: str) -> Event:
    if kind == "ssh":
        return _event(
            line, "session.ssh.login", f"unix:{user}", session=_session(line, kind), attrs=f'{{"uid":"unix:#{uid}"}}' if uid else None
        )
    return _su_event(line, "open", by, user, {"target_uid": f"unix:#{uid}"} if uid else {})


_SSHD: dict[str, Callable[[Line, str], Event | None]] = {
    "Acce": _accepted, "Fail": _failed, "Inva": _invalid, "Ille": _invalid, "Disc": _left, "Conn": _left, "erro": _too_many,
    "User": _not_allowed, "pam_": _pam,
}  # fmt: skip


# --- sudo: https://www.sudo.ws/docs/man/sudoers.man/#LOG_FORMAT ----------------------------------------------------------


def _sudo(line: Line) -> Event:
    """Return what sudo ran, or refused to; `mei : [why refused ; ]TTY=pts/0 ; PWD=/tmp ; USER=root ; COMMAND=/bin/ls`."""
    user, parted, rest = line.message.partition(" : ")
    fields, marked, command = rest.partition(" ; COMMAND=")
    if not parted or not marked:
        return _sudo_opened(line) or other(line)
    parts = fields.split(" ; ")
    refusal = "" if "=" in parts[0] else parts.pop(0)
    said = {key: value for key, _, value in (part.partition("=") for part in parts)}
    path = command.split(" ", 1)[0]
    attrs: dict[str, object] = {"command": command, "success": not refusal, "via": "sudo"}
    attrs |= {key: said[field] for field, key in (("PWD", "cwd"), ("TTY", "tty"), ("GROUP", "group"), ("ENV", "env")) if field in said}
    if refusal:
        attrs["reason"] = refusal
    if " ; COMMAND=" in command:
        attrs["ambiguous"] = True  # a folder's or a command's own name can imitate the fields
    object_ = f"file://{line.host}{path}" if path.startswith("/") else None
    target = f"unix:{said['USER']}" if said.get("USER") else None
    outcome = "failed" if refusal else "success"
    return _event(line, "process.exec", f"unix:{user.strip()}", target, object_=object_, outcome=outcome, attrs=_json(attrs))


def _sudo_opened(line: Line) -> Event | None:
    """Return what PAM says when sudo begins: nothing more than its own line, but the number of the account."""
    found = _PAM.match(line.message)
    if not found or not found[3]:
        return None
    return _event(line, "log.message", None, f"unix:{found[2]}", attrs=_json({"program": line.program, "target_uid": f"unix:#{found[3]}"}))


# --- su: util-linux's login-utils/su-common.c, and shadow's su.c ---------------------------------------------------------

_SU = re.compile(r"(FAILED SU )?\(to (\S+)\) (\S+) on (\S+)")
_SU_SHADOW = re.compile(r"(Successful|FAILED) su for (\S+) by (\S+)")


def _su(line: Line) -> Event:
    found = _SU.fullmatch(line.message)
    if found:
        failed, target, user, tty = found.groups()
        return _su_event(line, "fail" if failed else "open", user, target, {"tty": tty})
    found = _SU_SHADOW.fullmatch(line.message)
    if found:
        return _su_event(line, "open" if found[1] == "Successful" else "fail", found[3], found[2], {})
    return _pam(line, line.message) or other(line)


def _su_event(line: Line, what: str, user: str, target: str, attrs: dict[str, object]) -> Event:
    outcome = "failed" if what == "fail" else None
    return _event(
        line, f"session.su.{what}", f"unix:{user}", f"unix:{target}", session=_session(line, "su"), outcome=outcome, attrs=_json(attrs)
    )


# --- systemd-logind: https://github.com/systemd/systemd/blob/main/src/login/logind-session.c -----------------------------

_NEW_SESSION = re.compile(r"New session '?([^\s']+)'? of user '?([^\s']+?)'?(?: with .*)?\.?", re.DOTALL | re.ASCII)
_REMOVED = re.compile(r"Removed session '?([^\s'.]+)'?\.?")


def _logind(line: Line) -> Event:
    found = _NEW_SESSION.fullmatch(line.message)
    if found:
        return _logind_event(line, "open", found[1], f"unix:{found[2].rstrip('.')}")
    found = _REMOVED.fullmatch(line.message)
    return _logind_event(line, "close", found[1], None) if found else other(line)


def _logind_event(line: Line, what: str, number: str, actor: str | None) -> Event:
    """Return a session of logind: its number is the kernel's audit session, unless that is off (then it begins with c)."""
    session = f"audit:{line.host}/{number}" if number.isdecimal() else f"login:{line.host}/{number}"
    attrs = f'{{"logind":"{number}"}}' if number.isalnum() else _json({"logind": number})
    return _event(line, f"session.login.{what}", actor, session=session, attrs=attrs)


# --- cron (cron(8), and cronie's): `(svc) CMD (command line)`, and its PAM session ---

_TIMED = re.compile(r" ?\(([^()\s]+)\) CMD \((.*)\)", re.DOTALL | re.ASCII)


def _cron(line: Line) -> Event:
    """Return what a timetable started, and under which account."""
    found = _TIMED.fullmatch(line.message)
    if found:
        return _event(line, "process.timer", target=f"unix:{found[1]}", attrs=_json({"command": found[2].strip()}))
    opened = _PAM.match(line.message.strip())
    if opened and opened[1] in {"cron", "crond"} and opened[2]:
        return _event(line, "process.timer", target=f"unix:{opened[2]}")
    return other(line)


SPEAKERS: dict[str, Callable[[Line], Event]] = {
    "sshd": _sshd, "sshd-session": _sshd, "sshd-auth": _sshd, "sudo": _sudo, "su": _su, "systemd-logind": _logind,
    "CRON": _cron, "cron": _cron, "crond": _cron, "CROND": _cron,
}  # fmt: skip
