"""Installed files that are not as their package's own list gives them, or that no list names; and the runs that load them.

A file on a mount comes to the runs that name its environment, a file of one node to those of them that ran there, and a file of an image to the runs of that image.
Where a tracker lists what a run had installed, and the package is not there, it did not come to that run.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from forensics.reasoning.causes.candidates import Candidate, named, reached_by
from forensics.reasoning.causes.runs import Runs
from forensics.reasoning.world import World

_IMPORTED = (".py", ".pth", ".so")
_SITE = re.compile(r"(.*)/[^/]+\.dist-info/RECORD", re.DOTALL)
_IMAGE = re.compile(r"(image:[^@]*@sha256:[0-9a-f]{64}):?(/.*)", re.ASCII | re.DOTALL)
_FILE = re.compile(r"file://([^/]*)(/.*)", re.DOTALL)

_THERE = "SELECT object, target, min(id) AS id FROM events WHERE action = 'file.content' AND object IS NOT NULL GROUP BY ALL ORDER BY ALL"
_LISTED = (
    "SELECT object, target, name, min(id) AS id FROM events WHERE action = 'file.listed' AND object IS NOT NULL GROUP BY ALL ORDER BY ALL"
)


@dataclass(frozen=True, slots=True, order=True)
class Altered:
    """An installed file that is not what was installed."""

    object: str
    package: str
    """`pkg:pypi/<name>@<version>`; empty where no list names the file"""
    found: str
    """`sha256:<hex>` of what lies there"""
    listed: str
    """the same as the list gives it; empty where none does"""
    refs: tuple[int, ...]
    """the file, and the line of the list"""

    @property
    def says(self) -> str:
        """Say what is odd about it."""
        if not self.listed:
            return f"it was collected as {_short(self.found)}, and no list of the packages around it names it"
        return f"it was collected as {_short(self.found)}, where the list of {self.package} gives {_short(self.listed)}"


def _short(digest: str) -> str:
    return digest[: len("sha256:") + 12]


def altered(world: World) -> tuple[Altered, ...]:
    """Compare collected files with the lists of their packages; a file that one list gives as it is counts as installed."""
    listed: dict[str, list[tuple[str, str, int]]] = defaultdict(list)
    for row in world.tables.rows(_LISTED):
        listed[row["object"]].append((row["target"], row["name"] or "", row["id"]))
    if not listed:
        return ()
    found = []
    sites: set[str] = set()
    rows = world.tables.rows(_THERE)
    for row in rows:
        if site := _SITE.fullmatch(row["object"]):
            sites.add(site[1])
        lines = listed.get(row["object"], [])
        if lines and all(digest != row["target"] for digest, _, _ in lines):
            digest, package, line = lines[0]
            found.append(Altered(row["object"], package, row["target"], digest, (row["id"], line)))
    found += [
        Altered(r["object"], "", r["target"], "", (r["id"],)) for r in rows if r["object"] not in listed and _in_none(r["object"], sites)
    ]
    return tuple(sorted(found))


def _in_none(reference: str, sites: set[str]) -> bool:
    """Tell whether a file that no list names is one that Python imports: at the top of a folder of packages, or below."""
    if not reference.endswith(_IMPORTED) or "/__pycache__/" in reference:
        return False
    parts = reference.split("/")
    return any("/".join(parts[:n]) in sites for n in range(1, len(parts)))


def installed(world: World, compared: Runs, found: tuple[Altered, ...]) -> Iterator[Candidate]:
    """Yield each of these files with the runs that load it; the same content in several places also as one change, named by its digest."""
    folders, without = named(compared), _without(world, compared)
    there: dict[str, int] = {}
    by_content: dict[tuple[str, str], tuple[int, int]] = {}
    for file in found:
        reached = _reached(file.object, compared, folders, there) & ~without.get(_name(file.package), 0)
        if not reached:
            continue
        yield Candidate(file.object, "file", None, reached, reached, fault=file.says)
        together, places = by_content.get((file.package, file.found), (0, 0))
        by_content[file.package, file.found] = (together | reached, places + 1)
    for (package, content), (reached, places) in sorted(by_content.items()):
        if places > 1:
            yield Candidate(content, "file", None, reached, reached, fault=_of_several(package, places))


def _of_several(package: str, places: int) -> str:
    if package:
        return f"it lies in {places} of the collected environments, and the list of {package} gives another content"
    return f"it lies in {places} of the collected environments, and no list of packages names it"


def of_images(found: tuple[Altered, ...]) -> dict[str, str]:
    """Return digest of an image -> which installed files in it are not as listed."""
    by_image: dict[str, list[str]] = defaultdict(list)
    for file in found:
        if image := _IMAGE.fullmatch(file.object):
            by_image[image[1].rpartition(":")[2]].append(image[2])
    return {digest: _of_image(paths) for digest, paths in by_image.items()}


def _of_image(paths: list[str]) -> str:
    if len(paths) == 1:
        return f"in it, 1 installed file is not as listed, first {paths[0]}"
    return f"in it, {len(paths)} installed files are not as listed, first {paths[0]}"


def _reached(reference: str, compared: Runs, folders: dict[str, int], there: dict[str, int]) -> int:
    """Return the runs that load a file; `there` keeps those of each image and host, of which there are many files."""
    if image := _IMAGE.fullmatch(reference):
        wanted = image[1].partition("@")[2]
        if wanted not in there:
            there[wanted] = compared.where(lambda fact: fact["image"].endswith(wanted))
        return there[wanted]
    place = _FILE.fullmatch(reference)
    if place is None:
        return 0
    reached, host = reached_by(reference, folders), place[1]
    if not host:
        return reached
    if host not in there:
        there[host] = compared.where(lambda fact: any(_same_host(node, host) for node in fact["nodes"]))
    return there[host] & reached or there[host]


def _same_host(node: str, host: str) -> bool:
    """Tell whether a node's reference and a host's name are about one machine: schedulers write short names."""
    name = node.rpartition("/")[2]
    return name == host or ("." in host + name and name.partition(".")[0] == host.partition(".")[0])


def _name(package: str) -> str:
    return package.partition("@")[0]


_INSTALLED = """
    SELECT j.job, list(DISTINCT split_part(p.target, '@', 1)) AS names FROM events p JOIN events r ON r.action = 'run.record' AND r.object = p.object
    JOIN jobs j ON regexp_extract(j.job, '[^/]+$') = json_extract_string(r.attrs, '$.job')
    WHERE p.action = 'run.package' AND list_contains($jobs, j.job) GROUP BY j.job ORDER BY j.job
"""


def _without(world: World, compared: Runs) -> dict[str, int]:
    """Return package -> the runs whose list of what was installed does not have it, of packages that any such list has."""
    places = {job: 1 << n for n, job in enumerate(compared.jobs)}
    has: dict[str, int] = defaultdict(int)
    told = 0
    for row in world.tables.rows(_INSTALLED, jobs=list(compared.jobs)):
        told |= places[row["job"]]
        for name in row["names"]:
            has[name] |= places[row["job"]]
    return {name: told & ~runs for name, runs in has.items()}
