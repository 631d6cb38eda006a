"""A BagIt bag (RFC 8493): payload below data/, manifests with SHA-256 and SHA-512, all lists sorted."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

Content = bytes | Path
KINDS = ("sha256", "sha512")
TAGMANIFESTS = tuple(f"tagmanifest-{kind}.txt" for kind in KINDS)
_BLOCK = 1 << 20
_DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


@dataclass(frozen=True, slots=True)
class Hashed:
    """A file's hashes and size."""

    sha256: str
    sha512: str
    size: int


def write_payload(folder: Path, payload: Mapping[str, Content]) -> dict[str, Hashed]:
    """Write the payload (names begin with data/) and return its hashes, as they are on the way to the disk."""
    return {name: _write(folder / name, payload[name]) for name in sorted(payload)}


def _write(path: Path, content: Content) -> Hashed:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
        return Hashed(hashlib.sha256(content).hexdigest(), hashlib.sha512(content).hexdigest(), len(content))
    one, two, size = hashlib.sha256(), hashlib.sha512(), 0
    with path.open("wb") as target:
        for block in blocks(content):
            one.update(block)
            two.update(block)
            size += target.write(block)
    return Hashed(one.hexdigest(), two.hexdigest(), size)


def write_tags(folder: Path, payload: Mapping[str, Hashed], info: Mapping[str, str], tags: Mapping[str, bytes]) -> dict[str, str]:
    """Write everything else that manifests list, and the tag manifests; return the SHA-256 of the latter by name."""
    oxum = f"{sum(h.size for h in payload.values())}.{len(payload)}"
    told = dict(info) | {"Payload-Oxum": oxum}
    files = {
        "bagit.txt": _DECLARATION,
        "bag-info.txt": "".join(f"{key}: {' '.join(told[key].split())}\n" for key in sorted(told)).encode(),
        **{f"manifest-{kind}.txt": _manifest({name: getattr(h, kind) for name, h in payload.items()}) for kind in KINDS},
        **tags,
    }
    hashed = {name: _write(folder / name, files[name]) for name in sorted(files)}
    found = {}
    for kind in KINDS:
        name = f"tagmanifest-{kind}.txt"
        found[name] = _write(folder / name, _manifest({tag: getattr(h, kind) for tag, h in hashed.items()})).sha256
    return found


def _manifest(hashes: Mapping[str, str]) -> bytes:
    return "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)).encode()


def blocks(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes."""
    with path.open("rb") as stream:
        yield from iter(lambda: stream.read(_BLOCK), b"")
