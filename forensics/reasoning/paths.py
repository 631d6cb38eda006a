"""The files that a command's line names on its host, and what they had been copied, moved or linked from."""

import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from forensics import times
from forensics.facts import shared_prefixes
from forensics.reasoning.act import Row
from forensics.reasoning.commands import line_of
from forensics.reasoning.world import World


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder on a host that a process was given, as it was at a moment."""

    host: str
    path: str
    moment: int
    placed: Row | None = None
    """the command that copied, moved or linked there what lies here"""
    by: str = ""
    """the program that was given it"""


def named(row: Row) -> set[str]:
    """Return the absolute paths that a command names, behind a `=` and in a line of its own as well (`sh -c`): its program, and the words of its line; and the file that `make` takes without being told."""
    words = words_of(line_of(row))
    folder = str(row["attrs"].get("cwd") or "/")
    words = [w for w in words if not far(w)]
    spelled = [part for w in words for part in (re.split(r"[=,]", w) if w.startswith("-") else [w])]
    if words and words[0].rpartition("/")[2] in ("make", "gmake"):
        where = words[words.index("-C") + 1] if "-C" in words[:-1] else "."
        spelled += [posixpath.join(where, name) for name in ("Makefile", "GNUmakefile", "makefile")]
    spelled += [part.strip(";&|()<>\"'") for w in spelled if " " in w for part in words_of(w)]
    spelled += [f"{b.replace('.', '/')}{end}" for a, b in pairwise(spelled) if a == "-m" for end in (".py", "/__main__.py")]
    paths = {posixpath.normpath(posixpath.join(folder, w)) for w in spelled if w and "://" not in w}
    return paths | ({path_of(str(row["object"]))} if str(row["object"]).startswith("file:") else set())


_LIBRARIES = re.compile(
    r"(?:^|[,\s=])(?:PYTHONPATH|PYTHONHOME|PYTHONSTARTUP|PYTHONUSERBASE|LD_LIBRARY_PATH|LD_PRELOAD|PATH|PERL5LIB|NODE_PATH|R_LIBS\w{0,10}|VIRTUAL_ENV|CONDA_PREFIX|BASH_ENV|ENV)=([^,\s]+)"
)
"""variables that say what a program loads (python(1), ld.so(8), bash(1))"""


def libraries(row: Row) -> set[str]:
    """Return the absolute folders and files that a line has its program load from, by the variables that it sets (`env`, `sbatch --export`)."""
    words = words_of(line_of(row))
    found = [p for w in words if len(w) < _LONG for value in _LIBRARIES.findall(w) for p in value.split(":")]
    return {posixpath.normpath(p) for p in found if p.startswith("/")}


_LONG = 20_000


def words_of(line: str) -> list[str]:
    """Return the words of a command line; where its quotes do not close, or it is very long, what stands between blanks."""
    if len(line) > _LONG:
        return line.split()
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def path_of(reference: str) -> str:
    """Return the path of a file's reference, on whichever host."""
    return "/" + reference.partition("://")[2].partition("/")[2]


def piped(world: World, rows: list[Row]) -> list[Row]:
    """Return the commands beside those that read what another hands them: children of the same shell, within seconds."""
    takers = [
        r
        for r in rows
        if r["attrs"].get("ppid") and ({"-", "/dev/stdin"} & set(words := words_of(line_of(r))) or _program(words) in _TAKERS)
    ]
    return [
        s
        for r in takers
        for s in world.acts(
            "action = 'process.exec' AND outcome = 'ok' AND host = $h AND session IS NOT DISTINCT FROM $s AND time BETWEEN $low AND $high",
            h=r["host"], s=r["session"], low=r["time"] - _PIPE, high=r["time"] + _PIPE,
        )
        if s["attrs"].get("ppid") == r["attrs"]["ppid"]
    ]  # fmt: skip


_TAKERS = ("tee", "dd", "xargs")
"""programs that read what they are handed without a word of it"""
_PIPE = 2 * times.SECOND


def program(row: Row) -> str:
    """Return the name of the program that a command line runs."""
    return _program(words_of(line_of(row)))


def elsewhere(row: Row) -> list[tuple[str, str]]:
    """Return (host, absolute path) of the files on other hosts that a copy is made from."""
    words = words_of(line_of(row))
    taken = [f for w in words[1:-1] if (f := far(w))] if _program(words) in _COPIES else []
    return [(host, posixpath.normpath(path)) for host, path in taken if path.startswith("/")]


def _program(words: list[str]) -> str:
    return words[0].rpartition("/")[2] if words else ""


_EDITORS = ("vim", "vi", "nvim", "nano", "emacs", "emacsclient", "ed", "ex", "joe", "micro", "pico", "mcedit", "tee", "truncate", "patch")  # fmt: skip
"""programs that write to the files that they name"""
_LOOKS = ("-R", "-M", "--dry-run", "--readonly")
"""with which they do not"""
_SHORT = 6
"""letters of options that are written together"""
_IN_PLACE = ("sed", "perl", "ruby", "yq")
"""programs that do so with -i"""
_OUTPUT = re.compile(
    r"-[oO]|--?(out|output|output[-_]?(file|dir|path)?|out[-_]?(file|dir|path)?|save[-_]?\w*|dest\w*|target|prefix|directory-prefix)"
)
"""options whose value names what is written (curl(1), wget(1), tar(1) and programs of one's own)"""
_HOST = re.compile(r"[\w.@-]{1,255}")


def far(word: str) -> tuple[str, str] | None:
    """Return (host's first label, path) of a path on another host, as scp(1) and rsync(1) write it."""
    host, colon, path = word.partition(":")
    if not colon or path.startswith("//") or not _HOST.fullmatch(host):
        return None
    return host.rpartition("@")[2].partition(".")[0], path


def wrote(row: Row, host: str, path: str) -> str:
    """Tell how a command writes to this path, by its line: `anew`, `kept` (in part, what stood there stays), or nothing where it does not."""
    words = words_of(line_of(row))
    name, folder = _program(words), str(row["attrs"].get("cwd") or "/")

    def at(word: str) -> bool:
        there = far(word)
        if there and there[0] != host.partition(".")[0]:
            return False
        return posixpath.normpath(posixpath.join(folder, there[1] if there else word)) == path

    inner = [w for w in words[1:] if " " in w and ">" in w]
    if any(at(w.rpartition(">")[2].strip()) for w in inner):
        return "kept" if any(">>" in w for w in inner) else "anew"
    if name in _EDITORS or (
        name in _IN_PLACE and any(w.startswith(("-i", "--in-place")) or (w[:1] == "-" and len(w) < _SHORT and "i" in w) for w in words)
    ):
        whole = name == "tee" and not {"-a", "--append"} & set(words)
        return ("anew" if whole else "kept") if any(at(w) for w in words[1:]) and not set(_LOOKS) & set(words) else ""
    if name in _COPIES:
        *sources, target = [w for w in words[1:] if not w.startswith("-")] or [""]
        ends = [target, *(posixpath.join(target, s.rstrip("/").rpartition("/")[2]) for s in sources)]
        return "anew" if sources and any(at(e) for e in ends) else ""
    pairs = [*pairwise(words[1:]), *((w.partition("=")[0], w.partition("=")[2]) for w in words[1:] if "=" in w)]
    return "anew" if any((_OUTPUT.fullmatch(a) or a in ("of", ">", ">>")) and at(b) for a, b in pairs) else ""


def _writers(world: World, host: str, path: str, moment: int, *, anywhere: bool) -> list[Row]:
    """Return the commands before a moment that write to a path by what their lines say, as writes of it: logs of commands seldom watch files, too.

    anywhere: on whichever host or device, since the path is of a share.
    """
    name = path.rpartition("/")[2]
    rows = world.tables.rows(
        "SELECT id FROM events WHERE (action = 'process.exec' OR starts_with(action, 'device.process')) AND time < $t AND ($any OR host = $h OR contains(coalesce(attrs, '') || coalesce(object, ''), $h)) AND (contains(attrs, $name) OR contains(object, $name)) ORDER BY time DESC, id LIMIT 300",
        t=moment, any=anywhere, h=host.partition(".")[0], name=name,
    ) if name else []  # fmt: skip
    found = world.acts("list_contains($e, event) AND outcome = 'ok' AND actor IS NOT NULL", e=[r["id"] for r in rows]) if rows else []
    here = [
        r
        for r in found
        if anywhere or r["host"] == host or (r["device"] or "").partition(":")[2] == host or f"{host.partition('.')[0]}:" in line_of(r)
    ]
    told = f"file://{'' if anywhere else host}{path}"
    return [{**r, "object": told, "attrs": r["attrs"] | {"kept": how == "kept"}} for r in here if (how := wrote(r, host, path))]


def writes(world: World, host: str, path: str, moment: int) -> list[Row]:
    """Return the last write of a file, and those before it back to the last that began it anew: what is appended to, or changed in part, keeps what others wrote."""
    rows = world.acts(
        "action = 'file.write' AND outcome = 'ok' AND list_contains($o, object) AND time < $t",
        o=[f"file://{host}{path}", f"file://{path}"], t=moment,
    )  # fmt: skip
    shared = any(path.startswith(p) for p in shared_prefixes(world.case))
    rows = sorted([*rows, *_writers(world, host, path, moment, anywhere=shared)], key=lambda r: (r["time"], r["event"]))
    anew = [n for n, r in enumerate(rows) if not r["attrs"].get("kept")]
    return rows[(anew[-1] if anew else 0) :][-_MOST:]


_MOST = 50
"""writes of one file that are looked at"""


def told_below(world: World, host: str, needles: list[str], since: int, until: int, *, anywhere: bool = False) -> list[str]:
    """Return the paths with one of these parts that commands write to by their lines: most hosts log commands and watch no files.

    anywhere: on whichever host or device, since the paths are of a share.
    """
    rows = world.tables.rows(
        "SELECT id FROM events WHERE (action = 'process.exec' OR starts_with(action, 'device.process')) AND time BETWEEN $since AND $t AND ($any OR host = $h OR device = 'device:' || $h) AND len(list_filter($n, lambda n: contains(coalesce(attrs, '') || coalesce(object, ''), n))) > 0 ORDER BY time DESC, id LIMIT 2000",
        since=since, t=until, any=anywhere, h=host, n=[n.rstrip("/") for n in needles],
    )  # fmt: skip
    found = world.acts("list_contains($e, event) AND outcome = 'ok' AND actor IS NOT NULL", e=[r["id"] for r in rows]) if rows else []
    paths: set[str] = set()
    for row in found:
        spelled = named(row)
        inside = {posixpath.join(t, s.rpartition("/")[2]) for t in spelled for s in spelled} if program(row) in _COPIES else set()
        paths |= {p for p in spelled | inside if any(n in p for n in needles) and wrote(row, host, p)}
    return sorted(paths)


_COPIES = ("cp", "mv", "install", "rsync", "ln", "scp")
_FAR = 4
"""copies that are followed back"""


def back(world: World, place: Place) -> Iterator[Place]:
    """Yield what a file had been copied, moved or linked from on its host, whole folders included, by the commands that say so, and so on back."""
    for _ in range(_FAR):
        before = _before(world, place)
        if before is None:
            return
        place = before
        yield place


def _before(world: World, place: Place) -> Place | None:
    parts = [p for p in place.path.split("/") if p][1:]
    rows = world.tables.rows(
        """
        SELECT id FROM events WHERE time < $t AND (
            (action = 'process.exec' AND host = $h AND regexp_extract(object, '[^/]*$') IN (SELECT unnest($copies)) AND len(list_filter($names, lambda n: contains(attrs, n))) > 0)
            OR (starts_with(action, 'device.process') AND device = 'device:' || $h AND regexp_extract(split_part(object, ' ', 1), '[^/]*$') IN (SELECT unnest($copies))
                AND len(list_filter($names, lambda n: contains(object, n))) > 0)
        ) ORDER BY time DESC, id LIMIT 200
        """,
        h=place.host, t=place.moment, copies=[*_COPIES, *_UNPACKS], names=parts or [place.path],
    )  # fmt: skip
    found = world.acts("list_contains($e, event) AND outcome = 'ok'", e=[r["id"] for r in rows]) if rows else []
    before = next((s for r in reversed(found) if (s := _source(r, place))), None)
    if before is None or before.placed is None:
        return None
    later = [
        w for w in writes(world, place.host, place.path, place.moment) if w["time"] > before.placed["time"] and not w["attrs"].get("kept")
    ]
    return before if all(_by_copy(w) for w in later) else None


def _by_copy(row: Row) -> bool:
    """Tell whether a write is a copy's own, by the program that its record names."""
    names = {str(row["attrs"].get(k) or "").rpartition("/")[2] for k in ("exe", "comm")} | (
        {program(row)} if row["action"] != "file.write" else set()
    )
    return bool(names & {*_COPIES, *_UNPACKS})


def _source(row: Row, place: Place) -> Place | None:
    """Return where a command took from what it put to this path, or to a folder above it; a link shows what lies there now."""
    folder = str(row["attrs"].get("cwd") or "/")
    for sources, target, whole in _taken(words_of(line_of(row))):
        if not sources or not target or far(target):
            continue
        end = posixpath.normpath(posixpath.join(folder, target))
        for word in sources:
            source = word if far(word) else posixpath.normpath(posixpath.join(folder, word))
            into = posixpath.join(end, source.rpartition("/")[2])
            for there in (into, end) if len(sources) == 1 else (into,):
                if (place.path == there or place.path.startswith(there + "/")) and source != place.path:
                    moment = place.moment if program(row) == "ln" else row["time"]
                    host, path = far(source) or (place.host, source)
                    return Place(host, path + ("" if whole else place.path[len(there) :]), moment, row)
    return None


def targets(row: Row) -> set[str]:
    """Return the absolute paths that a copy, link or unpacking puts something to: what lay there before goes into nothing."""
    folder = str(row["attrs"].get("cwd") or "/")
    return {posixpath.normpath(posixpath.join(folder, t)) for _, t, _ in _taken(words_of(line_of(row))) if t}


def _taken(words: list[str]) -> Iterator[tuple[list[str], str, bool]]:
    """Yield (sources, target, whether a source is an archive that the target came out of) of a line that copies, links, unpacks or redirects."""
    name, rest = _program(words), words[1:]
    for inner in (w for w in rest if " " in w and name in _SHELLS):
        for part in re.split(r"&&|\|\||;", inner):
            left, _, right = part.rpartition(">")
            yield from (
                [([w for w in words_of(left)[1:] if w not in ("|", "<")], right.strip(), True)] if left else _taken(words_of(part.strip()))
            )
    pairs = dict(pairwise(rest))
    plain = [w for w in rest if not w.startswith("-")]
    if name == "dd":
        told = dict(w.partition("=")[::2] for w in rest)
        yield [told.get("if", "")], told.get("of", ""), True
    elif name in ("tar", "bsdtar", "unzip", "7z"):
        into = pairs.get("-C") or pairs.get("-d") or "."
        archive = pairs.get("-f") or next((w for w in plain if re.search(r"\.(tar|tgz|zip|7z|tar\.\w+|t[bx]z2?)$", w)), "")
        yield [archive] if archive else [], into, True
    elif name in ("zstd", "unzstd", "gunzip", "gzip", "xz", "unxz", "bunzip2", "lz4"):
        source = next((w for w in plain if w != pairs.get("-o")), "")
        yield [source], pairs.get("-o") or source.rpartition(".")[0], True
    elif name in _COPIES and "-t" in pairs:
        yield [w for w in plain if w != pairs["-t"]], pairs["-t"], False
    elif name in _COPIES:
        into = next((w.partition("=")[2] for w in rest if w.startswith("--target-directory=")), "")
        yield (plain, into, False) if into else (plain[:-1], plain[-1] if plain else "", False)


_SHELLS = ("sh", "bash", "dash", "zsh", "ksh")
_UNPACKS = ("dd", "tar", "bsdtar", "unzip", "7z", "zstd", "unzstd", "gunzip", "gzip", "xz", "unxz", "bunzip2", "lz4", *_SHELLS)
"""programs whose output is what they were given"""
_STARTS = re.compile(
    r"(ba|da|k|z)?sh|python[\d.]*|perl|ruby|node|Rscript|g?make|xargs|env|find|sudo|srun|nohup|time|timeout|parallel|watch"
)


def starts_others(row: Row) -> bool:
    """Tell whether a command can have started others: a script, an interpreter, `make`, a program of one's own; not a look, an editor or a copy."""
    words = words_of(line_of(row))
    where = path_of(str(row["object"])) if str(row["object"]).startswith("file:") else (words or [""])[0]
    own = "/" in where and not where.startswith(("/usr/", "/bin/", "/sbin/", "/opt/", "/snap/"))
    return own or (len(words) > 1 and bool(_STARTS.fullmatch(_program(words))))
