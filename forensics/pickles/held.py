"""Which tensors a pickle of torch describes, and under which names it holds them: told from the opcodes, while nothing is built.

torch writes a tensor as a call of `torch._utils._rebuild_tensor_v2(storage, offset, size, stride, ...)`, where the storage is a persistent id
`("storage", torch.FloatStorage, key, device, elements)` (torch/_utils.py, torch/serialization.py). The bytes lie elsewhere, under that key.
"""

from collections.abc import Iterator

from forensics.pickles.values import Container, Reference, Result, Storage, Tensor

LISTED = 20_000
"""tensors that are told one by one; the largest models have fewer"""
_VISITS = 200_000
"""names that are followed: a dictionary may hold another many times over"""
_DEEPEST = 40
_NAME = 200
_KINDS = {
    "Float": "F32", "Double": "F64", "Half": "F16", "BFloat16": "BF16", "Long": "I64", "Int": "I32", "Short": "I16", "Char": "I8", "Byte": "U8",
    "Bool": "BOOL", "ComplexFloat": "C64", "ComplexDouble": "C128",
    "float32": "F32", "float64": "F64", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8", "uint8": "U8",
    "bool": "BOOL", "complex64": "C64", "complex128": "C128", "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "uint16": "U16", "uint32": "U32",
    "uint64": "U64",
}  # fmt: skip
"""torch's names of kinds -> those of safetensors"""
_BUILDERS = {"_rebuild_tensor": 4, "_rebuild_tensor_v2": 4, "_rebuild_tensor_v3": 7}
"""calls that make a tensor, and how many of their arguments describe it"""
_WRAPPERS = ("_rebuild_parameter", "_rebuild_parameter_with_state")
_DICTIONARIES = ("collections.OrderedDict", "collections.defaultdict")


def storage_of(value: object) -> Storage | None:
    """Return the storage that a persistent id names."""
    if not isinstance(value, Container) or len(value.items) < 3 or value.items[0] != "storage":
        return None
    kind, key = value.items[1:3]
    if not isinstance(kind, Reference) or not isinstance(key, str):
        return None
    return Storage(kind.name.removesuffix("Storage")[:_NAME], key[:_NAME])


def made(root: Reference, arguments: list[object]) -> Tensor | Container | None:
    """Return what a call makes, where that is a tensor, or a dictionary that may come to hold some."""
    if f"{root.module}.{root.name}" in _DICTIONARIES:
        return Container()
    if root.module != "torch._utils" or not arguments or not isinstance(arguments[0], Container):
        return None
    items = arguments[0].items
    if root.name in _WRAPPERS:
        inner = items[0].held if items and isinstance(items[0], Result) else None
        return inner if isinstance(inner, Tensor) else None
    if len(items) < _BUILDERS.get(root.name, len(items) + 1) or not isinstance(items[0], Result) or not isinstance(items[0].held, Storage):
        return None
    storage, shape, steps = items[0].held, _numbers(items[2]), _numbers(items[3])
    offset = items[1]
    if shape is None or steps is None or not is_number(offset) or len(shape) != len(steps):
        return None
    kind = items[6].name if root.name == "_rebuild_tensor_v3" and isinstance(items[6], Reference) else storage.kind
    assert isinstance(offset, int)
    return Tensor(storage.key, _KINDS.get(kind, kind[:20]), offset, shape, steps)


def _numbers(value: object) -> tuple[int, ...] | None:
    if not isinstance(value, Container) or value.count != len(value.items):
        return None
    found = tuple(item for item in value.items if isinstance(item, int) and is_number(item))
    return found if len(found) == value.count else None


def is_number(value: object) -> bool:
    """Tell whether it is a number that a shape may have."""
    return isinstance(value, int) and 0 <= value < 1 << 63


def holding(value: object) -> Tensor | Container | None:
    """Return what is, or holds, tensors."""
    if isinstance(value, Result):
        value = value.held
    if isinstance(value, Tensor) or (isinstance(value, Container) and value.named):
        return value
    return None


def flat(top: object) -> tuple[tuple[str, Tensor], ...]:
    """Return the tensors below a value by their names, `model.layer.0.weight`; the first `LISTED`."""
    found: dict[str, Tensor] = {}
    for name, tensor in _below(top):
        if len(found) >= LISTED and name not in found:
            break
        found[name] = tensor
    return tuple(found.items())


def _below(top: object) -> Iterator[tuple[str, Tensor]]:
    held = holding(top)
    waiting = [("", held, 0)] if held is not None else []
    for _ in range(_VISITS):
        if not waiting:
            return
        name, value, depth = waiting.pop()
        if isinstance(value, Tensor):
            yield name or "(the file itself)", value
        elif value.named and depth < _DEEPEST:
            waiting += [(f"{name}.{key}"[:_NAME] if name else key, inner, depth + 1) for key, inner in reversed(value.named.items())]


def form_of(tensor: Tensor) -> str:
    """Write kind and shape as for safetensors, `F32[4096,1024]`; with its place, where it is not the whole of its storage in order."""
    shown = f"{tensor.kind}[{','.join(map(str, tensor.shape))}]"
    step, whole = 1, tensor.offset == 0
    for size, stride in zip(reversed(tensor.shape), reversed(tensor.steps), strict=True):
        whole &= size <= 1 or stride == step
        step *= size
    return shown if whole else f"{shown} from {tensor.offset}, steps {','.join(map(str, tensor.steps))}"
