"""Repositories: settings and hooks that would run programs, and the texts of a bare one, read out of a safe copy. git never runs in the repository itself."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from forensics import containers
from forensics.errors import ForensicsError
from forensics.model import Evidence, EvidenceFile, SourceConfig
from forensics.scan.finding import Finding, Scan, Unread, Weight
from forensics.scan.models import look_at_model
from forensics.scan.source import Matchers, look_at_source
from forensics.sources.git import command
from forensics.sources.git.blobs import COUNT, LARGEST, read_blobs
from forensics.sources.git.intake import copy_of, prepare
from forensics.sources.git.settings import dangers

_LARGEST_SETTING = 4 << 20
_SETTINGS = ("config", "config.worktree", "info/attributes", "info/grafts", "objects/info/alternates", "objects/info/http-alternates")
_HONEST = ("a hook that a team shares, such as a formatter's", "large files (git-lfs)", "a credential store")
_RUNS = "git would have run"
_AT_ONCE = 500
"""files whose contents are held at a time"""
_DEEPEST = 5
"""refs that name refs"""


def is_git_folder(path: Path) -> bool:
    """Tell whether a folder is what git keeps its objects in: `.git`, or a bare repository."""
    return (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()


def look_at_repository(path: Path, name: str, matcher: Matchers, found: Scan) -> None:
    """Book what a repository's settings would run; of a bare one, look at the files that its HEAD has. A work tree's lie beside it."""
    for part in (*_SETTINGS, *_hooks(path)):
        found.findings.extend(_setting(path / part, part, f"{name}/{part}"))
    if path.name == ".git":
        return
    try:
        _look_at_head(path, name, matcher, found)
    except (ForensicsError, OSError) as error:
        found.unread.append(Unread(name, 0, str(error).split("\n", 1)[0]))


def _hooks(path: Path) -> list[str]:
    folder = path / "hooks"
    names = sorted(p.name for p in folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else []
    return [f"hooks/{name}" for name in names if not name.endswith(".sample")]


def _setting(file: Path, part: str, name: str) -> Iterator[Finding]:
    if file.is_symlink() or not file.is_file():
        return
    with file.open("rb") as stream:
        data = stream.read(_LARGEST_SETTING)
    for one in dangers(part, data):
        weight = Weight.LOOK if one.why.startswith(_RUNS) else Weight.NOTE
        yield Finding(name, (one.start, one.end), "byte", "git-setting", one.what.split("\n", 1)[0], one.why, _HONEST, weight)


def _look_at_head(path: Path, name: str, matcher: Matchers, found: Scan) -> None:
    commit = _head(path)
    if not commit:
        found.unread.append(Unread(f"{name}/HEAD", 0, "leads to no commit"))
        return
    files = tuple(
        EvidenceFile(p.relative_to(path).as_posix(), str(p), p.stat().st_size)
        for p in sorted(path.rglob("*"))
        if p.is_file() and not p.is_symlink()
    )
    with tempfile.TemporaryDirectory() as work:
        prepare(Evidence(SourceConfig("scanned", "git", str(path), repo="scanned"), files, work))
        copy = copy_of(work, "scanned")
        entries = _entries(copy, commit)
        for at in range(0, len(entries), _AT_ONCE):
            _look_at_some(copy, name, entries[at : at + _AT_ONCE], matcher, found)


def _look_at_some(copy: Path, name: str, entries: list[tuple[str, str]], matcher: Matchers, found: Scan) -> None:
    assert len(entries) <= COUNT
    contents = read_blobs([copy], [blob for _, blob in entries])
    for path, blob in entries:
        file = f"{name}:{path}"
        if blob not in contents:
            found.unread.append(Unread(file, 0, f"is not there, or has more than {LARGEST} bytes"))
            continue
        view = containers.memory(contents[blob])
        found.files += 1
        found.bytes += view.size
        if not matcher or not look_at_source(file, view, matcher, found):
            look_at_model(file, view, found)


def _entries(copy: Path, commit: str) -> list[tuple[str, str]]:
    """Return (path, id) of a commit's files; other repositories within it are left out."""
    content, answer, complaint = command.run(copy, "ls-tree", "-r", "-z", "--full-tree", commit)
    if not content:
        raise ForensicsError(f"its files can't be listed: {complaint}")
    found = []
    for line in answer.split(b"\0"):
        facts, _, path = line.partition(b"\t")
        words = facts.decode("ascii", "replace").split()
        if len(words) == len(("mode", "type", "id")) and words[1] == "blob":
            found.append((path.decode("utf-8", "backslashreplace"), words[2]))
    return found


def _head(path: Path) -> str:
    """Return the commit that HEAD leads to, read as plain text; empty where it leads to none."""
    name = "HEAD"
    for _ in range(_DEEPEST):
        text = _ref(path, name)
        if not text.startswith("ref: "):
            return text if len(text) in (40, 64) and set(text) <= set("0123456789abcdef") else ""
        name = text.removeprefix("ref: ").strip()
        if not name.startswith("refs/") or ".." in name.split("/"):
            return ""
    return ""


def _ref(path: Path, name: str) -> str:
    file = path / name
    if file.is_file() and not file.is_symlink():
        with file.open("rb") as stream:
            return stream.read(1000).decode("utf-8", "replace").strip()
    packed = path / "packed-refs"
    if not packed.is_file() or packed.is_symlink():
        return ""
    with packed.open("rb") as stream:
        lines = stream.read(_LARGEST_SETTING).decode("utf-8", "replace").split("\n")
    return next((line.split(" ")[0] for line in lines if line.endswith(f" {name}")), "")
