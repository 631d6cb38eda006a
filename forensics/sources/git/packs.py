"""Packs that git would refuse: indexed where they lack an index, salvaged object by object where they are damaged."""

from pathlib import Path

from forensics.sources.git.command import run
from forensics.sources.git.record import Broken


def mend(copy: Path, algorithm: str) -> tuple[Broken, ...]:
    """Make every pack of the copy readable as far as it can be; what is lost is returned, by object where its index says which."""
    broken: list[Broken] = []
    folder = copy / "objects" / "pack"
    for pack in sorted(folder.glob("*.pack")):
        if not _whole(pack, 32 if algorithm == "sha256" else 20) and not _indexed(copy, pack):
            broken += _salvage(copy, pack)
    for index in sorted(folder.glob("*.idx")):
        if not index.with_suffix(".pack").exists():
            broken.append(Broken("", f"{index.name}: the pack of this index is not there", 0))
            index.rename(copy / "record" / index.name)
    return tuple(broken)


def _whole(pack: Path, width: int) -> bool:
    """Tell whether a pack ends with the checksum that its index knows (git's own test when it opens one)."""
    index = pack.with_suffix(".idx")
    if not index.exists() or pack.stat().st_size < 12 + width or index.stat().st_size < 2 * width:
        return False
    with pack.open("rb") as stream, index.open("rb") as beside:
        stream.seek(-width, 2)
        beside.seek(-2 * width, 2)
        return stream.read(width) == beside.read(width)


def _indexed(copy: Path, pack: Path) -> bool:
    """Build a pack's index anew; false where the pack itself is damaged."""
    index = pack.with_suffix(".idx")
    kept = copy / "record" / index.name
    if index.exists():
        index.rename(kept)
    with pack.open("rb", buffering=0) as feed:
        done, answer, _ = run(copy, "index-pack", "--stdin", feed=feed)
    if done and f"pack-{answer.split()[-1].decode()}.pack" != pack.name:
        pack.unlink()
    return done


def _salvage(copy: Path, pack: Path) -> list[Broken]:
    """Unpack what can be unpacked of a damaged pack."""
    aside = pack.rename(copy / "record" / pack.name)
    with aside.open("rb", buffering=0) as feed:
        _, _, complaint = run(copy, "unpack-objects", "-r", "-q", feed=feed)
    index = copy / "record" / pack.with_suffix(".idx").name
    known = _known(copy, index) if index.exists() else []
    lost = [
        Broken(name, f"damaged pack {pack.name}", size) for name, size in _with_sizes(known, aside.stat().st_size) if not _loose(copy, name)
    ]
    if known:
        return lost or [Broken("", f"damaged pack {pack.name}: every object of its index was salvaged", 0)]
    return [Broken("", f"damaged pack {pack.name} without a usable index: {complaint}; what could be salvaged was", aside.stat().st_size)]


def _loose(copy: Path, name: str) -> bool:
    return (copy / "objects" / name[:2] / name[2:]).exists()


def _known(copy: Path, index: Path) -> list[tuple[int, str]]:
    """Return (place in the pack, id) of the objects that an index lists."""
    with index.open("rb", buffering=0) as feed:
        _, answer, _ = run(copy, "show-index", feed=feed)
    words = (line.split() for line in answer.splitlines())
    return sorted((int(w[0]), w[1].decode()) for w in words if len(w) >= 2 and w[0].isdigit())


def _with_sizes(known: list[tuple[int, str]], end: int) -> list[tuple[str, int]]:
    """Return (id, stored bytes) of each, up to the next one or the end of what is there."""
    if not known:
        return []
    places = [place for place, _ in known[1:]] + [end]
    return sorted((name, max(0, min(after, end) - min(place, end))) for (place, name), after in zip(known, places, strict=True))
