"""Speed of the text sources against DuckDB's `regexp_extract`, on made-up logs of the real formats: python tests/benchmarks/bench_text.py [MB].

Both write Parquet with two workers or threads; DuckDB's statements take the fields that the sources read, several by one expression
where their order is fixed. They neither put the records of an audit event together, nor tell the bytes of each row, nor check anything.
"""

import json
import multiprocessing
import random
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import duckdb

from forensics.case.reading import plan, read_all
from forensics.model import Evidence, EvidenceFile, SourceConfig
from forensics.source import load

ROUNDS = 3
WORKERS = 2
LIMIT = 2.0
MOST_MEMORY = 400

_LINES = "read_csv($path, columns = {line: 'VARCHAR'}, delim = '\x01', quote = '', escape = '', header = false, auto_detect = false)"
SYSLOG = rf"""
    COPY (
        SELECT regexp_extract(line, '^(?:<\d+>)?(.{{15}}|\S+) (\S+) ([^ \[:]+)(?:\[(\d+)\])?: ', ['time', 'host', 'program', 'pid']) AS frame,
            regexp_extract(line, ': Accepted (\S+) for (\S+) from (\S+) port (\d+)(?: ssh2)?(?:: (\S+) (\S+))?',
                ['method', 'user', 'ip', 'port', 'type', 'key']) AS accepted,
            regexp_extract(line, ': (?:Invalid user|Failed \S+ for(?: invalid user)?) (\S+) from (\S+) port (\d+)', ['user', 'ip', 'port']) AS refused,
            regexp_extract(line, 'session (opened|closed) for user ([^ (]+)(?:\(uid=(\d+)\))?', ['what', 'user', 'uid']) AS pam,
            regexp_extract(line, 'Disconnected from user (\S+) (\S+) port (\d+)', ['user', 'ip', 'port']) AS disconnected,
            regexp_extract(line, '(New session|Removed session) (\w+)(?: of user (\S+))?\.', ['what', 'number', 'user']) AS logind,
            regexp_extract(line, 'sudo(?:\[\d+\])?: +(\S+) : TTY=(\S+) ; PWD=(.*?) ; USER=(\S+) ; COMMAND=(.*)', ['user', 'tty', 'cwd', 'target', 'command']) AS sudo
        FROM {_LINES}
    ) TO '{{out}}' (FORMAT parquet, COMPRESSION zstd)
"""
AUDITD = rf"""
    COPY (
        SELECT regexp_extract(line, '^type=(\S+) msg=audit\((\d+\.\d+):(\d+)\)', ['type', 'time', 'serial']) AS frame,
            regexp_extract(line, ' arch=(\w+) syscall=(\d+) success=(\w+) .* a0=(\w+) a1=(\w+) a2=(\w+)', ['arch', 'syscall', 'success', 'a0', 'a1', 'a2']) AS call,
            regexp_extract(line, ' ppid=(\d+) pid=(\d+) auid=(\d+) uid=(\d+)', ['ppid', 'pid', 'auid', 'uid']) AS process,
            regexp_extract(line, ' tty=(\S+) ses=(\d+) comm=(\S+) exe=(\S+)(?: subj=\S+)? key=([^\s\x1d]+)', ['tty', 'ses', 'comm', 'exe', 'key']) AS program,
            regexp_extract(line, 'SYSCALL=(\S+) AUID="([^"]*)" UID="([^"]*)"', ['syscall', 'auid', 'uid']) AS names,
            regexp_extract(line, ' argc=\d+ (.*)', 1) AS argv,
            regexp_extract(line, ' cwd=("[^"]*"|\S+)', 1) AS cwd,
            regexp_extract(line, ' item=(\d+) name=("[^"]*"|\S+) .*nametype=(\w+)', ['item', 'name', 'kind']) AS path,
            regexp_extract(line, ' pid=(\d+) uid=(\d+) auid=(\d+) ses=(\d+) msg=''', ['pid', 'uid', 'auid', 'ses']) AS account,
            regexp_extract(line, ' acct="([^"]*)" exe="([^"]*)" hostname=(\S+) addr=(\S+) terminal=(\S+) res=(\w+)',
                ['acct', 'exe', 'hostname', 'addr', 'terminal', 'res']) AS login,
            regexp_extract(line, ' cmd=(\S+)', 1) AS command,
            regexp_extract(line, 'UID="([^"]*)" AUID="([^"]*)"', ['uid', 'auid']) AS enriched
        FROM {_LINES}
    ) TO '{{out}}' (FORMAT parquet, COMPRESSION zstd)
"""
SLURM = """
    COPY (SELECT * FROM read_csv($path, delim = '|', header = true, quote = '', escape = '', all_varchar = true))
    TO '{out}' (FORMAT parquet, COMPRESSION zstd)
"""
METRICS = "COPY (SELECT * FROM read_csv($path, header = true)) TO '{out}' (FORMAT parquet, COMPRESSION zstd)"


def main() -> None:
    """Make the logs, measure both ways in turns, print medians."""
    size = (int(sys.argv[1]) if len(sys.argv) > 1 else 200) << 20
    wanted = sys.argv[2:]
    logs = (
        ("auditd", "auditd", _auditd, AUDITD, {}, LIMIT),
        ("sshd, ISO times", "syslog", _syslog_iso, SYSLOG, {}, LIMIT),
        ("sshd, no year", "syslog", _syslog, SYSLOG, {"year": 2024, "timezone": "Asia/Shanghai"}, LIMIT),
        ("slurm", "slurm", _slurm, SLURM, {"timezone": "Asia/Shanghai"}, None),
        ("metrics", "metrics", _metrics, METRICS, {}, None),
    )
    # DuckDB has a process of its own: a worker would inherit the peak of this one. It is not waited for before the last measurement.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as duck:
        for name, kind, make, query, keys, limit in logs:
            if not wanted or kind in wanted:
                source = SourceConfig("bench", kind, "log", host="login-1", **keys)
                with tempfile.TemporaryDirectory() as folder:
                    print(json.dumps(_measure(name, source, make, query, Path(folder), size, duck) | {"limit": limit}))


def _measure(
    name: str,
    source: SourceConfig,
    make: Callable[[random.Random], Iterator[str]],
    query: str,
    folder: Path,
    size: int,
    duck: ProcessPoolExecutor,
) -> dict[str, object]:
    log = folder / "log"
    lines = _write(log, make, size)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(_timed(source, log, folder / "parts"))
        theirs.append(duck.submit(_duckdb, query, log, folder / "out.parquet").result())
    (us, our_work), (them, their_work) = (tuple(map(statistics.median, zip(*times, strict=True))) for times in (ours, theirs))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    print(
        f"{name}: {log.stat().st_size >> 20} MB, {lines} lines; forensics {us:.2f} s, DuckDB {them:.2f} s; ratio {us / them:.2f}, "
        f"of processor time {our_work / their_work:.2f}; largest worker {peak} MB"
    )
    return {
        "kind": name, "bytes": log.stat().st_size, "lines": lines, "forensics_s": [round(t, 2) for t, _ in ours],
        "duckdb_s": [round(t, 2) for t, _ in theirs], "ratio": round(us / them, 2), "processor_ratio": round(our_work / their_work, 2),
        "worker_peak_mb": peak, "worker_limit_mb": MOST_MEMORY,
    }  # fmt: skip


def _timed(source: SourceConfig, log: Path, folder: Path) -> tuple[float, float]:
    """Return seconds on the clock, and of the processor in this process and its workers."""
    begin, worked = time.perf_counter(), _processor()
    _forensics(source, log, folder)
    return time.perf_counter() - begin, _processor() - worked


def _processor() -> float:
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def _forensics(source: SourceConfig, log: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    size = log.stat().st_size
    accounts = read_all(plan([Evidence(source, (EvidenceFile("", str(log), size),))], folder), WORKERS)
    assert sum(a.parsed + a.skipped + a.rejected for a in accounts) == size
    assert not sum(a.rejected for a in accounts), f"some lines of {load(source.kind).name} were rejected"


def _duckdb(query: str, log: Path, out: Path) -> tuple[float, float]:
    begin, worked = time.perf_counter(), time.process_time()
    connection = duckdb.connect(config={"threads": WORKERS})
    connection.execute("SET enable_progress_bar = false")
    connection.execute(query.replace("{out}", str(out)), {"path": str(log)})
    connection.close()
    return time.perf_counter() - begin, time.process_time() - worked


# --- made-up logs -----------------------------------------------------------------------------------------------------


def _write(log: Path, make: Callable[[random.Random], Iterator[str]], size: int) -> int:
    written = lines = 0
    with log.open("w") as stream:
        for text in make(random.Random(7)):
            stream.write(text)
            written += len(text)
            lines += text.count("\n")
            if written >= size:
                return lines
    return lines


def _users() -> list[str]:
    return [f"user{n:03d}" for n in range(200)]


def _auditd(chance: random.Random) -> Iterator[str]:
    """Yield logins and, mostly, executions and writes: six lines an event."""
    users, clock, serial = _users(), 1_718_000_000_000, 1000
    while True:
        clock, serial = clock + chance.randrange(3000), serial + chance.randrange(1, 4)
        stamp = f"msg=audit({clock // 1000}.{clock % 1000:03d}:{serial}):"
        number = chance.randrange(200)
        yield (_login if chance.random() < 0.2 else _execution)(chance, stamp, 20000 + number, users[number], chance.randrange(100, 9000))


def _login(chance: random.Random, stamp: str, uid: int, user: str, session: int) -> str:
    kind, op = chance.choice(
        (
            ("USER_ACCT", "PAM:accounting"),
            ("CRED_ACQ", "PAM:setcred"),
            ("USER_START", "PAM:session_open"),
            ("USER_END", "PAM:session_close"),
        )
    )
    address = f"10.20.{chance.randrange(8)}.{chance.randrange(250)}"
    return (
        f'type={kind} {stamp} pid={chance.randrange(9999)} uid=0 auid={uid} ses={session} msg=\'op={op} grantors=pam_unix acct="{user}" '
        f'exe="/usr/sbin/sshd" hostname={address} addr={address} terminal=ssh res=success\'\x1dUID="root" AUID="{user}"\n'
    )


def _execution(chance: random.Random, stamp: str, uid: int, user: str, session: int) -> str:
    write, pid = chance.random() < 0.3, chance.randrange(1000, 400_000)
    call, name = (257, "openat") if write else (59, "execve")
    a0, a2 = ("ffffff9c", "241") if write else (f"{chance.getrandbits(44):x}", f"{chance.getrandbits(44):x}")
    head = (
        f"type=SYSCALL {stamp} arch=c000003e syscall={call} success=yes exit=0 a0={a0} a1={chance.getrandbits(44):x} a2={a2} a3=1b6 items=2 "
        f"ppid={pid - 7} pid={pid} auid={uid} uid={uid} gid={uid} euid={uid} suid={uid} fsuid={uid} egid={uid} sgid={uid} fsgid={uid} tty=pts3 "
        f'ses={session} comm="python3" exe="/usr/bin/python3.11" subj=unconfined key="cmd"\x1dARCH=x86_64 SYSCALL={name} AUID="{user}" UID="{user}" '
        f'GID="{user}" EUID="{user}" SUID="{user}" FSUID="{user}" EGID="{user}" SGID="{user}" FSGID="{user}"\n'
    )
    run = f"run-{chance.randrange(10_000)}"
    tail = 'inode=60221 dev=08:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype={} cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0\x1dOUID="root" OGID="root"\n'
    parts = [head] if write else [head, f'type=EXECVE {stamp} argc=4 a0="python3" a1="-m" a2="train.loop" a3="--run={run}"\n']
    parts.append(f'type=CWD {stamp} cwd="/share/{user}/train"\n')
    parts.append(f'type=PATH {stamp} item=0 name="/share/{user}/train/" ' + tail.format("PARENT" if write else "NORMAL"))
    parts.append(f'type=PATH {stamp} item=1 name="/share/{user}/train/out/{run}.pt" ' + tail.format("CREATE" if write else "NORMAL"))
    parts.append(f"type=PROCTITLE {stamp} proctitle={f'python3 -m train.loop --run={run}'.encode().hex().upper()}\n")
    return "".join(parts)


def _syslog_iso(chance: random.Random) -> Iterator[str]:
    return _sshd(chance, lambda seconds: f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{chance.randrange(10**6):06d}+08:00")


def _syslog(chance: random.Random) -> Iterator[str]:
    return _sshd(chance, lambda seconds: time.strftime("%b %e %H:%M:%S", time.gmtime(seconds)))


def _sshd(chance: random.Random, stamp: Callable[[int], str]) -> Iterator[str]:
    """Yield logins of a busy login node: eight lines each, some refused."""
    users, clock, number = _users(), 1_704_100_000, 100
    while True:
        clock, number = clock + chance.randrange(8), number + 1
        user, pid, port = chance.choice(users), chance.randrange(400, 4_000_000), chance.randrange(1024, 65535)
        address, when = f"10.{chance.randrange(100)}.{chance.randrange(250)}.{chance.randrange(250)}", stamp(clock)
        head = f"{when} login-1 sshd[{pid}]: "
        if chance.random() < 0.1:
            yield f"{head}Invalid user {user} from {address} port {port}\n{head}Failed password for invalid user {user} from {address} port {port} ssh2\n"
            continue
        key = "".join(chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", k=43))
        yield (
            f"{head}Accepted publickey for {user} from {address} port {port} ssh2: ED25519 SHA256:{key}\n"
            f"{head}pam_unix(sshd:session): session opened for user {user}(uid={20000 + number % 200}) by (uid=0)\n"
            f"{when} login-1 systemd-logind[712]: New session {number} of user {user}.\n"
            f"{head}Received disconnect from {address} port {port}:11: disconnected by user\n"
            f"{head}Disconnected from user {user} {address} port {port}\n"
            f"{head}pam_unix(sshd:session): session closed for user {user}\n"
            f"{when} login-1 systemd-logind[712]: Removed session {number}.\n"
        )
        if chance.random() < 0.2:
            yield f"{when} login-1 sudo:   {user} : TTY=pts/12 ; PWD=/home/{user} ; USER=mlops ; COMMAND=/opt/tools/push_release.sh --latest\n"


def _slurm(chance: random.Random) -> Iterator[str]:
    yield "JobID|JobName|User|UID|Account|Partition|Submit|Start|End|State|ExitCode|NodeList|AllocTRES|WorkDir|SubmitLine|Comment\n"
    clock, number = 1_704_100_000, 1000
    users = _users()
    while True:
        clock, number, user = clock + chance.randrange(60), number + 1, chance.randrange(200)
        times = [time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(clock + add)) for add in (0, 60, chance.randrange(100, 90_000))]
        nodes = f"gp[{chance.randrange(1, 50):03d}-{chance.randrange(50, 64):03d},{chance.randrange(64, 90):03d}]"
        yield (
            f"{number}|run-{number}|{users[user]}|{20000 + user}|vision|gpu|{'|'.join(times)}|COMPLETED|0:0|{nodes}|billing=64,cpu=64,gres/gpu=8,mem=512G,node=1|"
            f"/share/{users[user]}/train|sbatch -J run-{number} -N 1 --gpus=8 scripts/run.sh --config configs/base.yaml|\n"
        )


def _metrics(chance: random.Random) -> Iterator[str]:
    yield "run,step,time,name,value\n"
    clock, step = 1_704_100_000, 0
    while True:
        clock, step = clock + 1, step + 10
        when, run = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(clock)), f"rank-exp-{step // 100_000}"
        yield f"{run},{step},{when},loss,{chance.uniform(1, 8):.4f}\n{run},{step},{when},tokens_per_s,{chance.uniform(1e4, 9e4):.1f}\n"


if __name__ == "__main__":
    main()
