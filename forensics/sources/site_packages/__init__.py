"""The source "site_packages": installed Python packages as they were collected, against their own lists of hashes. Nothing is imported.

- `lists.py` what a file is, and what a line of a list says
- `archives.py` an environment that was handed in as one .tar (.gz, .zst) or .zip

Per file one `file.content` (object=<prefix><path>, target=sha256:<hex> of its bytes), and per line of a list (`*.dist-info/RECORD`) that bears a
SHA-256 one `file.listed` (object=the file that it names, target=sha256:<hex> as listed, name=<package>@<version>; attrs: list). Nothing says when a file
was written, so these events have no time and no actor. What a list says and what lies there are put together by the reasoning.

Tier T2: whoever may write there may write the list as well; that both agree shows little, that they differ shows that something was changed after the
installation.
"""

from collections.abc import Iterator
from pathlib import Path

from forensics import records
from forensics.evidence import Unpacked, open_text, sha256_of
from forensics.model import Batch, Piece, Tier
from forensics.source import Source
from forensics.sources.site_packages import archives
from forensics.sources.site_packages.lists import LIST, content, lines_of

_BLOCK = 1 << 20


def read(piece: Piece) -> Iterator[Batch]:
    """Turn a file into its events: what it is, and of a list also what it says of others; of an archive, every file in it."""
    if archives.is_archive(piece):
        yield from archives.read(piece)
        return
    name = piece.file.file or Path(piece.source.path).name
    yield _content(piece, name)
    if name.endswith(LIST):
        yield from records.each_line(piece, lines_of(piece, name))


def _content(piece: Piece, name: str) -> Batch:
    """Say what a file is; of a list, its bytes are booked line by line."""
    with open_text(piece.file) as stream:
        size = 0
        while data := stream.read(_BLOCK):
            size += len(data)
        digest = piece.file.sha256 or sha256_of(piece.file.path)
        batch = Batch([content(piece, name, digest, 0, size)], parsed=0 if name.endswith(LIST) else size)
        if isinstance(stream, Unpacked) and not name.endswith(LIST):
            batch.consumed, batch.damage = stream.consumed, stream.damage
    return batch


SOURCE = Source(
    name="site_packages",
    reads="installed Python packages, as files: each file's digest against its package's own list (RECORD)",
    collect=(
        'cp -a /share/envs/train/lib/python3.11/site-packages evidence/env    # prefix = "file:///share/envs/train/lib/python3.11/site-packages/"',
        'or the same as one archive: tar -C /share/envs -czf evidence/env.tar.gz train    # prefix = "file:///share/envs/", path = "evidence/env.tar.gz"',
        'the same of one node: prefix = "file://<node>/<path>/"; of an image, unpacked from its layers: prefix = "image:<name>@sha256:<digest>:/<path>/"',
    ),
    reference="https://packaging.python.org/en/latest/specifications/recording-installed-packages/",
    tier=Tier.T2,
    keeps="the environment, until it is built anew",
    split=records.split_whole,
    read=read,
)
