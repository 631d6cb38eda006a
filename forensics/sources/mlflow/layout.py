"""Which file of a file store is what, by its path alone.

    <experiment>/meta.yaml                     <experiment>/tags/<key>
    <experiment>/<run>/meta.yaml               <experiment>/<run>/params/<key>, tags/<key>, metrics/<key>
    <experiment>/<run>/artifacts/...           models/..., <experiment>/traces/..., and more that later versions added

The store may lie any number of folders below the source's path; a key may have slashes, and is then a path. A deleted
experiment is moved to .trash/<experiment>, with all of its runs.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from forensics.evidence import compression
from forensics.model import SourceConfig

META = "meta.yaml"
NOTES = frozenset(("params", "tags"))
_KEYED = NOTES | {"metrics"}
_SKIPPED = frozenset(("artifacts", "models", "traces", "inputs", "outputs", "datasets", "assessments"))
_SPECIAL = _KEYED | _SKIPPED
_RUN = re.compile(r"[0-9a-f]{32}")
"""MLflow names a run by a random UUID, and an experiment by a decimal number"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file stands in a store."""

    what: str
    """`meta`, `params`, `tags`, `metrics`, `skipped` (known, and opaque to us), or `other`"""
    folder: str
    """the run's or experiment's, below the source's path"""
    key: str = ""
    """the parameter, tag or metric"""


def place(name: str) -> Place:
    """Tell what a file is. The first folder of a known name decides: keys and artifacts may use such names again."""
    kind = compression(name)
    parts = (name.removesuffix(f".{kind}") if kind else name).split("/")
    for i, part in enumerate(parts[:-1]):
        if part in _SPECIAL:
            folder = "/".join(parts[:i])
            return Place(part, folder, "/".join(parts[i + 1 :])) if part in _KEYED else Place("skipped", folder)
    return Place("meta" if parts[-1] == META else "other", "/".join(parts[:-1]))


class Owners:
    """Tells runs from experiments by where their folders lie."""

    def __init__(self, source: SourceConfig, places: Iterable[Place], *, single: bool) -> None:
        top = PurePosixPath(source.path)
        self._top = top.parent.name if single else top.name
        self._described = {p.folder for p in places if p.what == "meta"}

    def name(self, folder: str) -> str:
        """Return the id that a folder stands for: its name."""
        return folder.rpartition("/")[2] or self._top

    def is_run(self, folder: str) -> bool:
        """Tell whether a folder is a run's: it is named like one, or lies in one that is described as an experiment."""
        above = folder.rpartition("/")[0]
        return bool(_RUN.fullmatch(self.name(folder))) or (bool(folder) and above in self._described)
