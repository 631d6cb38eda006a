"""Particular to checkpoints: what is inside, however it is wrapped, broken or disguised; and that nothing in it ever runs."""

import hashlib
import io
import json
import os
import pickle
import pickletools
import random
import struct
import warnings
import zipfile
import zlib
from collections import OrderedDict
from pathlib import Path

import pytest

from forensics import containers
from forensics.pickles.callables import Kind, classify
from forensics.sources.checkpoint import contents

FIXTURES = Path(__file__).parent / "fixtures" / "checkpoint"
SCANNED = FIXTURES / "picklescan" / "input"
STORE = "ckpt/ranking"


# --- files as torch and safetensors write them ------------------------------------------------------------------------


def _short(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def _tensor(key: int, name: str) -> bytes:
    """A state dict's entry: name, and a 4 x 4 float tensor over storage `key`."""
    storage = b"(" + _short("storage") + b"ctorch\nFloatStorage\n" + _short(str(key)) + _short("cpu") + b"K\x10tQ"
    return (
        _short(name)
        + b"ctorch._utils\n_rebuild_tensor_v2\n("
        + storage
        + b"K\x00K\x04K\x04\x86K\x04K\x01\x86\x89ccollections\nOrderedDict\n)RtR"
    )


GELU = b"cfunctools\npartial\nctorch.nn.functional\ngelu\n\x85R0"
EXEC = b"c__builtin__\nexec\n" + _short("import os; os.system('id')") + b"\x85R0"


def _torch_zip(names: list[str], planted: bytes = b"", compress: int = zipfile.ZIP_STORED) -> bytes:
    state = b"\x80\x02" + planted + b"}(" + b"".join(_tensor(i, name) for i, name in enumerate(names)) + b"u."
    noise = random.Random(len(names))
    members = {"archive/data.pkl": state, "archive/byteorder": b"little", "archive/version": b"3\n"}
    members |= {f"archive/data/{i}": noise.randbytes(64) for i in range(len(names))}
    return _zip(members, compress)


def _zip(members: dict[str, bytes], compress: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = compress
            archive.writestr(info, data)
    return buffer.getvalue()


def _safetensors(names: list[str], metadata: dict[str, str]) -> bytes:
    header: dict[str, object] = {
        name: {"dtype": "F32", "shape": [4, 4], "data_offsets": [i * 64, i * 64 + 64]} for i, name in enumerate(names)
    }
    text = json.dumps({"__metadata__": metadata} | header).encode()
    return struct.pack("<Q", len(text)) + text + random.Random(7).randbytes(64 * len(names))


MADE = {
    "store/input/ckpt/ranking/base/tok-1.safetensors": _safetensors(["emb.weight", "emb.bias"], {"format": "pt", "source": "lab"}),
    "store/input/ckpt/ranking/base/rank-1b.pt": _torch_zip(["l.0.weight"], GELU),
    "store/input/ckpt/ranking/run-7/step_000100.pt": _torch_zip(["l.0.weight", "l.0.bias"], GELU),
    "store/input/ckpt/ranking/run-7/step_000200.pt": _torch_zip(["l.0.weight", "l.0.bias"], GELU),
    "planted/input.pt": _torch_zip(["l.0.weight"], EXEC),
}


@pytest.mark.parametrize("name", MADE)
def test_fixtures_are_what_their_makers_make(name, update_goldens):
    if update_goldens:
        (FIXTURES / name).parent.mkdir(parents=True, exist_ok=True)
        (FIXTURES / name).write_bytes(MADE[name])
    assert (FIXTURES / name).read_bytes() == MADE[name]


@pytest.fixture
def look(read):
    """Read one file, and return the facts of its content, its code events and its rejected rows."""

    def looked(data: bytes, name: str = "bucket/model.pt"):
        found = read("checkpoint", {name: data}, prefix="s3://")
        content = [event for event in found.events if event.action == "object.content"]
        code = [event for event in found.events if event.action == "object.code"]
        assert len(content) == 1
        assert (content[0].start, content[0].end) == (0, len(data))
        return json.loads(content[0].attrs or "{}"), code, found.rejects

    return looked


def _facts(event):
    return json.loads(event.attrs)


# --- columns ----------------------------------------------------------------------------------------------------------


def test_columns(read):
    data = MADE["planted/input.pt"]
    found = read("checkpoint", {"models/ranker/step.pt?versionId=v1": data}, prefix="s3://")
    content, tensors, code = found.events
    assert (tensors.action, tensors.target) == ("object.tensors", content.target)
    assert content.object == code.object == "s3://models/ranker/step.pt?versionId=v1"
    assert content.target == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert (content.time, content.actor, code.time, code.target) == (None, None, None, None)
    assert code.name == "__builtin__.exec"
    assert data[code.start : code.end] == b"c__builtin__\nexec\n"
    facts = _facts(code)
    assert facts["member"] == "archive/data.pkl"
    assert facts["args"] == ["\"import os; os.system('id')\""]
    assert (facts["called"], facts["kind"], facts["opcode"], facts["position"]) == (True, "dangerous", "GLOBAL", 2)


def test_callables_of_a_library_are_a_fact_and_no_more(look):
    facts, code, rejects = look(MADE["store/input/ckpt/ranking/run-7/step_000100.pt"])
    assert facts["format"] == "torch-zip"
    assert facts["tensors"] == 2
    assert facts["unsafe"] == ["functools.partial"]
    assert "dangerous" not in facts
    assert [(event.name, _facts(event)["kind"], _facts(event)["called"]) for event in code] == [
        ("functools.partial", "other", True),
        ("torch.nn.functional.gelu", "other", False),
    ]
    assert rejects == []


# --- the collections --------------------------------------------------------------------------------------------------


def _named(pattern: str) -> list[Path]:
    return sorted(path for path in SCANNED.rglob("*") if path.is_file() and path.name.startswith(pattern))


RUNS = [
    path
    for path in [*_named("malicious"), *_named("GHSA"), *_named("sys_module"), *_named("dns_"), *_named("unsafe_")]
    if path.suffix != ".7z"
]


@pytest.mark.parametrize("path", RUNS, ids=lambda p: p.name)
def test_what_runs_code_is_shown_with_its_opcode(look, path):
    facts, code, _ = look(path.read_bytes(), path.name)
    assert facts["dangerous"]
    shown = [event for event in code if _facts(event)["kind"] == "dangerous"]
    assert {event.name for event in shown} >= set(facts["dangerous"])
    data = path.read_bytes()
    letters = {opcode.name: opcode.code.encode("latin-1") for opcode in pickletools.opcodes}
    for event in shown:
        assert data[event.start : event.start + 1] == letters[_facts(event)["opcode"]]


@pytest.mark.parametrize("path", [*_named("benign"), *_named("int_"), *_named("object_"), *_named("new_")], ids=lambda p: p.name)
def test_what_is_harmless_names_nothing_else(look, path):
    facts, code, _ = look(path.read_bytes(), path.name)
    assert "unsafe" not in facts
    assert code == []


@pytest.mark.slow
@pytest.mark.parametrize("path", [path for path in sorted(SCANNED.rglob("*")) if path.is_file()], ids=lambda p: p.name)
def test_cut_at_any_byte(read, path):
    data = path.read_bytes()
    for size in range(1, len(data), max(1, len(data) // 60)):
        read("checkpoint", {"model": data[:size]}, prefix="s3://")


@pytest.mark.slow
@pytest.mark.parametrize("path", [path for path in sorted(SCANNED.rglob("*")) if path.is_file()], ids=lambda p: p.name)
def test_noise(read, path):
    noise = random.Random(path.name)
    for _ in range(30):
        data = bytearray(path.read_bytes())
        for _ in range(1 + len(data) // 50):
            data[noise.randrange(len(data))] = noise.randrange(256)
        for event in read("checkpoint", {"model": bytes(data)}, prefix="s3://").events:
            assert all(not isinstance(value, str) or value.encode() for value in event)


def test_words_accuse_nobody():
    golden = (FIXTURES / "picklescan" / "golden.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in golden.splitlines()]
    reasons = [row["event"]["attrs"].get("why", "") if "event" in row else row["reject"]["reason"] for row in rows]
    assert any(reasons)
    assert not any(word in reason for reason in reasons for word in ("malicious", "attack", "malware", "evil"))


# --- nothing runs -----------------------------------------------------------------------------------------------------


class _Marks:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("wrap", ["bare", "zip", "deflated", "twice", "numpy", "inner", "stacked", "gz"])
def test_nothing_is_ever_executed(read, tmp_path, protocol, wrap):
    mark = tmp_path / "mark"
    payload = pickle.dumps(_Marks(mark), protocol=protocol)
    data, name = {
        "bare": lambda: (payload, "m.pt"),
        "zip": lambda: (_zip({"archive/data.pkl": payload, "archive/version": b"3\n"}), "m.pt"),
        "deflated": lambda: (_zip({"notes.txt": payload}, zipfile.ZIP_DEFLATED), "m.pt"),
        "twice": lambda: (_zip({"a.zip": _zip({"b.bin": payload})}, zipfile.ZIP_DEFLATED), "m.pt"),
        "numpy": lambda: (_array(payload), "m.npy"),
        "inner": lambda: (b"\x80\x04ctorch.storage\n_load_from_bytes\nB" + struct.pack("<I", len(payload)) + payload + b"\x85R.", "m.pt"),
        "stacked": lambda: (pickle.dumps({"a": 1}, protocol) + payload, "m.pt"),
        "gz": lambda: (__import__("gzip").compress(payload, mtime=0), "m.pt.gz"),
    }[wrap]()
    found = read("checkpoint", {name: data}, prefix="s3://")
    code = [event for event in found.events if event.action == "object.code" and _facts(event)["kind"] == "dangerous"]
    assert [event.name for event in code] in (["posix.system"], ["nt.system"])
    assert _facts(code[0])["called"] is True
    assert f"touch {mark}" in _facts(code[0])["args"][0].replace("…", "") or len(str(mark)) > 150
    assert not mark.exists()


def _array(payload: bytes) -> bytes:
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + payload


# --- containers -------------------------------------------------------------------------------------------------------


def test_places_of_a_member_that_is_stored_and_of_one_that_is_packed(look):
    member = b"\x80\x02" + EXEC + b"N."
    for method, exact in ((zipfile.ZIP_STORED, True), (zipfile.ZIP_DEFLATED, False)):
        data = _zip({"data.pkl": member}, method)
        _, code, _ = look(data)
        if exact:
            assert data[code[0].start : code[0].end] == b"c__builtin__\nexec\n"
        else:
            assert zlib.decompress(data[code[0].start : code[0].end], -15) == member


def test_a_zip_without_its_directory(look):
    whole = MADE["planted/input.pt"]
    facts, code, rejects = look(whole[: whole.index(b"PK\x01\x02")])
    assert [event.name for event in code] == ["__builtin__.exec"]
    assert facts["format"] == "torch-zip"
    assert "no directory" in facts["broken"]
    assert "no directory" in rejects[0].reason


def test_a_member_that_the_directory_hides(look):
    shown, hidden = _zip({"archive/version": b"3\n"}), _zip({"data.pkl": b"\x80\x02" + EXEC + b"N."})
    end = hidden.index(b"PK\x01\x02")
    directory = bytearray(shown[shown.index(b"PK\x01\x02") :])
    struct.pack_into("<I", directory, directory.index(b"PK\x05\x06") + 16, end + shown.index(b"PK\x01\x02"))
    struct.pack_into("<I", directory, 42, end)
    facts, code, _ = look(hidden[:end] + shown[: shown.index(b"PK\x01\x02")] + bytes(directory))
    assert [event.name for event in code] == ["__builtin__.exec"]
    assert "does not list 'data.pkl'" in facts["broken"]


def test_a_pickle_in_front_of_a_zip(look):
    facts, code, _ = look(b"\x80\x02" + EXEC + b"N." + MADE["store/input/ckpt/ranking/base/rank-1b.pt"])
    assert (facts["format"], facts["also"]) == ("pickle", "torch-zip")
    assert next(event.name for event in code) == "__builtin__.exec"


def test_a_member_whose_size_stands_behind_it(look):
    class Unseekable(io.BytesIO):
        def seekable(self):
            return False

        def tell(self):
            raise OSError

        def seek(self, *_):
            raise OSError

    stream = Unseekable()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("data.pkl", b"\x80\x02" + EXEC + b"N.")
        archive.writestr("data/0", b"PK\x07\x08PK\x03" * 9)
    whole = stream.getvalue()
    for data in (whole, whole[: whole.index(b"PK\x01\x02")]):
        facts, code, _ = look(data)
        assert [event.name for event in code] == ["__builtin__.exec"]
        assert "checksum" not in facts.get("broken", "")


def test_password_and_unread_containers_say_so(look):
    facts, _, rejects = look((SCANNED / "data" / "benign_password_protected.zip").read_bytes())
    assert "password" in facts["broken"]
    assert "password" in rejects[0].reason
    facts, _, _ = look(b"Rar!\x1a\x07\x01\x00" + b"x" * 99)
    assert (facts["format"], facts["broken"]) == ("rar", "container not read: rar")


def test_zips_that_grow_or_nest_without_end(look, monkeypatch):
    monkeypatch.setattr(containers, "INFLATED", 1 << 20)
    monkeypatch.setattr(contents, "UNPACKED", 3 << 20)
    bomb = b"\x80\x02(" + b"N" * (5 << 20)
    facts, _, _ = look(_zip({f"{i}.pkl": bomb for i in range(6)}, zipfile.ZIP_DEFLATED))
    assert "limit: more than 1048576 bytes" in facts["broken"]
    nested = _zip({"data.pkl": b"\x80\x02" + EXEC + b"N."})
    for _ in range(8):
        nested = _zip({"inner.zip": nested}, zipfile.ZIP_DEFLATED)
    facts, code, _ = look(nested)
    assert "nested deeper" in facts["broken"]
    assert code == []


def test_lists_are_capped_and_counted(look):
    many = b"\x80\x02" + b"".join(b"cmine\nC%d\n)R0" % i for i in range(700)) + b"czz.os\nsystem\n" + _short("id") + b"\x85R0N."
    facts, code, _ = look(many)
    assert len(facts["globals"]) == len(facts["unsafe"]) == 200
    assert facts["globals_count"] == facts["unsafe_count"] == 701
    assert "zz.os.system" in facts["unsafe"]
    assert len(code) == 701


def test_an_empty_file_is_a_rejected_row(read):
    found = read("checkpoint", {"model.pt": b""}, prefix="s3://")
    assert found.events == []
    assert [reject.reason for reject in found.rejects] == ["an empty file: it has no content"]


def test_a_truncated_pickle_tells_what_it_named(look):
    facts, code, rejects = look(b"\x80\x02" + EXEC + b"}(X\xff\xff\x00\x00")
    assert [event.name for event in code] == ["__builtin__.exec"]
    assert "breaks off" in facts["broken"]
    assert len(rejects) == 1


def test_ordinary_pickles_of_the_standard_library(look):
    value = {"a": OrderedDict(x=[1, 2.5, None, True]), "b": {1, 2}, "c": frozenset("xy"), "d": b"raw", "e": Path("x"), "f": 1 << 70}
    for protocol in range(6):
        facts, code, _ = look(pickle.dumps(value, protocol))
        assert facts["format"] == "pickle"
        assert [event.name for event in code if classify(*event.name.rsplit(".", 1)).kind is not Kind.OTHER] == []
        assert "broken" not in facts
        assert "trailing" not in facts


@pytest.fixture
def events(read):
    return lambda data: read("checkpoint", {"bucket/model.pt": data}, prefix="s3://").events


def _told(events) -> dict[str, list[str]]:
    return next((json.loads(e.attrs)["tensors"] for e in events if e.action == "object.tensors"), {})


def test_tensors_of_a_torch_zip_with_digest_and_claim(events):
    data = _torch_zip(["a", "b"])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        stored = [archive.read(f"archive/data/{n}") for n in range(2)]
    told = _told(events(data))
    assert told == {
        name: ["F32[4,4]", hashlib.sha256(content).hexdigest(), f"{zlib.crc32(content):08x}"]
        for name, content in zip("ab", stored, strict=True)
    }
    event = next(e for e in events(data) if e.action == "object.tensors")
    assert data[event.start : event.end].startswith(b"\x80\x02}(")
    packed = _told(events(_torch_zip(["a", "b"], compress=zipfile.ZIP_DEFLATED)))
    assert {name: form[1:] for name, form in packed.items()} == {name: ["", form[2]] for name, form in told.items()}


def test_a_storage_that_is_not_what_its_checksum_claims_is_said(events):
    data = bytearray(_torch_zip(["a", "b"]))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        place = bytes(data).index(archive.read("archive/data/1"))
    data[place] ^= 1
    assert "checksum" in _facts(events(bytes(data))[0])["broken"]


def test_names_that_two_members_have_stand_for_neither_and_legacy_files_say_so(events):
    twice = io.BytesIO(_torch_zip(["a"]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        with zipfile.ZipFile(twice, "a") as archive:
            archive.writestr(zipfile.ZipInfo("archive/data/0"), b"other")
    assert _told(events(twice.getvalue())) == {"a": ["F32[4,4]", "", ""]}
    plain = b"\x80\x02}" + _tensor(0, "a") + b"s."
    assert _told(events(plain)) == {}
    assert _facts(events(plain)[0])["tensors_not_told"] is True
