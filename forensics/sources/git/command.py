"""Runs git over our own copy, and nothing else: no configuration, hook, filter, pager, network or variable of anybody's."""

import os
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO, Self

from git.cmd import Git
from git.exc import GitCommandNotFound

from forensics.errors import EvidenceError

BLOCK = 1 << 20

_ENVIRONMENT = (
    "LC_ALL=C",
    "HOME=/nonexistent",
    "XDG_CONFIG_HOME=/nonexistent",
    "GIT_CONFIG_NOSYSTEM=1",
    "GIT_CONFIG_GLOBAL=/dev/null",
    "GIT_ATTR_NOSYSTEM=1",
    "GIT_NO_REPLACE_OBJECTS=1",
    "GIT_NO_LAZY_FETCH=1",
    "GIT_OPTIONAL_LOCKS=0",
    "GIT_TERMINAL_PROMPT=0",
    "GIT_ASKPASS=/bin/false",
    "GIT_SSH_COMMAND=/bin/false",
    "GIT_ALLOW_PROTOCOL=",
    "GIT_FLUSH=0",
)
"""https://git-scm.com/docs/git#_environment_variables"""

_SETTINGS = (
    "core.pager=cat",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.bigFileThreshold=128m",  # larger files count as binary: their line counts would need them whole in memory, twice
    "core.deltaBaseCacheLimit=160m",
    "core.packedGitWindowSize=64m",
    "core.packedGitLimit=256m",
    "core.commitGraph=false",
    "core.multiPackIndex=false",
    "protocol.allow=never",
    "diff.context=0",  # the counts are the same, and a tenth of the time is saved: git would format the lines around each change
    "diff.renameLimit=1000",
    "log.showSignature=false",
    "gc.auto=0",
    "maintenance.auto=false",
)
"""https://git-scm.com/docs/git-config"""


class Running:
    """A git command over the copy, as a stream of bytes; complaints are kept, so that a full pipe never stops it."""

    def __init__(self, copy: Path, *arguments: str, feed: BinaryIO | None = None) -> None:
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        path = "PATH=" + os.environ.get("PATH", os.defpath)
        # `env -i`, because GitPython hands down every variable of the caller, and some of git's can't be unset by a value
        command = [
            "env",
            "-i",
            path,
            *_ENVIRONMENT,
            "git",
            "--no-pager",
            "--no-replace-objects",
            f"--git-dir={copy.absolute()}",
            *settings,
            *arguments,
        ]
        try:
            running = Git(str(copy)).execute(command, istream=feed, as_process=True, shell=False)
        except GitCommandNotFound as error:
            raise EvidenceError("git could not be started", hint="install git 2.39 or later") from error
        assert running.proc is not None
        self._process = running.proc
        self._running = running  # kept, since dropping it ends the process
        assert self._process.stdout is not None
        self.stdout: IO[bytes] = self._process.stdout
        self._complaints: deque[str] = deque(maxlen=20)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self.status = 0

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in iter(lambda: self._process.stderr.readline(4096), b""):  # type: ignore[union-attr]
            self._complaints.append(line.decode(errors="backslashreplace").strip())

    @property
    def complaint(self) -> str:
        """What git said last, when it failed."""
        return self._complaints[-1] if self._complaints else f"git ended with status {self.status}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            self._process.kill()
        self.stdout.close()
        self.status = self._process.wait()
        self._listener.join()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def finish(self) -> bool:
        """Wait for the end; true where git was content. To be asked when everything was read."""
        self.status = self._process.wait()
        self._listener.join()
        return self.status == 0


def blocks(stream: IO[bytes], size: int = BLOCK) -> Iterator[bytes]:
    """Yield a stream by blocks."""
    while data := stream.read(size):
        yield data


def run(copy: Path, *arguments: str, feed: BinaryIO | None = None) -> tuple[bool, bytes, str]:
    """Run a command whose answer is short; (content, answer, last complaint)."""
    with Running(copy, *arguments, feed=feed) as command:
        answer = command.stdout.read()
        content = command.finish()
    return content, answer, command.complaint


def objects(copy: Path, ids: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield (id, type, content) of the objects that a file names, a line each; type and content are empty where one is damaged.

    git ends at a damaged object, so it is started anew behind that one.
    """
    with ids.open("rb") as wanted:
        names = wanted.read().split()
    done = 0
    while done < len(names):
        with ids.open("rb", buffering=0) as feed:
            feed.seek(done * (len(names[0]) + 1))
            with Running(copy, "cat-file", "--batch", "--buffer", feed=feed) as command:
                for answer in _batch(command.stdout):
                    done += 1
                    yield answer
                command.finish()
        if done < len(names):
            yield names[done].decode(), "", b""
            done += 1


def _batch(stream: IO[bytes]) -> Iterator[tuple[str, str, bytes]]:
    while head := stream.readline():
        words = head.decode("ascii", "replace").split()
        if len(words) != len(("id", "type", "size")) or not words[2].isdigit():
            yield words[0] if words else "", "", b""
            continue
        content = stream.read(int(words[2]) + 1)
        if len(content) != int(words[2]) + 1:
            return
        yield words[0], words[1], content[:-1]
