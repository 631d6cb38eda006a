"""Host logs in the lab's own zone and style, rotated, and their copies on the log host."""

from collections.abc import Callable
from random import Random

from making.hosts import UNSET, Host, audit_text, hex_of, quoted
from making.stored import gzip_file

from tests.incidents.lab import clock
from tests.incidents.lab.clock import RIGHT
from tests.incidents.lab.world import Lab


def auth_files(lab: Lab, name: str) -> dict[str, bytes]:
    """Return `auth.log` and its older parts."""
    host, move = lab.hosts[name], lab.clocks.get(name, RIGHT)
    silent = lab.silences.get(name)
    rows = sorted((move(t), _edited(lab, name, t, text)) for t, text in host.lines if not (silent and silent[0] <= t < silent[1]))
    return rotate([f"{_stamp(lab, t)} {text}\n" for t, text in rows], lab.shape.rotate)


def _edited(lab: Lab, host: str, when: float, text: str) -> str:
    """Return a line as it stands after whoever could edit the log was done with it."""
    if host in lab.forged and lab.forged_span[0] <= when < lab.forged_span[1]:
        for old, new in lab.forged[host]:
            text = text.replace(old, new)
    return text


def _stamp(lab: Lab, when: float) -> str:
    return clock.bsd(when, lab.shape.zone) if lab.shape.style == "bsd" else clock.micro(when, lab.shape.zone)


def rotate(rows: list[str], how: str) -> dict[str, bytes]:
    if how == "none" or len(rows) < 90:
        return {"auth.log": "".join(rows).encode()}
    third = len(rows) // 3
    first, second, last = ("".join(rows[:third]).encode(), "".join(rows[third : 2 * third]).encode(), "".join(rows[2 * third :]).encode())
    if how == "gz":
        return {"auth.log": last, "auth.log.1": second, "auth.log.2.gz": gzip_file(first)}
    return {"auth.log": last, "auth.log.1": second, "auth.log.2": first}


def audit_file(lab: Lab, host: Host) -> bytes:
    move = lab.clocks.get(host.name, RIGHT)
    host.audit = [(move(t), [tuple(_edited(lab, host.name, t, x) for x in r) for r in records]) for t, records in host.audit]  # type: ignore[misc]
    silent = lab.silences.get(f"audit:{host.name}") or lab.silences.get(host.name) or (0, 0)
    return audit_text(host, 1000 + len(host.audit), (int(move(silent[0])), int(move(silent[1]))) if silent[0] else (0, 0)).encode()


def loghost_file(lab: Lab) -> bytes:
    """Return what every host forwarded as it happened, stamped on arrival in ISO 8601: edits on the hosts came later."""
    rows = sorted((t + 0.003, text) for name in lab.hosts for t, text in lab.hosts[name].lines)
    return "".join(f"{clock.micro(t, lab.shape.zone)} {text}\n" for t, text in rows).encode()


def job_process(host: Host, when: float, login: str, uid: int, words: list[str], cwd: str, rng: Random, write: str = "") -> None:
    """Record a job's process on a node, without a login behind it; with `write`, that it opened a file for writing."""
    pid = host.next_pid()
    ids = " ".join(f"{k}={uid}" for k in ("uid", "gid", "euid", "suid", "fsuid", "egid", "sgid", "fsgid"))
    exe = "/usr/bin/python3.11"
    number, key = (257, '"shared"') if write else (59, '"exec"')
    call = f"arch=c000003e syscall={number} success=yes exit={3 if write else 0} a0=7f{rng.randrange(16**6):06x} a1=0 a2=241 a3=1b6 items=2 ppid={pid - 2} pid={pid - (0 if not write else 3)}"
    call += f' auid={UNSET} {ids} tty=(none) ses={UNSET} comm="python3" exe="{exe}" subj=unconfined key={key}'
    names = f'ARCH=x86_64 SYSCALL={"openat" if write else "execve"} AUID="unset" UID="{login}" GID="{login}"'
    records = [("SYSCALL", call, names)]
    if not write:
        records.append(("EXECVE", f"argc={len(words)} " + " ".join(f"a{i}={quoted(w)}" for i, w in enumerate(words)), ""))
    records.append(("CWD", f"cwd={quoted(cwd)}", ""))
    paths = (
        [(write.rsplit("/", 1)[0] + "/", "PARENT"), (write, "NORMAL")]
        if write
        else [(exe, "NORMAL"), ("/lib64/ld-linux-x86-64.so.2", "NORMAL")]
    )
    for n, (path, kind) in enumerate(paths):
        records.append(
            (
                "PATH",
                f"item={n} name={quoted(path)} inode={rng.randrange(10**6)} dev=00:31 mode=0100664 ouid={uid} ogid={uid} rdev=00:00 nametype={kind} cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0",
                "",
            )
        )
    records.append(("PROCTITLE", f"proctitle={hex_of(chr(0).join(words))}", ""))
    host.audit.append((when, records))


Mover = Callable[[float], float]
