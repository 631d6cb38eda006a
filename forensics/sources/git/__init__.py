"""The source "git": every commit, tag, ref movement and changed path of a repository, reachable or not.

- `intake.py` the safe copy: objects alone, into an empty repository of our own; what else is of interest as plain files
- `layout.py` which file of a repository is what
- `packs.py` packs that git refuses, salvaged
- `command.py` git over that copy
- `inventory.py` which objects there are, the commits' bytes, what reaches them
- `stock.py` the account of all other objects, tags and LFS pointers
- `history.py` commits and the paths that they changed
- `objects.py` a commit's or tag's bytes, read
- `signatures.py` who signed one, as far as the signature says
- `plain.py` reflogs, refs, settings
"""

import json
from collections.abc import Iterator

from forensics.model import Batch, Evidence, Piece, Reject, Tier
from forensics.source import Source
from forensics.sources.git.history import read_commits
from forensics.sources.git.intake import copy_of, prepare
from forensics.sources.git.inventory import read_object
from forensics.sources.git.pieces import pieces_of
from forensics.sources.git.plain import read_plain
from forensics.sources.git.stock import read_stock

__all__ = ["SOURCE", "copy_of", "read_object"]


def split(evidence: Evidence) -> Iterator[Piece]:
    """Cut a prepared copy into pieces: ranges of commits, the other objects, each reflog and setting."""
    copy = copy_of(evidence.work, evidence.source.name)
    if not copy.is_dir():
        prepare(evidence)
    yield from pieces_of(evidence, copy)


def read(piece: Piece) -> Iterator[Batch]:
    """Turn a piece into rows."""
    copy = copy_of(piece.work, piece.source.name)
    context = json.loads(piece.context)
    what = context["what"]
    if what == "commits":
        yield from read_commits(piece, copy, context["first"], context["last"])
    elif what == "stock":
        yield from read_stock(piece, copy)
    elif what == "other":
        lost = [Reject(0, 0, context["damage"])] if context["damage"] else []
        yield Batch(rejects=lost, skipped=piece.file.size, damage=context["damage"])
    else:
        yield from read_plain(piece, context)


SOURCE = Source(
    name="git",
    reads="a git repository of a server or a clone: commits, tags, changed paths, reflogs, refs, settings",
    collect=(
        "tar -C /srv/git -cf train.git.tar train.git    # on the server; no `git clone`: it leaves reflogs and unreachable commits behind",
        "tar -C /share/alice -cf train.tar train/.git   # a clone, with its reflogs",
    ),
    reference="https://git-scm.com/docs/gitrepository-layout",
    tier=Tier.T3,
    keeps="reachable commits for ever; reflogs 90 days (30 for what nothing else names), then `git gc` drops what is unreachable",
    split=split,
    read=read,
    needs=("repo",),
    prepare=prepare,
)
