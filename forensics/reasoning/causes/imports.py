"""Which files of a repository the harmed runs can have imported, from their entry point on: read as text out of the commits that they ran, never executed.

It errs towards too much: a name counts as imported wherever in the repository a file of that name lies, also in a text or a comment. Where that is not
enough (code that imports by computed names, an entry point that is not found, a repository too large), nothing is told.
"""

import posixpath
import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from forensics.reasoning.causes.commits import Jobs
from forensics.reasoning.causes.runs import Runs
from forensics.reasoning.world import Blobs, World

_STARTS = 6
"""different commands of harmed runs that are followed; with more, nothing is told"""
_FOLDERS, _PATHS, _FILES, _BYTES = 2000, 40_000, 600, 8 << 20
"""folders and paths of one commit, files that are read, and their bytes: with more, nothing is told"""
_LONGEST = 20_000
"""characters of a command or a launch script that are read"""
_IMPORT = re.compile(rb"^[ \t]{0,200}import[ \t]([^\n#;]+)", re.MULTILINE)
_FROM = re.compile(
    rb"^[ \t]{0,200}from[ \t]{1,20}(\.{0,20}[ \t]{0,5}[\w.]{0,300})[ \t]{1,20}import[ \t]{0,20}(\([^)]{0,2500}\)|[^\n#;]+)", re.MULTILINE
)
_NAMED = re.compile(rb"(?<![\w./-])[\w./-]{1,200}\.(?:py|sh)\b")
_MODULE = re.compile(rb"-m[\s\"',]+([A-Za-z_][\w.]{0,200})")
_COMPUTED = re.compile(
    rb"import_module|__import__|runpy|spec_from_file|load_module|entry_points|pkgutil|hydra|jsonargparse|\bgin\b|_target_|(?<![\w.])(?:exec|eval)\s*\("
)
"""ways by which code imports what no import says"""
_LAUNCHER = re.compile(r"python[\d.]*|torchrun|deepspeed|accelerate|[\w.-]{1,200}\.sh")
_VARIABLE = re.compile(rb"(?:python[\d.]*|torchrun|deepspeed)(?:[ \t]+-[\w-]+(?:[ =]\d+)?){0,20}[ \t]+[\"']?\$")
"""a script that begins what a variable names"""
_ALWAYS = ("sitecustomize.py", "usercustomize.py", "conftest.py", "setup.py")
"""files that run without being imported"""


@dataclass(frozen=True, slots=True)
class Imports:
    """Files of one repository, at the commits that the harmed runs ran."""

    known: frozenset[str]
    """files of Python in any of these commits"""
    reached: frozenset[str]
    """those of them that an entry point can import"""

    def far(self, path: str) -> bool:
        """Tell whether a file was there, and nothing that the runs began with can import it."""
        return path in self.known and path not in self.reached


def imports(world: World, compared: Runs, ran: Jobs) -> dict[str, Imports]:
    """Return repository -> what the harmed runs can import of it; without those of which it can't be told."""
    starts = _starts(compared, ran)
    trees = _trees(world, {c for commits in starts.values() for c in commits.values()})
    found = {}
    for repo, commits in starts.items():
        told = [_of_commit(world.blobs, trees.get(c, ""), start) for start, c in sorted(commits.items())] if len(commits) <= _STARTS else []
        parts = [t for t in told if t is not None]
        if parts and len(parts) == len(told):
            found[repo] = Imports(frozenset().union(*(p.known for p in parts)), frozenset().union(*(p.reached for p in parts)))
    return found


def _starts(compared: Runs, ran: Jobs) -> dict[str, dict[str, str]]:
    """Return repository -> what its harmed runs begin with -> the commit of the last that began so; empty where runs of no known commit begin otherwise."""
    of_job: dict[str, list[str]] = defaultdict(list)
    for commit, jobs in sorted(ran.items()):
        for job in jobs:
            of_job[job].append(commit)
    found: dict[str, dict[str, str]] = defaultdict(dict)
    strange = set()
    for n in compared.places(compared.bad):
        start = _start(compared.facts[n]["command"])
        for commit in of_job[compared.jobs[n]]:
            found[commit.partition("@")[0]][start] = commit
        if not of_job[compared.jobs[n]]:
            strange.add(start)
    return found if strange <= {start for starts in found.values() for start in starts} else {}


def _start(command: str) -> str:
    """Return the words of a command that may name what it begins with."""
    try:
        words = shlex.split(command[:_LONGEST])
    except ValueError:
        words = command[:_LONGEST].split()
    if not any(_LAUNCHER.fullmatch(posixpath.basename(w)) for w in words):
        return ""
    kept = [
        f"-m {after}" if w == "-m" else w
        for w, after in zip(words, [*words[1:], ""], strict=True)
        if w == "-m" or w.endswith((".py", ".sh"))
    ]
    return "\n".join(kept)


def _trees(world: World, commits: set[str]) -> dict[str, str]:
    rows = world.tables.rows(
        "SELECT object, any_value(json_extract_string(attrs, '$.tree')) AS tree FROM events WHERE action = 'code.commit' AND list_contains($c, object) GROUP BY object",
        c=sorted(commits),
    )
    return {r["object"]: r["tree"] or "" for r in rows}


def _of_commit(read: Blobs, tree: str, start: str) -> Imports | None:
    """Follow imports from what a command begins with."""
    files = _files(read, tree) if tree and start else None
    if files is None:
        return None
    places = _places(files)
    todo = _entries(read, files, places, start)
    if not todo:
        return None
    reached: set[str] = set()
    size = 0
    while todo:
        reached |= todo
        texts = read({files[p] for p in todo})
        size += sum(map(len, texts.values()))
        if len(reached) > _FILES or size > _BYTES or any(files[p] not in texts or _COMPUTED.search(texts[files[p]]) for p in todo):
            return None
        todo = {q for p in todo for q in _imported(p, texts[files[p]], places)} - reached
    always = {p for p in files if posixpath.basename(p) in _ALWAYS}
    return Imports(frozenset(p for p in files if p.endswith(".py")), frozenset(reached | always))


def _entries(read: Blobs, files: dict[str, str], places: dict[str, set[str]], start: str) -> set[str]:
    """Return the files of Python that a command begins with, also by a launch script; nothing where any of it is not found."""
    found: set[str] = set()
    words = [w.encode("utf-8", "replace") for w in start.split("\n")]
    for _ in range(2):  # a script that a script starts is followed no further
        scripts: set[str] = set()
        for word in words:
            here = _begun(word, places)
            if here is None:
                return set()
            found |= {p for p in here if p.endswith(".py")}
            scripts |= {p for p in here if p.endswith(".sh")}
        texts = read({files[s] for s in scripts})
        if len(texts) < len({files[s] for s in scripts}) or any(map(_VARIABLE.search, texts.values())):
            return set()
        words = [
            m
            for text in texts.values()
            for m in (*_NAMED.findall(text[:_LONGEST]), *(b"-m " + x for x in _MODULE.findall(text[:_LONGEST])))
        ]
    return found if not words else set()


def _begun(word: bytes, places: dict[str, set[str]]) -> set[str] | None:
    """Return the files that a word of a command stands for: none of this repository's for a module of another package; None where it can't be told."""
    if not word.startswith(b"-m "):
        return _by_path(word.decode("utf-8", "replace"), places) or None
    module = word[3:].decode("utf-8", "replace")
    runs = {p for p in places.get(module, ()) if not p.endswith("/__init__.py")} | places.get(f"{module}.__main__", set())
    if runs:
        return runs | _by_name(module, places)
    first = module.partition(".")[0]
    return None if first in places or f"{first}/" in places else set()


def _imported(path: str, text: bytes, places: dict[str, set[str]]) -> Iterator[str]:
    """Yield every file that a file may import, or names."""
    for names in _IMPORT.findall(text):
        for name in names.decode("utf-8", "replace").split(","):
            yield from _by_name(name.split(" as ")[0].strip(), places)
    for base, names in _FROM.findall(text):
        within = base.decode("utf-8", "replace").replace(" ", "")
        folder = _absolute(path, within)
        yield from _by_name(folder, places)
        for name in re.findall(r"\w+", names.decode("utf-8", "replace")):
            yield from _by_name(f"{folder}.{name}".lstrip("."), places)
    for name in _NAMED.findall(text):
        yield from (p for p in _by_path(name.decode("utf-8", "replace"), places) if p.endswith(".py"))
    for name in _MODULE.findall(text):
        yield from _by_name(name.decode("utf-8", "replace"), places)


def _absolute(path: str, within: str) -> str:
    """Write `..part` in a file's package as a module's whole name."""
    level = len(within) - len(within.lstrip("."))
    if not level:
        return within
    package = path.split("/")[:-1]
    return ".".join([*package[: max(0, len(package) - level + 1)], *filter(None, within.lstrip(".").split("."))])


def _by_name(name: str, places: dict[str, set[str]]) -> set[str]:
    """Return the files of a module, and those of the packages that it lies in."""
    found = {p for p in places.get(name, ()) if p.endswith(".py")}
    parts = name.split(".")
    for n in range(1, len(parts)):  # a package's own file runs first, and may be all that there is of the name
        found |= {p for p in places.get(".".join(parts[:n]), ()) if p.endswith("/__init__.py")}
    above = {f"{folder}/__init__.py" for p in found for folder in _above(p)}
    return found | {p for p in above if p in places.get(p, ())}


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _by_path(word: str, places: dict[str, set[str]]) -> set[str]:
    """Return the files whose path ends as a word does: it may be absolute, or relative to another folder."""
    parts = posixpath.normpath(word.lstrip("/")).split("/")
    return next((found for n in range(len(parts)) if (found := places.get("/".join(parts[n:]), set()))), set())


def _places(files: Iterable[str]) -> dict[str, set[str]]:
    """Return the end of a path, and every end of a module's name, -> the files of that end; and a folder's name with a slash -> what lies in it."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in files:
        parts = path.split("/")
        names = [*parts[:-1], parts[-1].removesuffix(".py")]
        names = names[:-1] if names[-1] == "__init__" else names
        for n, part in enumerate(parts):
            found["/".join(parts[n:])].add(path)
            if n < len(parts) - 1:
                found[f"{part}/"].add(path)
            if path.endswith(".py") and names[n:]:
                found[".".join(names[n:])].add(path)
    return dict(found)


def _files(read: Blobs, tree: str) -> dict[str, str] | None:
    """Return path -> blob of the scripts and files of Python of a commit; None where it is too large, or not all there."""
    found: dict[str, str] = {}
    todo = {"": tree}
    folders = 0
    while todo:
        folders += len(todo)
        texts = read(set(todo.values())) if folders <= _FOLDERS else {}
        if any(t not in texts for t in todo.values()):
            return None
        rows = [(place + name, kind, blob) for place, t in todo.items() for name, kind, blob in _rows(texts[t])]
        found |= {path: blob for path, kind, blob in rows if kind == "file" and path.endswith((".py", ".sh"))}
        todo = {f"{path}/": blob for path, kind, blob in rows if kind == "folder"}
        if len(found) > _PATHS:
            return None
    return found


def _rows(data: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield what a folder holds, as git keeps it: mode, name and 20 bytes of the id (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects)."""
    at = 0
    while (end := data.find(b"\0", at)) > 0 and end + 21 <= len(data):
        mode, _, name = data[at:end].partition(b" ")
        kind = "folder" if mode == b"40000" else "file" if mode.startswith(b"100") else "other"
        yield name.decode("utf-8", "surrogateescape"), kind, data[end + 1 : end + 21].hex()
        at = end + 21
