"""How long a repository's history takes to become Parquet, against git's own walk over it with nothing read.

    python tests/benchmarks/bench_git.py [--commits 50000] [--rounds 3]

One side is `git log --all --raw --numstat -z > /dev/null`. The other is everything that the source "git" does: the safe copy, its
inventory, then commits and changed paths (raw and line counts, merges too, unreachable commits too) into Parquet by two processes.
Both run in turn on the same repository, which a script makes anew: some hundred files, edits by 37 people, a tenth of it merged branches,
50 commits of a branch that was then deleted. Limit: 0.85 of git's own time.

For comparison, on the same kind of repository: a plain parser of one process takes 1.1 times git's own time. PyDriller and GitPython's
`Commit.stats` start a diff of their own for each commit and build an object for each file: 20 to 100 times git's own time.
"""

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from forensics.case import reading
from forensics.evidence import collect
from forensics.model import CaseConfig, SourceConfig
from forensics.sources.git import SOURCE

LIMIT = 0.85
ENV = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "LC_ALL": "C"}


class Maker:
    """Writes a history for `git fast-import`."""

    def __init__(self, out, commits):
        self.out, self.commits = out, commits
        self.random = random.Random(7)
        letters = b"abcdefghijklmnopqrstuvwxyz_"
        self.words = [bytes(self.random.choices(letters, k=self.random.randint(3, 9))) for _ in range(800)]
        self.time, self.mark = 1_600_000_000, 0

    def line(self):
        return b"    " * self.random.randint(0, 3) + b" ".join(self.random.choices(self.words, k=self.random.randint(2, 8)))

    def edit(self, lines):
        lines = list(lines)
        for _ in range(self.random.randint(1, 3)):
            at, gone = self.random.randrange(len(lines)), self.random.randint(0, 6)
            lines[at : at + gone] = [self.line() for _ in range(self.random.randint(1, 8) if len(lines) < 500 else 0)]
        return lines or [self.line()]

    def commit(self, ref, files, parent=0, merged=0):
        self.mark += 1
        self.time += self.random.randint(60, 900)
        who = b"Dev %d <dev%d@lab.example> %d +0800" % (self.mark % 37, self.mark % 37, self.time)
        message = b"change %d: %s\n\n%s\n" % (
            self.mark,
            b" ".join(self.random.choices(self.words, k=6)),
            b" ".join(self.random.choices(self.words, k=20)),
        )
        self.out.write(b"commit %s\nmark :%d\nauthor %s\ncommitter %s\ndata %d\n%s" % (ref, self.mark, who, who, len(message), message))
        self.out.write(b"from :%d\n" % parent if parent else b"")
        self.out.write(b"merge :%d\n" % merged if merged else b"")
        for path, lines in files.items():
            data = b"\n".join(lines) + b"\n"
            self.out.write(b"M 100644 inline %s\ndata %d\n%s\n" % (path, len(data), data))
        return self.mark

    def run(self):
        folders = [f"{a}/{b}" for a in ("train", "data", "serve", "tools") for b in ("core", "ops", "tests")]
        paths = [f"{folder}/module_{i}.py".encode() for folder in folders for i in range(35)]
        files = {path: [self.line() for _ in range(self.random.randint(40, 400))] for path in paths}
        head = self.commit(b"refs/heads/main", files)
        while self.mark < self.commits:
            if self.random.random() < 0.12:
                head = self.branch(files, paths, head)
                continue
            some = {p: self.edit(files[p]) for p in self.random.choices(paths, k=self.random.choice([1, 1, 1, 2, 2, 3, 5]))}
            files |= some
            head = self.commit(b"refs/heads/main", some, head)
        for _ in range(50):
            head = self.commit(b"refs/heads/gone", {path: self.edit(files[path]) for path in self.random.choices(paths, k=2)}, head)

    def branch(self, files, paths, head):
        """Some commits beside main, while main goes on, and their merge."""
        side, tip = {}, head
        for _ in range(self.random.randint(1, 4)):
            some = {p: self.edit(side.get(p, files[p])) for p in self.random.choices(paths, k=self.random.randint(1, 3))}
            side |= some
            tip = self.commit(b"refs/heads/topic", some, tip)
        meanwhile = {p: self.edit(files[p]) for p in self.random.choices(paths, k=1) if p not in side}
        if meanwhile:
            files |= meanwhile
            head = self.commit(b"refs/heads/main", meanwhile, head)
        files |= side
        return self.commit(b"refs/heads/main", side, head, tip)


def make(folder, commits):
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True, env=ENV)
    with subprocess.Popen(["git", "-C", str(folder), "fast-import", "--quiet", "--depth=50"], stdin=subprocess.PIPE, env=ENV) as importer:
        Maker(importer.stdin, commits).run()
        importer.stdin.close()
    subprocess.run(["git", "-C", str(folder), "update-ref", "-d", "refs/heads/gone"], check=True, env=ENV)
    subprocess.run(["git", "-C", str(folder), "repack", "-q", "-a", "-d", "-f", "--keep-unreachable"], check=True, env=ENV)


def timed(work):
    """Return (seconds on the wall, processor seconds of this process and those it waited for)."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    start = time.perf_counter()
    work()
    wall = time.perf_counter() - start
    now = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return wall, sum(n.ru_utime + n.ru_stime - u.ru_utime - u.ru_stime for n, u in zip(now, used, strict=True))


def gits_own(folder):
    with Path(os.devnull).open("wb") as nowhere:
        subprocess.run(["git", "-C", str(folder), "log", "--all", "--raw", "--numstat", "-z"], stdout=nowhere, check=True, env=ENV)


def ours(folder, workers):
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        source = SourceConfig("server", "git", folder.name, repo="train", role="server")
        case = CaseConfig(str(folder.parent), "bench", "bench", "UTC", (0, 0), (source,))
        evidence = SOURCE.prepare(collect(case, source, work))
        reading.read_all(reading.plan([evidence], Path(work)), workers)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--commits", type=int, default=50_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--workers", type=int, default=2)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder) / "bench.git"
        make(repository, chosen.commits)
        gits_own(repository)  # the first walk warms the file cache for both
        rounds = [(timed(lambda: gits_own(repository)), timed(lambda: ours(repository, chosen.workers))) for _ in range(chosen.rounds)]
    own, our = (statistics.median(r[side][0] for r in rounds) for side in (0, 1))
    cpu_own, cpu_our = (statistics.median(r[side][1] for r in rounds) for side in (0, 1))
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"git log --all --raw --numstat: {own:.2f} s ({cpu_own:.1f} s of processor); into Parquet: {our:.2f} s ({cpu_our:.1f} s)")
    print(f"ratio {our / own:.2f}, limit {LIMIT}; the largest process took {memory} MB")
    result = {
        "bench": "git", "commits": chosen.commits, "git_seconds": round(own, 3), "our_seconds": round(our, 3), "ratio": round(our / own, 3),
        "git_cpu": round(cpu_own, 2), "our_cpu": round(cpu_our, 2), "limit": LIMIT, "peak_mb": memory, "rounds": [[round(a[0], 2), round(b[0], 2)] for a, b in rounds],
    }  # fmt: skip
    print(json.dumps(result))
    return 0 if our / own <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
