"""Checkpoints byte by byte, without the library: the zip that torch.save writes, and safetensors."""

import io
import json
import struct
import zipfile
from random import Random


def text(word: str) -> bytes:
    return b"X" + struct.pack("<I", len(word.encode())) + word.encode()


def ref(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def _number(n: int) -> bytes:
    return b"K" + bytes([n]) if n < 256 else b"M" + struct.pack("<H", n)


def _tensor(nth: int, rows: int, columns: int) -> bytes:
    storage = b"(" + text("storage") + ref("torch", "FloatStorage") + text(str(nth)) + text("cpu") + _number(rows * columns) + b"tQ"
    return (
        ref("torch._utils", "_rebuild_tensor_v2")
        + b"("
        + storage
        + b"K\x00"
        + _number(rows)
        + _number(columns)
        + b"\x86"
        + _number(columns)
        + b"K\x01\x86\x89"
        + ref("collections", "OrderedDict")
        + b")RtR"
    )


def torch_zip(rng: Random, layers: int = 2, payload: bytes = b"", extra: tuple[tuple[str, str], ...] = ()) -> bytes:
    """Write a state dict; `payload` are opcodes that leave nothing on the stack, `extra` harmless names that its lineage always had."""
    names = [f"blocks.{n}.{part}" for n in range(layers) for part in ("w", "b")]
    body = b"\x80\x02" + ref("collections", "OrderedDict") + b")R("
    body += b"".join(text(name) + _tensor(n, 2, 4) for n, name in enumerate(names)) + b"u"
    body += b"".join(ref(module, name) + b"0" for module, name in extra) + payload + b"."
    files = {"model/data.pkl": body, "model/byteorder": b"little"}
    files |= {f"model/data/{n}": struct.pack("<8f", *(rng.random() for _ in range(8))) for n in range(len(names))}
    files |= {"model/version": b"3\n"}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), data)
    return out.getvalue()


def call(module: str, name: str, argument: str) -> bytes:
    """Opcodes that call a global with one string and drop what it gives."""
    return ref(module, name) + text(argument) + b"\x85R0"


def stack_call(module: str, name: str, argument: str) -> bytes:
    """The same through STACK_GLOBAL, with the name put together from two strings on the stack."""
    return text(module) + text(name) + b"\x93" + text(argument) + b"\x85R0"


def safetensors(rng: Random) -> bytes:
    data = struct.pack("<8f", *(rng.random() for _ in range(8)))
    head = json.dumps({"emb.weight": {"dtype": "F32", "shape": [2, 4], "data_offsets": [0, 32]}}, separators=(",", ":")).encode()
    return struct.pack("<Q", len(head)) + head + data
