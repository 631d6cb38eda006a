"""Which file is what, and which run's, by its path alone.

wandb/[offline-]run-<date>_<time>-<run id>/files/wandb-metadata.json, wandb-summary.json, config.yaml, requirements.txt
.../run-<run id>.wandb, logs/..., files/output.log, files/media/...      skipped
<anything>.csv, .json, .jsonl, .ndjson elsewhere                          exported by the API
"""

import re
from pathlib import PurePosixPath

from forensics.evidence import compression
from forensics.model import SourceConfig

_RUN = re.compile(r"(?:offline-)?run-\d{8}_\d{6}-([\w.-]{1,128})", re.ASCII)
_FILES = {
    "wandb-metadata.json": "metadata", "wandb-summary.json": "summary", "config.yaml": "config", "requirements.txt": "packages",
}  # fmt: skip
_TABLES = {".csv": "csv", ".json": "json", ".jsonl": "json", ".ndjson": "json"}
_HISTORY = re.compile(r"^(?:history|export|run|wandb)[-_.]|[-_.](?:history|export)$", re.IGNORECASE)


def place(source: SourceConfig, name: str) -> tuple[str, str]:
    """Return (what a file is, the run that its path names); an empty run where it names none."""
    whole = PurePosixPath(source.path) / name if name else PurePosixPath(source.path)
    kind = compression(whole.name)
    bare = whole.name.removesuffix(f".{kind}") if kind else whole.name
    folder = next((found for part in reversed(whole.parts[:-1]) if (found := _RUN.fullmatch(part))), None)
    below = folder is not None and whole.parent.name == "files"
    if bare in _FILES and (below or folder is None):
        return _FILES[bare], folder[1] if folder else _named(whole)
    if folder is not None:
        return "skipped", folder[1]
    return _TABLES.get(PurePosixPath(bare).suffix.lower(), "skipped" if name else "json"), _HISTORY.sub("", PurePosixPath(bare).stem)


def _named(whole: PurePosixPath) -> str:
    """Return the run of a file that was collected without its run's folder: the folder that it lies in, above `files`."""
    parent = whole.parent.parent if whole.parent.name == "files" else whole.parent
    return parent.name
