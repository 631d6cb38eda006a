"""Cells of many records at once: what reads JSON a block at a time hands to Arrow without a detour through rows."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from forensics.errors import RecordError
from forensics.times import SECOND, instant

_MINUTE = len("2024-06-01T00:00")
_SECOND = len("2024-06-01T00:00:")
_FRACTION = len("2024-06-01T00:00:00.")
_WHOLE, _MICRO = len("2024-06-01T00:00:00Z"), len("2024-06-01T00:00:00.000000Z")
_ZERO, _COLON, _DOT, _Z = b"0:.Z"
_NANOS = np.array([10 * SECOND, SECOND, 0, *(10**n for n in range(8, 2, -1))], np.int64)
"""what a digit is worth at each place after the minute"""


def instants(texts: Sequence[str]) -> list[int | None]:
    """Read times written `2024-06-01T00:00:00Z`, with microseconds or without, as `times.instant` does.

    None for any other, and where others of its length are not in ASCII: those are for `times.instant` itself.
    """
    sizes = set(map(len, texts))
    if len(sizes) == 1:
        return _same_size(texts, sizes.pop())
    found: list[int | None] = [None] * len(texts)
    for size in sizes & {_WHOLE, _MICRO}:
        rows = [n for n, text in enumerate(texts) if len(text) == size]
        for n, time in zip(rows, _same_size([texts[n] for n in rows], size), strict=True):
            found[n] = time
    return found


def _same_size(texts: Sequence[str], size: int) -> list[int | None]:
    joined = "".join(texts)
    if size not in {_WHOLE, _MICRO} or not joined.isascii():
        return [None] * len(texts)
    cells = np.frombuffer(joined.encode(), np.uint8).reshape(-1, size)
    digits = cells[:, _SECOND:-1] - _ZERO  # what is below "0" wraps around, and is far above 9
    good = (cells[:, _MINUTE] == _COLON) & (cells[:, -1] == _Z) & (digits[:, 0] < 6) & (digits[:, 1] <= 9)
    if size == _MICRO:
        good &= (cells[:, _FRACTION - 1] == _DOT) & (digits[:, 3:] <= 9).all(axis=1)
    times = _minutes(joined, cells, good) + digits @ _NANOS[: digits.shape[1]]
    return times.tolist() if good.all() else [time if fine else None for time, fine in zip(times.tolist(), good.tolist(), strict=True)]


def _minutes(text: str, cells: npt.NDArray[np.uint8], good: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return the nanoseconds of each time's minute, and note where there is no such minute. Logs are in order: the same one, many times."""
    count, size = cells.shape
    keys = np.ascontiguousarray(cells[:, :_MINUTE]).view(np.uint64)
    borders = [0, *(np.flatnonzero((keys[1:] != keys[:-1]).any(axis=1)) + 1).tolist(), count]
    minutes = np.zeros(count, np.int64)
    for first, after in pairwise(borders):
        minute = text[first * size : first * size + _MINUTE]
        try:
            minutes[first:after] = instant(minute + ":00Z")[0]
        except RecordError:
            good[first:after] = False
        if minute[11:13] >= "24":  # no second may follow 24:00
            good[first:after] = False
    return minutes
