"""What each tensor of a file is: kind, shape, and a digest of its bytes, so that checkpoints of one run can be compared tensor by tensor."""

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from forensics.containers import STORED, Member, View
from forensics.pickles.held import form_of
from forensics.sources.checkpoint.contents import Contents, Described
from forensics.tensors import Entry

DIGESTED = 4 << 30
"""bytes of tensors of one file that are digested a second time; of what lies beyond, kind and shape are told alone"""
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Form:
    """A tensor, as far as it is told."""

    form: str
    """kind and shape, `F32[4096,1024]`"""
    sha256: str = ""
    """of its bytes (in a torch file: of the whole storage in which it lies); empty beyond the budget"""
    crc: str = ""
    """the CRC-32 that the container claims of them"""


@dataclass(frozen=True, slots=True)
class Forms:
    """The tensors of a file, and where it describes them."""

    container: str = ""
    """safetensors or torch-zip; empty where they are not told"""
    start: int = 0
    end: int = 0
    tensors: tuple[tuple[str, Form], ...] = ()
    problems: tuple[tuple[int, str], ...] = ()


def forms_of(view: View, found: Contents) -> Forms:
    """Return the tensors of a safetensors file, or of a torch zip; of legacy files, and of those inside others, nothing."""
    if found.header is not None and found.header.entries:
        return Forms("safetensors", 0, found.header.end, tuple(_of_safetensors(view, found.header.entries).items()))
    if found.members and len(found.described) == 1:
        return _of_zip(view, found.members, found.described[0])
    return Forms()


def _of_safetensors(view: View, entries: Iterable[Entry]) -> dict[str, Form]:
    left, found = DIGESTED, {}
    for entry in entries:
        left -= entry.end - entry.start
        found[entry.name] = Form(entry.form, _digest(view, entry.start, entry.end)[0] if left >= 0 else "")
    return found


def _of_zip(view: View, members: Sequence[Member], described: Described) -> Forms:
    """Digest each storage once, as it lies there; a name that several members have stands for none of them."""
    count = Counter(m.name for m in members)
    by_name = {m.name: m for m in members if count[m.name] == 1}
    left = DIGESTED
    digests: dict[str, tuple[str, str]] = {}
    problems: list[tuple[int, str]] = []
    tensors: dict[str, Form] = {}
    for name, tensor in sorted(described.weights):
        member = by_name.get(f"{described.folder}/data/{tensor.key}" if described.folder != "." else f"data/{tensor.key}")
        if member is not None and member.name not in digests:
            sha256 = ""
            plain = member.method == STORED and not member.locked and member.data + member.packed <= view.size
            left -= member.packed if plain else 0
            if plain and left >= 0:
                sha256, crc = _digest(view, member.data, member.data + member.packed)
                if crc != member.crc:
                    problems.append((member.header, f"{member.name[:200]}: its bytes are not those of the checksum beside it"))
            digests[member.name] = sha256, f"{member.crc:08x}"
        tensors[name] = Form(form_of(tensor), *(digests[member.name] if member is not None else ()))
    return Forms("torch-zip", described.start, described.end, tuple(tensors.items()), tuple(problems[:100]))


def _digest(view: View, start: int, end: int) -> tuple[str, int]:
    """Return SHA-256 and CRC-32 of a stretch."""
    digest, crc = hashlib.sha256(), 0
    for at in range(start, end, _BLOCK):
        block = view.read(at, min(_BLOCK, end - at))
        digest.update(block)
        crc = zlib.crc32(block, crc)
    return digest.hexdigest(), crc
