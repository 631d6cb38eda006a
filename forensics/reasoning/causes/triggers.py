"""Whether what a commit added asks for a given date, size of the job, or person or place: such a change may act long after it arrived, or on some runs alone.

It is a reason to look, and no more: it only decides between commits that separate equally well. The lines are searched as text, not parsed: the order of
causes must not hang on what else is installed (the rules of `patterns/` need an extra).
"""

import re
from collections import defaultdict

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
_MOST_PATHS = 20
"""paths of a commit that are read: what changes more is an import, and no edit is looked for by hand"""


def triggers(world: World, commits: list[str]) -> dict[str, str]:
    """Return commit -> what it asks for, of those that ask for any."""
    rows = world.tables.rows(
        "SELECT DISTINCT \"commit\" AS sha, coalesce(old_blob, '') AS old, coalesce(new_blob, '') AS new FROM changes WHERE list_contains($c, \"commit\") ORDER BY ALL",
        c=sorted({c.partition("@")[2] for c in commits}),
    )
    pairs: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in rows:
        pairs[row["sha"]].append((row["old"], row["new"]))
    pairs = defaultdict(list, {sha: found for sha, found in pairs.items() if len(found) <= _MOST_PATHS})
    contents = world.blobs({blob for found in pairs.values() for pair in found for blob in pair if blob.strip("0")})
    lines = {blob: found for blob, content in contents.items() if (found := lines_of(content)) is not None}
    asked = {c: _asked(pairs[c.partition("@")[2]], lines) for c in commits}
    return {c: words for c, words in asked.items() if words}


def _asked(pairs: list[tuple[str, str]], lines: dict[str, Lines]) -> str:
    """Return what the lines that were added ask for."""
    added = [line for old, new in pairs if new in lines for line in lines[new] - lines.get(old, Lines())]
    asking = [line for line in added if _ASKS.search(line)]
    return next((words for words, pattern in _WORDS if any(pattern.search(line) for line in asking)), "")
