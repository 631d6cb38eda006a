"""What the lines that a commit added ask for, such as a date, and what they do, such as leaving data out.

Either is a reason to look, and no more: it only decides between commits that separate equally well. The lines are searched as text, not parsed: the order of
causes must not hang on what else is installed (the rules of `patterns/` need an extra).
"""

import re
from collections import defaultdict
from collections.abc import Iterable

from forensics.reasoning.patches import Lines, lines_of
from forensics.reasoning.world import World

TIME = "a given date"
_ASKS = re.compile(rb"\b(?:if|elif|while|and|or|not|assert|return)\b|[<>]=?|[!=]=|\?")
_CLOCK = rb"(?:time\.time\(|datetime\.|\bdate\.today|utcnow|strftime|localtime|gmtime|fromtimestamp|\$\(date\b|\btime_ns\()"
_DATE = rb"(?:\b1[5-9]\d{8}\b|date(?:time)?\(\s*20\d\d\s*,|\b20\d\d-?[01]\d-?[0-3]\d\b)"
_SIZE = rb"(?:world_?size|device_count|num_(?:gpus|nodes|replicas)|SLURM_N(?:NODES|TASKS|PROCS)|SLURM_JOB_NUM_NODES)"
_WHO = rb"(?:getuser\(|getlogin\(|gethostname\(|platform\.node|\buname\(|\b(?:USER|LOGNAME|HOSTNAME|TEAM)\b|SLURM_JOB_(?:USER|PARTITION|ACCOUNT))"
_WORDS = (
    (TIME, re.compile(_CLOCK + rb".{0,200}" + _DATE + rb"|" + _DATE + rb".{0,200}" + _CLOCK)),
    ("a given size of the job", re.compile(_SIZE + rb"[^<>=!]{0,40}[<>=!]=?\s*(?:[89]|[1-9]\d+)\b", re.IGNORECASE)),
    ("who runs it, or where", re.compile(_WHO + rb".{0,60}(?:[!=]=|\bin\b)\s*[\"'\[({]")),
)
"""what is compared with something given: honest code, too, asks what time it is or whether there is more than one process"""
_DOES = (
    ("leaves something out", re.compile(rb"^\s*(?:continue|break)\s*(?:#|$)")),
    ("waits", re.compile(rb"\b(?:u?sleep|wait)\s*\(")),
    ("ends processes", re.compile(rb"\b(?:kill|killpg|pkill|terminate|abort|_exit|scancel)\b")),
    ("changes values in place", re.compile(rb"\.(?:mul|neg|add|sub|div|zero|fill|copy|clamp|uniform|normal)_\(")),
    ("changes a rate", re.compile(rb"\b(?:lr|learning_rate|weight_decay|momentum|dropout)\b\s*[*/+-]=")),
    ("sets seeds or the order of data", re.compile(rb"manual_seed|random\.seed|default_rng|deterministic|\bshuffle\b")),
    ("runs other code", re.compile(rb"\b(?:exec|eval|__import__|os\.system|popen)\s*\(|\b(?:subprocess|pickle|marshal|socket)\b")),
)
"""what code does that can harm a run, and mostly does not: real loops leave rows out, real clients wait"""
_MOST_PATHS = 20
"""paths of a commit that are read: what changes more is an import, and no edit is looked for by hand"""


def triggers(world: World, commits: list[str]) -> dict[str, tuple[str, str]]:
    """Return commit -> what it asks for, and what it does, either of which may be empty; of those that ask for anything or do any of it."""
    rows = world.tables.rows(
        "SELECT DISTINCT \"commit\" AS sha, coalesce(old_blob, '') AS old, coalesce(new_blob, '') AS new FROM changes WHERE list_contains($c, \"commit\") ORDER BY ALL",
        c=sorted({c.partition("@")[2] for c in commits}),
    )
    pairs: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in rows:
        pairs[row["sha"]].append((row["old"], row["new"]))
    pairs = defaultdict(list, {sha: found for sha, found in pairs.items() if len(found) <= _MOST_PATHS})
    contents = world.blobs({blob for found in pairs.values() for pair in found for blob in pair if blob.strip("0")})
    lines = {blob: Lines(map(bytes.rstrip, content.split(b"\n"))) for blob, content in contents.items() if lines_of(content) is not None}
    added = {
        c: [line for old, new in pairs[c.partition("@")[2]] if new in lines for line in lines[new] - lines.get(old, Lines())]
        for c in commits
    }
    told = {c: (_first(_WORDS, (line for line in found if _ASKS.search(line))), _first(_DOES, found)) for c, found in added.items()}
    return {c: words for c, words in told.items() if any(words)}


def _first(kinds: Iterable[tuple[str, re.Pattern[bytes]]], lines: Iterable[bytes]) -> str:
    """Return the words for the first kind that any line is of."""
    known = list(lines)
    return next((words for words, pattern in kinds if any(pattern.search(line) for line in known)), "")
