"""Bundles: refs from the header, objects from the pack behind it (https://git-scm.com/docs/gitformat-bundle)."""

import re
from collections.abc import Callable
from pathlib import Path

from forensics.errors import EvidenceError
from forensics.model import Evidence, EvidenceFile
from forensics.sources.git.command import BLOCK, blocks, run
from forensics.sources.git.layout import Role
from forensics.sources.git.record import Plain, Record

LONGEST_HEADER = 64 << 20
_SIGNATURE = re.compile(rb"# v[23] git bundle\n")


def is_bundle(evidence: Evidence) -> bool:
    """Tell whether a source is a bundle, by its name."""
    return len(evidence.files) == 1 and evidence.files[0].path.endswith(".bundle")


def unbundle(file: EvidenceFile, copy: Path, empty: Callable[[Path, str], None]) -> Record:
    """Index the bundle's pack in an empty repository; EvidenceError where it is no bundle."""
    head = _head(file)
    algorithm = "sha256" if b"\n@object-format=sha256\n" in head else "sha1"
    empty(copy, algorithm)
    (copy / "record" / "plain-000000").write_bytes(head)
    pack = copy / "objects" / "pack" / "pack-bundle.pack"
    with Path(file.path).open("rb") as stream, pack.open("wb") as out:
        stream.seek(len(head))
        for data in blocks(stream):
            out.write(data)
    _index(copy, pack)
    plain = Plain(Role.PACKED_REFS, file.file, "bundle", "plain-000000", len(head), file.sha256)
    return Record(algorithm, (plain,), 0)


def _head(file: EvidenceFile) -> bytes:
    """Return the bundle's text up to its pack, the empty line included."""
    head = b""
    with Path(file.path).open("rb") as stream:
        while len(head) < LONGEST_HEADER and (data := stream.read(BLOCK)):
            head += data
            if not _SIGNATURE.match(head):
                break
            end = head.find(b"\n\n")
            if end >= 0:
                return head[: end + 2]
    raise EvidenceError(
        "is no git bundle of version 2 or 3", where=file.file or "the bundle", hint="collect it again, or give the repository itself"
    )


def _index(copy: Path, pack: Path) -> None:
    """Complete a thin pack and index it; what fails is left to be salvaged as a damaged pack."""
    with pack.open("rb", buffering=0) as feed:
        done, _, _ = run(copy, "index-pack", "--stdin", "--fix-thin", feed=feed)
    if done:
        pack.unlink()
