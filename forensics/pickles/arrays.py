"""Arrays that joblib writes between the opcodes of a pickle: how long they are, so that they can be passed over.

Format: https://github.com/joblib/joblib/blob/main/joblib/numpy_pickle.py (NumpyArrayWrapper: a byte that says how many follow to align the array, then the array)
"""

import re
from collections.abc import Mapping

from forensics.errors import RecordError
from forensics.pickles.values import Container, Result

WRAPPERS = ("joblib.numpy_pickle.NumpyArrayWrapper", "sklearn.externals.joblib.numpy_pickle.NumpyArrayWrapper")
OBJECTS = -1
"""in the place of a length: the array is a pickle of its own"""
_KIND = re.compile(r"[<>|=]?([biufcmMO?])(\d{0,3})", re.ASCII)
"""kinds whose length stands in their name; that of texts and records is set afterwards, and may be another"""
_FACTS = 16
"""keys and values of a description that are remembered; one with more may hold another shape further on"""
_MOST = 1 << 62


def facts_of(state: object) -> Mapping[object, object]:
    """Return what a wrapper is told of its array; empty where it is told nothing."""
    if not isinstance(state, Container) or len(state.items) >= _FACTS:
        return {}
    keys, values = state.items[::2], state.items[1::2]
    return {key: value for key, value in zip(keys, values, strict=False) if isinstance(key, str)}


def length_of(facts: Mapping[object, object]) -> int:
    """Return the bytes of an array, or OBJECTS. RecordError where they can't be told."""
    kind, shape = facts.get("dtype"), facts.get("shape")
    found = _KIND.fullmatch(kind.kind) if isinstance(kind, Result) else None
    if found is None or not isinstance(shape, Container) or len(shape.items) >= _FACTS:
        raise RecordError("an array whose length is not known")
    if found[1] == "O":
        return OBJECTS
    length = int(found[2] or 1)
    for dimension in shape.items:
        if not isinstance(dimension, int) or dimension < 0:
            raise RecordError("an array whose length is not known")
        length *= dimension
        if length > _MOST:
            raise RecordError("an array that is longer than any file")
    return length


def kind_of(arguments: object) -> str:
    """Return the first argument of `numpy.dtype`, where it is a text: the kind of an array's elements."""
    first = arguments.items[0] if isinstance(arguments, Container) and arguments.items else None
    return first if isinstance(first, str) else ""
