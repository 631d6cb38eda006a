"""How far what a commit changed lies from what the harmed runs load: it tells commits apart that reached exactly the same runs."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from forensics.reasoning.causes.imports import Imports
from forensics.reasoning.causes.runs import Runs
from forensics.reasoning.world import World

_DOCS = re.compile(
    r"(^|/)(docs?|tests?|examples?|\.github|\.gitlab)(/|$)|\.(md|rst|txt)$|(^|/)(license|codeowners|\.gitignore)$", re.IGNORECASE
)
_MERGE, _BESIDE, _OTHER_CONFIG, _DOC = 8, 1, 2, 4


def places(world: World, compared: Runs, commits: list[str], imported: Mapping[str, Imports]) -> dict[str, int]:
    """Tell of each commit how far what it changed lies from what the harmed runs load: 0 where they can load it.

    A program's own package is the folder that its entry point lies in; a configuration counts where their commands name it; a file of Python where the
    entry points can import it, as far as that is known (`imported`, by repository).
    """
    rows = world.tables.rows(
        'SELECT "commit" AS sha, list(DISTINCT path ORDER BY path)[:200] AS paths FROM changes WHERE list_contains($c, "commit") GROUP BY ALL ORDER BY ALL',
        c=sorted({c.partition("@")[2] for c in commits}),
    )
    changed = {r["sha"]: r["paths"] for r in rows}
    merges = {
        r["object"]
        for r in world.tables.rows(
            "SELECT DISTINCT object FROM events WHERE action = 'code.commit' AND list_contains($c, object) AND json_array_length(attrs, '$.parents') > 1",
            c=sorted(commits),
        )
    }
    texts = "\n".join(sorted({f["text"] for n, f in enumerate(compared.facts) if compared.bad >> n & 1}))
    entries = _entries(world)
    found = {}
    for commit in commits:
        paths = changed.get(commit.partition("@")[2], [])
        known = imported.get(commit.partition("@")[0])
        found[commit] = min((_distance(p, texts, entries, known) for p in paths), default=_DOC) + (_MERGE if commit in merges else 0)
    return found


def _distance(path: str, texts: str, entries: frozenset[str], imported: Imports | None) -> int:
    if _DOCS.search(path):
        return _DOC
    if path.endswith((".yaml", ".yml", ".toml", ".json", ".ini", ".cfg")):
        return 0 if path in texts else _OTHER_CONFIG
    if imported is not None and path in imported.known:
        return _BESIDE if imported.far(path) else 0
    top = path.partition("/")[0]
    return 0 if not entries or top in entries or path in texts else _BESIDE


def _entries(world: World) -> frozenset[str]:
    """Return the first folders of the programs that trackers name as entry points, within the working directory."""
    rows = world.tables.rows("""
        SELECT DISTINCT json_extract_string(r.attrs, '$.source') AS source, j.workdir FROM events r
        JOIN jobs j ON regexp_extract(j.job, '[^/]+$') = json_extract_string(r.attrs, '$.job')
        WHERE r.action = 'run.record' AND j.workdir IS NOT NULL AND json_extract_string(r.attrs, '$.source') IS NOT NULL ORDER BY ALL LIMIT 10000
    """)
    inside = (PurePosixPath(r["source"]) for r in rows if r["source"].startswith(r["workdir"].rstrip("/") + "/"))
    outside = {r["workdir"].rstrip("/") for r in rows}
    found = set()
    for path in inside:
        root = next((w for w in sorted(outside, key=len, reverse=True) if str(path).startswith(w + "/")), "")
        found.add(str(path).removeprefix(root + "/").partition("/")[0])
    return frozenset(found)
