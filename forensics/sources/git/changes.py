"""Has git compare commits with their first parents, and reads its answer.

Measured on 50,000 commits: `git log` over ranges of commits in the order of their dates is fastest. Nine tenths of the time go into
the line counts, and of that most into unpacking files; merges cost little when they are compared with one parent only.
"""

import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from forensics.sources.git.command import BLOCK, Running

ALONE = 200
"""commits of a range that may fail before no line counts are asked for; as many again, before the rest is left"""

_NO_MODE = "000000"

_ASKED = (
    "log", "--no-walk=unsorted", "--stdin", "--format=%H", "--diff-merges=first-parent", "--root", "-z", "--no-abbrev", "--find-renames",
    "--no-ext-diff", "--no-textconv", "--no-color", "--no-mailmap", "--no-notes", "--no-show-signature", "--ignore-submodules=none", "--raw",
)  # fmt: skip


class Change(NamedTuple):
    """A path that a commit changed, as in `schema.CHANGES`."""

    commit: str
    old_mode: str | None
    new_mode: str | None
    old: str | None
    new: str | None
    status: str
    path: str
    old_path: str | None
    added: int | None
    removed: int | None


def changes_with_merges(copy: Path, singles: list[str], merges: list[str], unreadable: dict[str, str]) -> Iterator[list[Change]]:
    """Yield the changes of each commit; first those with one parent, then merges.

    What a merge brings in was mostly counted in the commits that it merges: the same two versions of a file are not counted twice.
    """
    counted: dict[tuple[str | None, str | None], Change] = {}
    for changes in changes_of(copy, singles, unreadable):
        counted |= {(c.old, c.new): c for c in changes} if merges else {}
        yield changes
    left: list[str] = []
    for changes in changes_of(copy, merges, unreadable, counts=False):
        if all((c.old, c.new) in counted for c in changes):
            yield [_counted_as(c, counted[c.old, c.new]) for c in changes]
        else:
            left.append(changes[0].commit)
    yield from changes_of(copy, left, unreadable)


def _counted_as(change: Change, known: Change) -> Change:
    return change._replace(added=known.added, removed=known.removed)


def changes_of(copy: Path, ids: list[str], unreadable: dict[str, str], *, counts: bool = True) -> Iterator[list[Change]]:
    """Yield the changes of each commit, in order; with line counts, else without, else none but a reason in `unreadable`."""
    place = failures = 0
    while place < len(ids) and failures < 2 * ALONE:
        for changes in _ask(copy, ids[place:], counts=counts and failures < ALONE):
            place += 1
            yield changes
        if place < len(ids):  # git ended at this commit: it is asked about alone, and git is started anew behind it
            yield _alone(copy, ids[place], unreadable, counts=counts)
            place, failures = place + 1, failures + 1
    unreadable |= dict.fromkeys(ids[place:], "so many commits before this one could not be compared that it was not tried")


def _alone(copy: Path, name: str, unreadable: dict[str, str], *, counts: bool) -> list[Change]:
    for how in (counts, False):
        found = next(_ask(copy, [name], counts=how), None)
        if found is not None:
            return found
    unreadable[name] = "git can't compare it with its first parent: an object is missing or damaged"
    return []


def _ask(copy: Path, ids: list[str], *, counts: bool) -> Iterator[list[Change]]:
    """Yield the changes of as many of these commits as git gets through."""
    with tempfile.TemporaryFile(dir=copy) as feed:
        feed.write("".join(f"{name}\n" for name in ids).encode())
        feed.seek(0)
        with Running(copy, *_ASKED, *(["--numstat"] if counts else []), "--end-of-options", feed=feed) as command:
            yield from _parse(chain.from_iterable(_tokens(command)), command)


def _tokens(command: Running) -> Iterator[list[str]]:
    r"""Yield git's answer cut at NULs; bytes of a path that are not UTF-8 stand as `\xNN`."""
    rest = b""
    while data := command.stdout.read1(BLOCK):  # type: ignore[attr-defined]
        whole, cut, rest = (rest + data).rpartition(b"\0")
        if cut:
            yield whole.decode("utf-8", "backslashreplace").split("\0")
    yield [rest.decode("utf-8", "backslashreplace")] if rest else []


def _parse(tokens: Iterator[str], command: Running) -> Iterator[list[Change]]:
    """Read `id NUL [LF]:raw NUL path NUL ... counts TAB path NUL ...`; a commit is complete when the next begins, or git ended well."""
    commit = ""
    raw: list[tuple[str, str, str]] = []
    counts: list[tuple[str, str, str]] = []
    for token in tokens:
        if token[0] in ":\n":
            meta = token.lstrip("\n")
            path = next(tokens, "")
            renamed = meta[meta.rfind(" ") + 1] in "RC"
            raw.append((meta, next(tokens, ""), path) if renamed else (meta, path, ""))
        elif "\t" in token:
            added, removed, path = token.split("\t", 2)
            if not path:
                next(tokens, "")
                path = next(tokens, "")
            counts.append((added, removed, path))
        else:
            if commit:
                yield _rows(commit, raw, counts)
            commit, raw, counts = token, [], []
    if commit and command.finish():
        yield _rows(commit, raw, counts)


def _rows(commit: str, raw: list[tuple[str, str, str]], counts: list[tuple[str, str, str]]) -> list[Change]:
    rows = []
    place, known = 0, len(counts)
    for meta, path, old_path in raw:
        old_mode, new_mode, old, new, status = meta[1:].split(" ")
        added: int | None = None
        removed: int | None = None
        if place < known and counts[place][2] == path:
            a, r, _ = counts[place]
            added, removed = (int(a), int(r)) if a != "-" else (None, None)
            place += 1
        modes = (None if old_mode == _NO_MODE else old_mode, None if new_mode == _NO_MODE else new_mode)
        blobs = (old if old.strip("0") else None, new if new.strip("0") else None)
        rows.append(Change(commit, *modes, *blobs, status, path, old_path or None, added, removed))
    return rows
