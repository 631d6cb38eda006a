"""The one zip that a bag's files make: in the order of their names, stored as they are, all of 1980; the same on every system."""

import zipfile
from pathlib import Path
from typing import BinaryIO

_BLOCK = 1 << 20
_REGULAR = 0o100644 << 16
_UNIX = 3


def write_zip(stream: BinaryIO, top: str, files: list[tuple[str, Path]]) -> None:
    """Write (name, file) pairs below the folder `top`. Stored, so that no version of a compressor matters and nothing can swell."""
    with zipfile.ZipFile(stream, "w") as packed:
        for name, path in sorted(files):
            info = zipfile.ZipInfo(f"{top}/{name}")
            info.create_system, info.external_attr = _UNIX, _REGULAR
            with packed.open(info, "w", force_zip64=True) as target, path.open("rb") as source:
                for block in iter(lambda s=source: s.read(_BLOCK), b""):  # type: ignore[misc]
                    target.write(block)
