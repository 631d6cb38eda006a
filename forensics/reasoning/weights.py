"""Tensors of a checkpoint against those of its lineage, by name, kind and shape, and by their bytes where these were digested."""

import json
from collections.abc import Iterator, Sequence

from forensics.reasoning.act import Row
from forensics.reasoning.new import New
from forensics.reasoning.world import World

Forms = dict[str, tuple[str, str, str]]
"""name -> kind and shape, the digest of its bytes or an empty text, and the CRC-32 that its container claims of them, or an empty text"""
_NAMED = 3
"""tensors that a sentence names"""
_FEW = 0.5
"""the share of tensors up to which those that differ from another checkpoint are few: training moves nearly all of them"""
_HONEST = ("layers that were added, renamed, converted or left out", "another version of the framework or of the model's code")
_HONEST_BYTES = ("layers that were frozen while others were trained", "a part that was trained on its own, and put in")


def altered_tensors(world: World, own: Row, others: list[Row]) -> Iterator[New]:
    """Yield tensors that none of its lineage has, that all of it have and this one lacks, or that have another form; and a copy of which a few were changed."""
    known = _forms(world, [own, *others])
    mine = known.pop(own["object"], None)
    if mine is None or not known:
        return
    event, forms, container = mine
    known = {name: told for name, told in known.items() if told[2] == container}  # one that was converted has other names for all
    if not known:
        return
    refs = (event, *(e for e, _, _ in list(known.values())[:3]))
    theirs = [f for _, f, _ in known.values()]
    ever = {name for f in theirs for name in f}
    always = set(theirs[0]).intersection(*theirs)
    if new := sorted(set(forms) - ever):
        yield New(
            "tensor",
            _first(new),
            f"it holds the tensors {_first(new)}, {len(new)} in all, which no checkpoint of its lineage has",
            _HONEST,
            refs,
        )
    if gone := sorted(always - set(forms)):
        yield New(
            "tensor",
            _first(gone),
            f"it lacks the tensors {_first(gone)}, {len(gone)} in all, which every checkpoint of its lineage has",
            _HONEST,
            refs,
        )
    yield from _reshaped(forms, theirs, refs)
    yield from _edited(event, forms, known)


def _reshaped(forms: Forms, theirs: Sequence[Forms], refs: tuple[int, ...]) -> Iterator[New]:
    for name in sorted(forms):
        before = {f[name][0] for f in theirs if name in f}
        if before and forms[name][0] not in before:
            shown = ", ".join(sorted(before))
            yield New("tensor", name, f"its tensor {name} is {forms[name][0]}; in its lineage it is {shown}", _HONEST, refs)


def _edited(event: int, forms: Forms, known: dict[str, tuple[int, Forms, str]]) -> Iterator[New]:
    """Yield that it is another checkpoint but for a few tensors, where no two of the others are so alike."""
    alike = [(len(changed), name, other, changed) for name, (other, f, _) in known.items() if (changed := _few(forms, f)) is not None]
    pairs = [f for _, f, _ in known.values()]
    if not alike or any(_few(a, b) is not None for n, a in enumerate(pairs) for b in pairs[n + 1 :]):
        return
    count, name, other, changed = min(alike)
    digested = all(forms[n][1] and known[name][1][n][1] for n in forms)
    says = (
        f"byte for byte it is {name} but for {count} of {len(forms)} tensors, {_first(changed)}; no two others of its lineage are so alike"
        if digested
        else f"by the checksums (CRC-32) that the containers claim, it is {name} but for {count} of {len(forms)} tensors, {_first(changed)}; no two others of its lineage are so alike"
    )
    yield New("tensor", _first(changed), says, _HONEST_BYTES, (event, other))


def _few(a: Forms, b: Forms) -> list[str] | None:
    """Return the tensors whose bytes differ, where these are few, and not none; None where they are not, or where digests lack."""
    if set(a) != set(b):
        return None
    by = next((place for place in (1, 2) if all(a[n][place] and b[n][place] for n in a)), 0)
    if not by:
        return None
    changed = sorted(n for n in a if a[n][by] != b[n][by] or a[n][0] != b[n][0])
    return changed if 0 < len(changed) <= _FEW * len(a) else None


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + ("…" if len(names) > _NAMED else "")


def _forms(world: World, contents: list[Row]) -> dict[str, tuple[int, Forms, str]]:
    """Return object -> the event that tells its tensors, these, and the container that holds them."""
    rows = world.tables.rows(
        "SELECT id, object, attrs FROM events WHERE action = 'object.tensors' AND list_contains($o, object) ORDER BY object, id",
        o=sorted({c["object"] for c in contents}),
    )
    told = ((r, json.loads(r["attrs"])) for r in rows)
    return {
        r["object"]: (
            r["id"],
            {n: (f[0], f[1], f[2] if len(f) > 2 else "") for n, f in facts["tensors"].items()},
            facts.get("container", ""),
        )
        for r, facts in told
    }
