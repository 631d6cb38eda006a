"""What a command line spells: which object it leads to, that it only looks at things, or that it is about another place."""

import re
import shlex
from itertools import pairwise

from forensics.reasoning.act import Act, Row
from forensics.reasoning.images import pushes_another
from forensics.reasoning.world import World

_LOOKS = frozenset((
    "ls", "presign", "get-object", "head-object", "list-objects", "list-objects-v2", "-ls", "-cat", "-get", "-copyToLocal", "-text", "-head", "-tail", "-du", "-stat", "-test", "-checksum", "-count", "-find",
))  # fmt: skip
"""third words of `aws s3`, `hdfs dfs` and the like that change nothing in a store"""
_READS = frozenset((
    "cat", "df", "du", "head", "id", "ls", "nvidia-smi", "ps", "pwd", "sacct", "sinfo", "squeue", "stat", "tail", "uptime", "wc", "whoami",
))  # fmt: skip
"""programs that write nowhere but to their output"""
_PLACE = re.compile(r"(?!https?:|git:|ssh:)[a-z][a-z0-9+.-]*://[^\s'\",;]+")


def leads_to(world: World, row: Row, act: Act) -> bool:
    """Tell whether a process's command names the object of the act and is of those that lead to such an act: to look at a thing does not change it."""
    objects = _objects(act)
    tails = {o.rpartition("/")[2] for o in objects if "/" in o} | set(objects)
    line = _command(row)
    if not any(t and re.search(rf"(?<![\w.-]){re.escape(t)}(?![\w.-])", line) for t in tails):
        return False
    wanted = world.policy.commands.get(act.kind)
    return tells(row, act) and (wanted is None or fits(line, wanted))


_IDLE = re.compile(
    r"(ba|da|z|k)?sh|login|sshd|sudo|su|tmux|screen|env|date|clear|man|which|hostname|groups|getent|locale|tty|stty|mesg|dircolors|lesspipe|"
    r"h?top|less|more|vim?|nano|emacs|grep|find|awk|sed|sort|uniq|diff|cut|tr|ssh|git|watch|sleep|true|test|echo|printf|basename|dirname"
)
"""programs that, by themselves, put nothing into a store and start no job"""


def may_do(line: str) -> bool:
    """Tell whether a process may do anything, for all that its line says: a program of one's own, an interpreter, `make`; not a bare shell, an editor, a look."""
    words = _words(line)
    if not words or words[0] in _READS:
        return False
    return not _IDLE.fullmatch(words[0].lstrip("-")) or (len(words) > 1 and words[0].endswith("sh") and words[0] != "ssh")


def names_whole(row: Row, act: Act) -> bool:
    """Tell whether a command spells the whole reference of the act's object."""
    return any("://" in o and o in _command(row) for o in _objects(act))


def tells(row: Row, act: Act) -> bool:
    """Tell whether a command may have led to the act, for all that it spells: it does not only read, nor spell another place than the object's."""
    words = _words(_command(row))
    if act.kind == "job.launch" and (_dry(words) or _other_job(words, act)):
        return False
    if act.kind in _HDFS and (
        _only_asks(words)
        or (words[:1] and words[0] in ("hdfs", "hadoop") and words[1:2] != ["distcp"] and not set(words[2:6]) & _HDFS[act.kind])
    ):
        return False
    return not (
        set(words[:1]) & _READS or set(words[2:5]) & _LOOKS or (act.kind == "object.write" and _takes(words)) or _elsewhere(words, act)
    )


_HDFS = {
    "object.write": frozenset(("-put", "-copyFromLocal", "-moveFromLocal", "-appendToFile", "-cp", "-mv", "-touch", "-touchz", "-truncate", "-concat")),
    "object.delete": frozenset(("-rm", "-rmr", "-rmdir", "-mv", "-moveToLocal", "-expunge", "-concat")),
}  # fmt: skip
"""what `hdfs dfs` does that writes or removes files (https://hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-common/FileSystemShell.html)"""


def _only_asks(words: list[str]) -> bool:
    """Tell whether a command to a store only shows what it would do, or how it is used."""
    return bool({"help", "--help", "--dryrun", "--dry-run"} & set(words))


def _dry(words: list[str]) -> bool:
    """Tell whether a command only asks what would happen (sbatch(1), kubectl), or speaks over the web to something else than a scheduler."""
    if any(w == "--test-only" or (w.startswith("--dry-run") and not w.endswith("=none")) for w in words):
        return True
    return words[0] in WEB and not any(re.search(r"/slurm/|/job/submit|/jobs\b", w) for w in words) if words else False


WEB = ("curl", "wget", "http")


def _other_job(words: list[str], act: Act) -> bool:
    """Tell whether the scheduler kept another line for this job than the command: a script or program that the command does not name."""
    kept = _bare(next((str(r["attrs"]["command"]) for r in act.rows if r["attrs"].get("command")), ""))
    if not kept or words[0] != kept[0].rpartition("/")[2]:
        return False
    named = {w.rpartition("/")[2] for w in kept[1:] if not w.startswith("-")}
    return not named <= {w.rpartition("/")[2] for w in _bare(" ".join(words[1:]))}


def _bare(line: str) -> list[str]:
    """Return the words of a line without the quotes that one of two records may have kept."""
    return line.replace('"', " ").replace("'", " ").split()


def _objects(act: Act) -> list[str]:
    return [str(r["object"] or "").partition("?")[0] for r in act.rows]


def _words(line: str) -> list[str]:
    words = line.split()
    return [*(w.rpartition("/")[2] for w in words[:1]), *words[1:]]


def fits(command: str, wanted: tuple[str, ...]) -> bool:
    """Tell whether a command line begins like one of these, options left out (`git -C x push` is a `git push`)."""
    try:
        tokens = shlex.split(command)
    except ValueError:
        tokens = command.split()
    words = [
        re.sub(r"\.exe$", "", re.split(r"[/\\]", t)[-1], flags=re.IGNORECASE) if n == 0 else t
        for n, t in enumerate(tokens)
        if n == 0 or not (t.startswith("-") or tokens[n - 1] in _VALUED)
    ]
    return any(words[: len(w.split())] == w.split() or _after_value(words, w.split()) for w in wanted)


_VALUED = frozenset((
    "--profile", "--region", "--endpoint-url", "--output", "--ca-bundle", "--color", "--config", "--context", "--namespace", "--kubeconfig", "--cluster", "--user", "--git-dir", "--work-tree",
    "--config-dir", "-C", "-c", "-n", "-D", "--conf", "--cli-read-timeout", "--cli-connect-timeout",
))  # fmt: skip
"""options before a subcommand that take a value"""


def _after_value(words: list[str], wanted: list[str]) -> bool:
    """Allow one option's value between program and subcommand."""
    return len(wanted) > 1 and len(words) > len(wanted) and [words[0], *words[2 : 1 + len(wanted)]] == wanted


def _takes(words: list[str]) -> bool:
    """Tell whether a command copies from a store to a place of its own: after the store's only name stands one that is none."""
    places = [n for n, w in enumerate(words) if "://" in w]
    after = words[places[0] + 1 :] if len(places) == 1 else []
    return any("/" in w or w in (".", "..", "-") for w in after if not (w.startswith("-") and w != "-"))


def _elsewhere(words: list[str], act: Act) -> bool:
    """Tell whether a command spells a full destination that is not the object, nor a folder around it: the last place, a bucket, a path in HDFS."""
    if act.kind == "object.write" and str(act.rows[0]["object"]).startswith("image:"):
        return all(pushes_another(words, str(r["object"]), r["attrs"].get("tag")) for r in act.rows)
    objects = [o for o in _objects(act) if "://" in o]
    if not objects or not act.kind.startswith("object."):
        return False
    if words[:1] == ["rclone"] and act.kind == "object.write" and _copies_a_file_of_another_name(words, objects):
        return True
    places = _PLACE.findall(" ".join(words))
    aimed = places if act.kind == "object.delete" else places[-1:]
    if aimed:
        return not any(_around(p, o) and (act.kind == "object.delete" or _lands(words, p, o)) for p in aimed for o in objects)
    told = {w.partition("=")[0]: w.partition("=")[2] or after for w, after in pairwise([*words, ""])}
    bucket, key = told.get("--bucket", ""), told.get("--key", "")
    if bucket and "$" not in bucket:
        return not any(o.startswith(f"s3://{bucket}/") and (not key or "$" in key or o == f"s3://{bucket}/{key}") for o in objects)
    last = words[-1] if words[1:] else ""
    return last.startswith("/") and all(o.startswith("hdfs:") and not _inside(last, _path(o)) for o in objects)


_WHOLE = re.compile(r"-[a-zA-Z]*[rR]|--recursive|sync|rsync|mirror|distcp|-put|-copyFromLocal|-moveFromLocal|-cp|-mv|move|copy")
"""words of commands that may put whole folders"""


def _copies_a_file_of_another_name(words: list[str], objects: list[str]) -> bool:
    """Tell whether `rclone copy` or `move` takes one file, which keeps its name: its remotes are named as its user likes."""
    plain = [w for w in words[1:] if not w.startswith("-")]
    name = plain[1].rstrip("/").rpartition("/")[2] if len(plain) > 1 and plain[0] in ("copy", "move") else ""
    return "." in name and "*" not in name and all(o.rpartition("/")[2] != name for o in objects)


def _lands(words: list[str], place: str, reference: str) -> bool:
    """Tell whether a command that puts one thing to a place puts it where the object is: there, or under its own name into that folder."""
    folder, whole = place.rstrip("/"), re.sub(r"^s3[an]:", "s3:", place).rstrip("/")
    if (
        whole == reference
        or any(_WHOLE.fullmatch(w) for w in words[1:] if "/" not in w)
        or not whole.startswith("s3:")
        or "$" in place
        or "*" in place
    ):
        return True
    at = next((n for n, w in enumerate(words) if w.strip("'\"").rstrip("/") == folder), len(words))
    names = {w.rstrip("/").rpartition("/")[2] for w in words[1:at]}
    return reference.removeprefix(f"{whole}/") in names or any(set(n) & set("$*") or n == "-" for n in names)


def _around(place: str, reference: str) -> bool:
    """Tell whether a place is an object, or a folder that it lies in; a name node goes by several names, and what a shell fills in is not known."""
    place = re.sub(r"^s3[an]:", "s3:", place)
    if "$" in place:
        return True
    if place.startswith("hdfs:"):
        return reference.startswith("hdfs:") and _inside(_path(place), _path(reference))
    return _inside(place, reference)


def _inside(folder: str, path: str) -> bool:
    folder = folder.partition("*")[0]
    return path == folder or path.startswith(folder if folder.endswith("/") else folder + "/")


def _path(reference: str) -> str:
    return "/" + reference.partition("://")[2].partition("/")[2]


def of_branch(command: str, act: Act) -> bool:
    """Tell whether a `git push` may have set the act's branch: one that names other branches alone did not (git-push(1), refspec)."""
    refs, named = _branches(command, act)
    return not refs or not named or bool(refs & set(named)) or "HEAD" in named


def spells_branch(command: str, act: Act) -> bool:
    """Tell whether a `git push` names the branch that the act set."""
    refs, named = _branches(command, act)
    return bool(refs & set(named))


def _branches(command: str, act: Act) -> tuple[set[str], list[str]]:
    """Return the branches that the act set, and those that a `git push` names."""
    refs = {str(r["object"] or "").partition("#refs/heads/")[2] for r in act.rows} - {""}
    words = [w for w in command.split() if not w.startswith("-")]
    after = words[words.index("push") + 2 :] if "push" in words else []
    return refs, [w.rpartition(":")[2].removeprefix("+").rpartition("refs/heads/")[2] for w in after]


def _command(row: Row) -> str:
    if str(row.get("action")).startswith("device.process"):
        return str(row["object"] or "")
    argv = row["attrs"].get("argv")
    return " ".join(str(a) for a in argv) if isinstance(argv, list) else str(row["attrs"].get("command") or argv or "")
