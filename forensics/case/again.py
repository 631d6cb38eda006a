"""Opens an examination that is done for further questions: its tables, its case, and the contents of files in its repositories."""

import contextlib
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from forensics.case import own
from forensics.case.folder import open_case
from forensics.errors import CaseError, ForensicsError, IntegrityError
from forensics.evidence import sha256_of
from forensics.model import CaseConfig
from forensics.reasoning.policy import read_policy
from forensics.reasoning.world import World, world
from forensics.sources.git.blobs import read_blobs
from forensics.sources.git.intake import copy_of
from forensics.tables import Tables, open_tables


@contextlib.contextmanager
def again(out: Path, moved: Path | None = None) -> Iterator[World]:
    """Open what was examined; `moved`: where the case folder lies now. IntegrityError where its registers are not what they were at intake."""
    note = _note(out)
    root = moved or Path(note["case"])
    if not root.is_dir():
        raise CaseError("the case folder is not there any more", where=str(root), hint="--case names the folder, if it was moved")
    if not (out / "policy.toml").is_file():
        raise ForensicsError("has no policy.toml", where=str(out), hint="examine the case anew, with --force")
    with open_tables(out / "tables") as tables:
        _unchanged(tables, root)
        case, _ = open_case(root)
        if case.id != note["case_id"]:
            raise CaseError(
                f"this is the case {case.id!r}, and {note['case_id']!r} was examined", where=str(root), hint="name its own folder"
            )
        yield world(tables, case, read_policy(out / "policy.toml"), partial(read_blobs, _copies(out, case)))


def _note(out: Path) -> dict[str, Any]:
    try:
        found = json.loads((out / "examination.json").read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ForensicsError(
            "has no examination.json that can be read", where=str(out), hint="examine the case anew, with --force"
        ) from error
    if not isinstance(found, dict) or not all(isinstance(found.get(key), str) for key in ("case", "case_id")):
        raise ForensicsError("examination.json does not name its case", where=str(out), hint="examine the case anew, with --force")
    return found


def _unchanged(tables: Tables, root: Path) -> None:
    """Check case.toml and the registers against their hashes at intake: an answer of today must rest on the case of then."""
    noted = tables.rows("SELECT file, any_value(sha256) AS sha256 FROM files WHERE source = $s GROUP BY file ORDER BY file", s=own.NAME)
    for row in noted:
        path = root / row["file"]
        if row["file"] not in own.FILES or not path.is_file() or sha256_of(str(path)) != row["sha256"]:
            raise IntegrityError(
                "is not what it was at intake", where=str(path), hint="examine the case anew, or name the folder as it was with --case"
            )


def _copies(out: Path, case: CaseConfig) -> list[Path]:
    found = (copy_of(str(out / "work"), s.name) for s in sorted(case.sources, key=lambda s: s.name) if s.kind == "git")
    return [copy for copy in found if copy.is_dir()]
