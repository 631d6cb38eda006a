"""The one zip that a bag's files make: in the order of their names, stored as they are, all of 1980; the same on every system."""

import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

_BLOCK = 1 << 20
_REGULAR = 0o100644 << 16
_UNIX = 3


def write_zip(stream: BinaryIO, top: str, files: Mapping[str, Path]) -> None:
    """Write files by name below the folder `top`."""
    pack(stream, top, sorted(files), lambda name: files[name].open("rb"))


def pack(stream: BinaryIO, top: str, names: Iterable[str], opened: Callable[[str], BinaryIO]) -> None:
    """Write the zip of names, in their order. Stored, so that no version of a compressor matters and nothing can swell."""
    with zipfile.ZipFile(stream, "w") as packed:
        for name in names:
            info = zipfile.ZipInfo(f"{top}/{name}")
            info.create_system, info.external_attr = _UNIX, _REGULAR
            with packed.open(info, "w", force_zip64=True) as target, opened(name) as source:
                for block in iter(lambda s=source: s.read(_BLOCK), b""):  # type: ignore[misc]
                    target.write(block)
