"""Sessions on hosts, and what sshd, sudo, cron and the audit log wrote about them.

Formats: RFC 3164 and RFC 5424 time stamps as rsyslog writes them; audit records as in the Linux audit documentation.
"""

from dataclasses import dataclass, field
from typing import Any

from making.times import bsd_time, micro_time, stream

UNSET = 4294967295
AuditEvent = tuple[float, list[tuple[str, str, str]]]
"""A moment and its records: (type, fields, names that the enriched format adds)."""


@dataclass(slots=True)
class Host:
    """One host, its counters and its logs."""

    name: str
    ip: str
    shift: int = 0
    """Seconds that its clock runs ahead."""
    enriched: bool = False
    """Whether its audit log names numbers, after a separator byte."""
    session: int = 40
    pid: int = 21000
    lines: list[tuple[float, str]] = field(default_factory=list)
    audit: list[AuditEvent] = field(default_factory=list)

    def log(self, when: float, words: str) -> None:
        """Write a line to its log of logins."""
        self.lines.append((when + self.shift, f"{self.name} {words}"))

    def next_pid(self) -> int:
        """Return a process number that was not used before."""
        self.pid += 3
        return self.pid


@dataclass(slots=True)
class Session:
    """A login on a host."""

    host: Host
    account: str
    uid: int
    number: int
    pid: int
    start: float
    end: float
    ip: str
    terminal: str
    desk: str
    """The person whose laptop it came from."""


def log_in(host: Host, account: str, uid: int, key: str, ip: str, start: float, end: float, desk: str, audited: bool = True) -> Session:
    """Log in by ssh with a key, and out again; the numbers grow with every call."""
    rng = stream(host.name, account, start)
    start, end = int(start) + rng.randrange(5, 800) / 1000, int(end) + rng.randrange(5, 800) / 1000
    host.session += 1 + rng.randrange(3)
    pid, port = host.next_pid(), rng.randrange(33000, 60999)
    s = Session(host, account, uid, host.session, pid, start, end, ip, f"pts/{rng.randrange(1, 25)}", desk)
    _sshd_lines(s, key, port, host.next_pid())
    if audited:
        _audit_session(s)
    return s


def _sshd_lines(s: Session, key: str, port: int, child: int) -> None:
    """Write what sshd and logind log about a session."""
    log, user = s.host.log, s.account
    log(s.start, f"sshd[{s.pid}]: Accepted publickey for {user} from {s.ip} port {port} ssh2: ED25519 {key}")
    log(s.start + 0.04, f"sshd[{s.pid}]: pam_unix(sshd:session): session opened for user {user}(uid={s.uid}) by (uid=0)")
    log(s.start + 0.07, f"systemd-logind[803]: New session {s.number} of user {user}.")
    log(s.end, f"sshd[{child}]: Received disconnect from {s.ip} port {port}:11: disconnected by user")
    log(s.end + 0.01, f"sshd[{child}]: Disconnected from user {user} {s.ip} port {port}")
    log(s.end + 0.03, f"sshd[{s.pid}]: pam_unix(sshd:session): session closed for user {user}")
    log(s.end + 0.06, f"systemd-logind[803]: Removed session {s.number}.")


def _audit_session(s: Session) -> None:
    """Write what the audit log holds about beginning and end of a session."""
    pam = f'acct="{s.account}" exe="/usr/sbin/sshd" hostname={s.ip} addr={s.ip} terminal=ssh res=success\''
    before = f"pid={s.pid} uid=0 auid={UNSET} ses={UNSET}"
    within = f"pid={s.pid} uid=0 auid={s.uid} ses={s.number}"
    root = f'UID="root" AUID="{s.account}"'
    _audit(s.host, s.start + 0.010, "CRED_ACQ", f"{before} msg='op=PAM:setcred grantors=pam_env,pam_unix {pam}", 'UID="root" AUID="unset"')
    login = f"pid={s.pid} uid=0 old-auid={UNSET} auid={s.uid} tty=(none) old-ses={UNSET} ses={s.number} res=1"
    _audit(s.host, s.start + 0.020, "LOGIN", login, f'UID="root" OLD-AUID="unset" AUID="{s.account}"')
    _audit(
        s.host,
        s.start + 0.045,
        "USER_START",
        f"{within} msg='op=PAM:session_open grantors=pam_loginuid,pam_limits,pam_systemd,pam_unix {pam}",
        root,
    )
    _audit(
        s.host,
        s.end + 0.020,
        "USER_END",
        f"{within} msg='op=PAM:session_close grantors=pam_loginuid,pam_limits,pam_systemd,pam_unix {pam}",
        root,
    )
    _audit(s.host, s.end + 0.024, "CRED_DISP", f"{within} msg='op=PAM:setcred grantors=pam_env,pam_unix {pam}", root)


def _audit(host: Host, when: float, kind: str, fields: str, names: str = "") -> None:
    """Add an audit event of one record."""
    host.audit.append((when + host.shift, [(kind, fields, names)]))


def run(s: Session, when: float, words: list[str], cwd: str, exe: str = "", user: tuple[str, int] | None = None) -> None:
    """Run a command in a session, as oneself or, after sudo, as another user."""
    name, uid = user or (s.account, s.uid)
    path = exe or f"/usr/bin/{words[0]}"
    syscall = _syscall(s, when, 59, path, (name, uid), '"cmd"', success="exit=0", items=2)
    args = " ".join(f"a{i}={quoted(w)}" for i, w in enumerate(words))
    records = [syscall, ("EXECVE", f"argc={len(words)} {args}", ""), ("CWD", f"cwd={quoted(cwd)}", "")]
    records += [_path(0, path, 0, "0100755", "NORMAL"), _path(1, "/lib64/ld-linux-x86-64.so.2", 0, "0100755", "NORMAL")]
    s.host.audit.append((when + s.host.shift, [*records, ("PROCTITLE", f"proctitle={hex_of(chr(0).join(words))}", "")]))


def write_file(s: Session, when: float, words: list[str], cwd: str, file: str, exe: str = "", made: bool = False) -> None:
    """Open a watched file for writing in a session."""
    path = exe or f"/usr/bin/{words[0]}"
    syscall = _syscall(s, when, 257, path, (s.account, s.uid), '"shared-env"', success="exit=4", items=2)
    folder = file.rsplit("/", 1)[0] + "/"
    records = [syscall, ("CWD", f"cwd={quoted(cwd)}", ""), _path(0, folder, 2100, "042775", "PARENT")]
    records += [_path(1, file, 2100, "0100664", "CREATE" if made else "NORMAL")]
    s.host.audit.append((when + s.host.shift, [*records, ("PROCTITLE", f"proctitle={hex_of(chr(0).join(words))}", "")]))


def _syscall(
    s: Session, when: float, number: int, exe: str, user: tuple[str, int], key: str, success: str, items: int
) -> tuple[str, str, str]:
    """Return the record of the system call itself."""
    rng = stream("syscall", s.host.name, s.number, when)
    name, uid = user
    registers = "a0=ffffff9c a1=7ffd{:08x} a2=241 a3=1b4" if number == 257 else "a0=55d1{:08x} a1=55d1c0ffe0 a2=55d1c0fff0 a3=8"
    ids = " ".join(f"{k}={uid}" for k in ("uid", "gid", "euid", "suid", "fsuid", "egid", "sgid", "fsgid"))
    pid = s.host.next_pid()
    fields = f"arch=c000003e syscall={number} success=yes {success} {registers.format(rng.randrange(2**31))} items={items} ppid={s.pid + 1}"
    comm = exe.rsplit("/", 1)[1][:15]
    fields += f" pid={pid} auid={s.uid} {ids} tty={s.terminal.replace('/', '')} ses={s.number}"
    fields += f' comm="{comm}" exe="{exe}" subj=unconfined key={key}'
    call = "openat" if number == 257 else "execve"
    return ("SYSCALL", fields, f'ARCH=x86_64 SYSCALL={call} AUID="{s.account}" UID="{name}" GID="{name}" EUID="{name}"')


def _path(item: int, name: str, owner: int, mode: str, kind: str) -> tuple[str, str, str]:
    """Return the record of one path of an event."""
    rng = stream("inode", name)
    device = "00:3a" if name.startswith("/share") else "fd:01"
    fields = (
        f"item={item} name={quoted(name)} inode={rng.randrange(10**5, 10**7)} dev={device} mode={mode} ouid={owner} ogid={owner} rdev=00:00"
    )
    return ("PATH", f"{fields} nametype={kind} cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0", "")


def sudo(s: Session, when: float, target: tuple[str, int], words: list[str], cwd: str, exe: str) -> None:
    """Run a command as another user through sudo: the audit log keeps who logged in."""
    name, uid = target
    when = int(when) + 0.31
    command = " ".join([exe, *words[1:]])
    s.host.log(when, f"sudo:  {s.account} : TTY={s.terminal} ; PWD={cwd} ; USER={name} ; COMMAND={command}")
    s.host.log(when + 0.02, f"sudo: pam_unix(sudo:session): session opened for user {name}(uid={uid}) by {s.account}(uid={s.uid})")
    fields = f"pid={s.host.next_pid()} uid={s.uid} auid={s.uid} ses={s.number} msg='cwd={quoted(cwd)} cmd={hex_of(command)} "
    fields += f'exe="/usr/bin/sudo" terminal={s.terminal} res=success\''
    _audit(s.host, when + 0.004, "USER_CMD", fields, f'UID="{s.account}" AUID="{s.account}"')
    run(s, when + 0.05, words, cwd, exe, target)
    s.host.log(when + 41.5, f"sudo: pam_unix(sudo:session): session closed for user {name}")


def cron(host: Host, when: float, audited: bool) -> None:
    """Run the regular clean-up, which shows that the log was alive."""
    pid = host.next_pid()
    when = int(when) + 0.137
    host.log(when, f"CRON[{pid}]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)")
    host.log(when + 1.2, f"CRON[{pid}]: pam_unix(cron:session): session closed for user root")
    if audited:
        pam = 'acct="root" exe="/usr/sbin/cron" hostname=? addr=? terminal=cron res=success\''
        fields = f"pid={pid} uid=0 auid={UNSET} ses={UNSET} msg='op=PAM:accounting grantors=pam_permit {pam}"
        _audit(host, when + 0.002, "USER_ACCT", fields, 'UID="root" AUID="unset"')


def quoted(text: str) -> str:
    """Write an untrusted string as the audit log does: in quotes, or as hex where it holds a blank or a byte beyond ASCII."""
    return f'"{text}"' if text.isascii() and not any(c in ' "' or ord(c) < 33 for c in text) else hex_of(text)


def hex_of(text: str) -> str:
    """Write a string as upper-case hex digits."""
    return text.encode().hex().upper()


def audit_text(host: Host, serial: int, lost: tuple[int, int] = (0, 0)) -> str:
    """Write the audit log: events in order of time, serial numbers growing, all records of an event under one.

    Between the two moments of `lost` the daemon wrote nothing, while the kernel went on counting.
    """
    out = []
    for when, records in sorted(host.audit, key=lambda e: (e[0], str(e[1]))):
        serial += 1 + stream("serial", host.name, serial).randrange(3)
        for kind, fields, names in records if not lost[0] <= when < lost[1] else ():
            tail = f"\x1d{names}" if host.enriched and names else ""
            out.append(f"type={kind} msg=audit({int(when)}.{int(when * 1000) % 1000:03d}:{serial}): {fields}{tail}")
    return "\n".join(out) + "\n"


def auth_text(host: Host, old_style: bool) -> str:
    """Write the log of logins, with or without a year in its times."""
    write: Any = bsd_time if old_style else micro_time
    return "".join(f"{write(when)} {words}\n" for when, words in sorted(host.lines))
