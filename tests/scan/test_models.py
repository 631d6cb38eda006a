"""Checkpoints: what loading them would run is said with its opcode and place, and none is ever loaded."""

import bz2
import gzip
import io
import json
import lzma
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest
import zstandard

from forensics.scan.finding import Weight
from forensics.scan.looking import scan

SCANNED = Path(__file__).parent.parent / "sources" / "fixtures" / "checkpoint" / "picklescan" / "input"
HARMLESS = (
    "benign",
    "int_array",
    "object_array",
    "pytorch_model",
    "new_pytorch_model",
    "not_a_pickle",
    "bad_pytorch",
    "password",
    "LICENSE",
)
BROKEN = "broken_model.pkl"
"""it breaks off before it calls what it names"""
BENIGN = SCANNED.parent.parent / "legacy"


def _zip(data: bytes, method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("archive/data.pkl", data)
    return buffer.getvalue()


def _numpy(data: bytes) -> bytes:
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def test_every_malicious_file_is_reported_with_the_opcode_that_does_it():
    files = sorted(p for p in SCANNED.rglob("*") if p.is_file())
    found = scan([SCANNED])
    runs = {f.file for f in found.findings if f.rule == "pickle-runs" and f.opcode in ("GLOBAL", "STACK_GLOBAL", "INST")}
    malicious = {p.as_posix() for p in files if not any(word in p.name for word in HARMLESS)} - {(SCANNED / "data" / BROKEN).as_posix()}
    assert len(malicious) > 90
    assert malicious <= runs
    assert not any(word in Path(file).name for file in runs for word in HARMLESS)
    assert BROKEN in {Path(f.file).name for f in found.findings if f.rule == "pickle-names"}


def test_the_place_is_that_of_the_opcode():
    for finding in scan([SCANNED / "data2"]).findings:
        if finding.opcode == "STACK_GLOBAL" and not finding.member:
            with Path(finding.file).open("rb") as stream:
                stream.seek(finding.place[0])
                assert stream.read(1) == b"\x93"


def test_no_real_checkpoint_is_called_anything():
    found = scan([BENIGN, SCANNED / "data" / "new_pytorch_model.bin"])
    assert ([f for f in found.findings if f.unit == "byte"], found.unread) == ([], [])


WRAPPED = {
    "plain.bin": lambda data: data,
    "zip.pt": _zip,
    "deflated.pt": lambda data: _zip(data, zipfile.ZIP_DEFLATED),
    "zip-in-zip.pt": lambda data: _zip(_zip(data)),
    "stacked.pt": lambda data: b"\x80\x02}." + data,
    "numpy.npy": _numpy,
    "numpy.npz": lambda data: _zip(_numpy(data)),
    "joblib-zlib": lambda data: zlib.compress(data, 3),
    "joblib-gzip": gzip.compress,
    "joblib-bz2": bz2.compress,
    "joblib-xz": lzma.compress,
    "joblib-lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zstd": zstandard.compress,
    "gzip-in-zip.pt": lambda data: _zip(gzip.compress(data)),
    "cut.pt": lambda data: _zip(data)[:-30],
    "behind-a-picture.png": lambda data: b"\x89PNG" + b"x" * 99 + _zip(data),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_what_would_leave_a_mark_is_found_and_leaves_none(look, mark: Path, marking: bytes, tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(WRAPPED[name](marking))
    found = look(name)
    (run,) = [f for f in found.findings if f.weight is Weight.LOOK and f.rule != "two-formats"]
    assert (run.rule, run.says, run.opcode) == ("pickle-runs", "loading it calls os.system", "GLOBAL")
    assert str(mark) in run.text
    assert not mark.exists()


def test_names_that_are_only_named_and_functions_that_nobody_knows(look, tmp_path: Path):
    (tmp_path / "named.pkl").write_bytes(b"\x80\x02cos\nsystem\n.")
    (tmp_path / "own.pkl").write_bytes(b"\x80\x02cmylab.tools\nrebuild\n)R.")
    (tmp_path / "class.pkl").write_bytes(b"\x80\x02cmylab.tools\nConfig\n)\x81.")
    (tmp_path / "library.pkl").write_bytes(b"\x80\x02ctorch.nn.functional\ngelu\n)R.")
    assert {f.file: (f.rule, f.weight) for f in look().findings} == {
        "named.pkl": ("pickle-names", "look"),
        "own.pkl": ("pickle-calls", "look"),
        "class.pkl": ("pickle-class", "note"),
        "library.pkl": ("pickle-calls", "note"),
    }


TEXTS = {
    "module.js": b'import{n as e}from"./a.js";var n=t(((e,t)=>{\nlet x=1;\n' * 99,
    "map.js": b"const __deps=(i,m=__deps)=>i.map(i=>d[i]);\nconst b=2;\n" * 99,
    "words.dic": b"ircu2m1.\nci1r\n.abc\n",
    "LICENSE": b"Copyright (c) 2024\nAll rights reserved.\n",
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_is_no_pickle(look, tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(TEXTS[name])
    found = look(name)
    assert (found.findings, found.unread) == ([], [])


# --- twenty gigabytes -------------------------------------------------------------------------------------------------

SIZE = 20 << 30


def _zip64(path: Path, pickle: bytes) -> None:
    """Write torch's container with tensors of 20 GB that take no room: holes, and headers around them."""
    tensors = [(f"archive/data/{i}".encode(), SIZE // 10) for i in range(10)]
    entries = []
    with path.open("wb") as stream:
        for name, size in [(b"archive/data.pkl", len(pickle)), *tensors, (b"archive/version", 2)]:
            at = stream.tell()
            extra = struct.pack("<2H2Q", 1, 16, size, size)
            stream.write(
                b"PK\x03\x04" + struct.pack("<5H3I2H", 45, 0, 0, 0, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF, len(name), len(extra)) + name + extra
            )
            if name.endswith(b".pkl"):
                stream.write(pickle)
            else:
                stream.seek(size, os.SEEK_CUR)
            full = struct.pack("<2H3Q", 1, 24, size, size, at)
            crc = zlib.crc32(pickle) if name.endswith(b".pkl") else 0
            entries.append(
                b"PK\x01\x02"
                + struct.pack("<6H3I5H2I", 45, 45, 0, 0, 0, 0, crc, 0xFFFFFFFF, 0xFFFFFFFF, len(name), len(full), 0, 0, 0, 0, 0xFFFFFFFF)
                + name
                + full
            )
        start, directory = stream.tell(), b"".join(entries)
        end64 = b"PK\x06\x06" + struct.pack("<Q2H2I4Q", 44, 45, 45, 0, 0, len(entries), len(entries), len(directory), start)
        locator = b"PK\x06\x07" + struct.pack("<IQI", 0, start + len(directory), 1)
        stream.write(directory + end64 + locator + b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0))


def _legacy(path: Path, pickle: bytes) -> None:
    magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
    with path.open("wb") as stream:
        stream.write(magic + b"\x80\x02M\xe9\x03." + b"\x80\x02}." + pickle + b"\x80\x02].")
        stream.truncate(SIZE)


def _safetensors(path: Path, _pickle: bytes) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [SIZE // 4], "data_offsets": [0, SIZE]}}).encode()
    with path.open("wb") as stream:
        stream.write(struct.pack("<Q", len(header)) + header)
        stream.truncate(8 + len(header) + SIZE)


_MEASURE = """
import os, re, sys
from pathlib import Path
from forensics.scan.looking import scan
counted, pread = [0], os.pread
def counting(descriptor, count, at):
    data = pread(descriptor, count, at)
    counted[0] += len(data)
    return data
os.pread = counting
found = scan([Path(sys.argv[1])])
peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]  # ru_maxrss counts the parent in, as it was at the fork
print(counted[0], peak, found.bytes, len(found.unread), *(f.says for f in found.findings), sep="|")
"""


@pytest.mark.parametrize(("write", "runs"), [(_zip64, True), (_legacy, True), (_safetensors, False)])
def test_twenty_gigabytes_are_scanned_by_reading_less_than_a_hundredth(tmp_path: Path, mark: Path, marking: bytes, write, runs: bool):
    write(tmp_path / "model.pt", marking)
    done = subprocess.run([sys.executable, "-c", _MEASURE, str(tmp_path / "model.pt")], capture_output=True, text=True, check=True)
    read, memory, size, unread, *says = done.stdout.strip().split("|")
    assert int(size) >= SIZE
    assert int(read) < SIZE / 100
    assert int(memory) < 300 << 10
    assert (unread, says) == ("0", ["loading it calls os.system"] if runs else [])
    assert not mark.exists()
