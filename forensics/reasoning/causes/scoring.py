"""How well sets of runs separate harmed from healthy ones, also inside subsets, and how often chance would do as well.

The score is the correlation (phi) between being reached and being harmed, at least 0: 1 where a change reached all harmed runs and no
healthy one. Ochiai's coefficient, which fault localisation uses, is the same but for chance: it is high for whatever reached nearly
everything, and would put an old commit before one of two causes.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics.reasoning.causes.runs import Runs, bits

Numbers = Mapping[str, Any]
Floats = npt.NDArray[np.float32]
_EVEN = 1e-9
_BLOCK = 1024
"""sets of runs that are compared at a time"""


@dataclass(frozen=True, slots=True)
class Subset:
    """Some of the runs, by a condition under which a change may act."""

    says: str
    """empty: all of them"""
    runs: int


@dataclass(frozen=True, slots=True)
class Scored:
    """How well a set of runs separates, in the subset where it does best."""

    score: float
    subset: Subset
    bad: int
    good: int


def subsets(compared: Runs, numbers: Numbers) -> list[Subset]:
    """Return all runs, and the subsets within which a change may act: large jobs, a queue, an account, a kind of model.

    None of them looks at which runs were harmed, so that shuffled labels are a fair comparison.
    """
    found = [Subset("", (1 << len(compared.jobs)) - 1)]
    sizes = sorted({f["gpus"] for f in compared.facts if f["gpus"]})
    found += [Subset(f"GPUs >= {least:g}", _at_least(compared, least)) for least in sizes[1:][-int(numbers["sizes"]) :]]
    for says, key in (("queue", "partition"), ("account", "actor"), ("model", "stem")):
        kinds: dict[str, int] = {}
        for n, fact in enumerate(compared.facts):
            if fact[key]:
                kinds[fact[key]] = kinds.get(fact[key], 0) | 1 << n
        common = sorted(kinds, key=lambda k: (-kinds[k].bit_count(), k))[: int(numbers["subsets_a_kind"])]
        found += [Subset(f"{says} = {k}", kinds[k]) for k in sorted(common)]
    count = compared.judged.bit_count()
    return [s for s in found if not s.says or float(numbers["subset_share"]) * count <= (s.runs & compared.judged).bit_count() < count]


def _at_least(compared: Runs, gpus: float) -> int:
    return bits(n for n, f in enumerate(compared.facts) if (f["gpus"] or 0) >= gpus)


def scores(sets: Sequence[int], compared: Runs, within: Sequence[Subset], numbers: Numbers) -> list[Scored]:
    """Score each set in the subset where it does best; a condition costs, so that it is only used where it tells much more."""
    count = len(compared.jobs)
    labels = [_row(kind & subset.runs, count) for subset in within for kind in (compared.bad, compared.good)]
    weights = np.stack(labels, axis=1)
    total = compared.bad.bit_count(), compared.good.bit_count()
    found: list[Scored] = []
    for first in range(0, len(sets), _BLOCK):
        rows = np.stack([_row(s, count) for s in sets[first : first + _BLOCK]])
        found += _best((rows @ weights).astype(np.float64), total, within, numbers)
    return found


def _best(reached: npt.NDArray[np.float64], total: tuple[int, int], within: Sequence[Subset], numbers: Numbers) -> list[Scored]:
    """Return the best score of each row; its columns count the harmed and the healthy runs that were reached, subset by subset."""
    harmed, healthy = total
    best, where = np.zeros(len(reached)), np.zeros(len(reached), np.int64)
    for n, subset in enumerate(within):
        a, b = reached[:, 2 * n], reached[:, 2 * n + 1]
        spread = np.sqrt((a + b) * (harmed + healthy - a - b) * harmed * healthy)
        score = np.divide(a * healthy - b * harmed, spread, out=np.zeros(len(reached)), where=spread > 0) * _cost(subset, numbers)
        better = score > best + _EVEN
        best[better], where[better] = score[better], n
    counts = reached.astype(np.int64)
    return [
        Scored(score, within[n], int(counts[r, 2 * n]), int(counts[r, 2 * n + 1])) if score > 0 else Scored(0.0, within[0], 0, 0)
        for r, (score, n) in enumerate(zip(best.tolist(), where.tolist(), strict=True))
    ]


def separation(reached: int, bad: int, good: int) -> float:
    """Return the correlation between being reached and being harmed; at least 0."""
    a, b, harmed, healthy = (reached & bad).bit_count(), (reached & good).bit_count(), bad.bit_count(), good.bit_count()
    spread = (a + b) * (harmed + healthy - a - b) * harmed * healthy
    return max(0.0, (a * healthy - b * harmed) / float(spread) ** 0.5) if spread else 0.0


def _cost(subset: Subset, numbers: Numbers) -> float:
    return float(numbers["condition"]) if subset.says else 1.0


def chances(sets: Sequence[int], compared: Runs, within: Sequence[Subset], numbers: Numbers, seed: str) -> Floats:
    """Return, for each of many shuffles of who was harmed, the best score that any set reaches in any subset.

    Many runs are compared by an even sample of them: chance reaches higher scores with fewer, so this errs on the safe side.
    """
    count = len(compared.jobs)
    places = np.flatnonzero(_row(compared.judged, count))
    taken = places[np.unique(np.linspace(0, len(places) - 1, min(len(places), int(numbers["sample"]))).astype(np.int64))]
    labels = _shuffled(_row(compared.bad, count)[taken], int(numbers["shuffles"]), seed)
    masks = np.stack([_row(s.runs, count)[taken] for s in within], axis=1)
    packed = [_taken(sets[n : n + _BLOCK], count, taken) for n in range(0, len(sets), _BLOCK)]
    bad = float(labels[:, 0].sum())
    best = np.zeros(labels.shape[1], np.float32)
    for n, subset in enumerate(within):
        held, cost = labels * masks[:, n : n + 1], np.float32(_cost(subset, numbers))
        for block in packed:
            rows = np.unpackbits(block, axis=1, count=len(taken)).astype(np.float32)
            sizes = rows @ masks[:, n]
            chosen = _could(sizes, bad, len(taken)) * cost > best.min()  # others can't be the best of any shuffle
            if chosen.any():
                best = np.maximum(best, _block(rows[chosen], sizes[chosen, None], held, bad) * cost)
    return best


def _could(sizes: Floats, bad: float, count: int) -> Floats:
    """Return the best score that sets of these sizes can reach under any shuffle: all that they reach are harmed, as far as there are so many."""
    hits = np.minimum(sizes, bad)
    spread = np.sqrt(np.maximum(sizes * (count - sizes) * bad * (count - bad), 1.0))
    found: Floats = ((hits * count - sizes * bad) / spread).astype(np.float32)
    return found


def _block(rows: Floats, sizes: Floats, labels: Floats, bad: float) -> Floats:
    """Return the best score of a block of sets under each shuffle; `labels`: those within a subset, of which each set reached `sizes` runs."""
    count = rows.shape[1]
    spread = np.sqrt(np.maximum(sizes * (count - sizes) * bad * (count - bad), 1.0))
    found: Floats = (((rows @ labels) * count - sizes * bad) / spread).max(axis=0).astype(np.float32)
    return found


def _taken(sets: Sequence[int], count: int, taken: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Return sets as rows of bits, of the runs that were taken."""
    rows = np.stack([_row(s, count)[taken] for s in sets])
    return np.packbits(rows.astype(np.uint8), axis=1)


def _row(reached: int, count: int) -> Floats:
    packed = np.frombuffer(reached.to_bytes((count + 7) // 8, "little"), np.uint8)
    return np.unpackbits(packed, bitorder="little")[:count].astype(np.float32)


def _shuffled(labels: Floats, times: int, seed: str) -> Floats:
    """Return shuffles of the labels, a column each; the seed comes from the case, so that the same case gives the same."""
    number = int.from_bytes(hashlib.sha256(seed.encode("utf-8", "backslashreplace")).digest()[:8], "big")
    generator = np.random.Generator(np.random.PCG64(number))
    return np.stack([generator.permutation(labels) for _ in range(times)], axis=1)
