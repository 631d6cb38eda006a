"""A checkpoint against those of its own run: what is new, and nothing where there is nothing to compare with."""

import io
import json
import struct
import zipfile

from forensics.sources.checkpoint import digests

MODEL = "s3://models/run/step_3.pt"
PLAIN = b"\x80\x02}q\x00."
OWN = b"\x80\x02cmylab.state\nrebuild\n)R."
EXEC = b"c__builtin__\nexec\nX" + struct.pack("<I", 4) + b"pass\x85R0"


def store(folder, files):
    for name, data in files.items():
        path = folder.root / "evidence" / "store" / "models" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    folder.source("store", "checkpoint", "evidence/store", more='prefix = "s3://"')
    folder.log("writes", [{"clock": "10:00", "action": "object.write", "actor": "aws:vic", "object": MODEL, "outcome": "ok"}], "T4")
    folder.ask(MODEL, "2024-06-12")


def told(answer):
    return [(n["kind"], n["what"]) for n in answer["lineage"]["new"]]


def test_a_callable_that_its_run_never_had_is_new(folder):
    store(folder, {"run/step_1.pt": OWN, "run/step_2.pt": OWN, "run/step_3.pt": b"\x80\x02" + EXEC + OWN[2:]})
    answer = folder.answer()
    assert told(answer) == [("callable", "__builtin__.exec")]
    assert answer["lineage"]["compared_with"] == ["s3://models/run/step_1.pt", "s3://models/run/step_2.pt"]
    assert answer["lineage"]["by"] == "name"
    (new,) = answer["lineage"]["new"]
    assert new["refs"][0]["path"] == "models/run/step_3.pt"
    assert new["innocent"]
    assert "hidden-code" in answer["flags"]


def test_what_its_run_always_had_is_not_new(folder):
    store(folder, {"run/step_1.pt": OWN, "run/step_3.pt": OWN})
    assert told(folder.answer()) == []


def test_another_opcode_for_the_same_name_is_new(folder):
    stack = b"\x80\x04\x8c\x0cmylab.state\x8c\x07rebuild\x93)R.".replace(b"\x8c\x0c", b"\x8c\x0b")
    store(folder, {"run/step_1.pt": OWN, "run/step_3.pt": stack})
    assert told(folder.answer()) == [("opcode", "STACK_GLOBAL")]


def test_it_is_compared_with_what_the_same_job_wrote(folder):
    store(folder, {"run/step_3.pt": EXEC + PLAIN, "elsewhere/first.pt": PLAIN, "run/other.pt": EXEC + PLAIN})
    job = {"clock": "09:00", "action": "job.launch", "actor": "unix:vic", "object": "slurm:gpu/41"}
    writes = [
        {
            "clock": "09:30",
            "action": "object.write",
            "actor": "aws:vic",
            "object": "s3://models/elsewhere/first.pt",
            "session": "aws:r/job-41",
        },
        {"clock": "10:30", "action": "object.write", "actor": "aws:vic", "object": MODEL, "session": "aws:r/job-41"},
    ]
    folder.log("jobs", [job, *writes])
    answer = folder.answer()
    assert answer["lineage"]["by"] == "records"
    assert answer["lineage"]["compared_with"] == ["s3://models/elsewhere/first.pt"]
    assert ("callable", "__builtin__.exec") in told(answer)


def test_alone_there_is_nothing_to_compare_with(folder):
    store(folder, {"run/step_3.pt": EXEC + PLAIN, "run/notes.safetensors": struct.pack("<Q", 2) + b"{}"})
    lineage = folder.answer()["lineage"]
    assert (lineage["compared_with"], lineage["new"]) == ([], [])


def test_what_was_not_collected_has_no_lineage(folder):
    folder.log("writes", [{"clock": "10:00", "action": "object.write", "actor": "aws:vic", "object": MODEL, "outcome": "ok"}], "T4")
    folder.ask(MODEL, "2024-06-12")
    assert "lineage" not in folder.answer()


def model(**tensors: tuple[list[int], bytes]) -> bytes:
    """Write a safetensors file of bytes: name -> shape and contents."""
    header, data = {}, b""
    for name, (shape, content) in tensors.items():
        header[name] = {"dtype": "U8", "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def test_tensors_that_came_went_or_took_another_shape_are_new(folder):
    before = [model(a=([4], bytes([n] * 4)), b=([2], bytes([n] * 2)), c=([1], bytes([n]))) for n in (1, 2)]
    now = model(a=([2, 2], b"9999"), b=([2], b"99"), d=([1], b"9"))
    store(folder, {"run/step_1.pt": before[0], "run/step_2.pt": before[1], "run/step_3.pt": now})
    new = folder.answer()["lineage"]["new"]
    assert [(n["kind"], n["what"]) for n in new] == [("tensor", "d"), ("tensor", "c"), ("tensor", "a")]
    assert new[2]["says"] == "its tensor a is U8[2,2]; in its lineage it is U8[4]"
    assert {r["path"] for r in new[0]["refs"]} == {"models/run/step_3.pt", "models/run/step_1.pt", "models/run/step_2.pt"}


def test_a_copy_of_another_checkpoint_in_which_one_tensor_was_edited_is_told_with_it(folder):
    def step(n: int, **more: tuple[list[int], bytes]) -> bytes:
        return model(**({name: ([4], bytes([n, k, n, k])) for k, name in enumerate("abcd")} | more))

    store(folder, {"run/step_1.pt": step(1), "run/step_2.pt": step(2), "run/step_3.pt": step(2, c=([4], b"evil"))})
    (new,) = folder.answer()["lineage"]["new"]
    assert (new["kind"], new["what"]) == ("tensor", "c")
    assert new["says"].startswith("byte for byte it is s3://models/run/step_2.pt but for 1 of 4 tensors, c")


def test_a_run_that_always_keeps_most_of_its_tensors_shows_nothing_new_by_keeping_them(folder):
    def step(n: int) -> bytes:
        return model(**({name: ([2], b"same"[:2]) for name in "abc"} | {"d": ([2], bytes([n, n]))}))

    store(folder, {"run/step_1.pt": step(1), "run/step_2.pt": step(2), "run/step_3.pt": step(3)})
    assert folder.answer()["lineage"]["new"] == []


def torch(**tensors: tuple[int, bytes]) -> bytes:
    """Write a zip as torch does: name -> length and contents; storages are keyed by numbers that differ from file to file, as torch's are."""

    def short(text: str) -> bytes:
        return b"X" + struct.pack("<I", len(text)) + text.encode()

    first = sum(data[0] for _, data in tensors.values()) if tensors else 0
    state, members = b"\x80\x02}(" + short("model") + b"ccollections\nOrderedDict\n)R(", {}
    for n, (name, (length, data)) in enumerate(tensors.items(), first):
        storage = b"(" + short("storage") + b"ctorch\nByteStorage\n" + short(str(n)) + short("cpu") + b"K" + bytes([len(data)]) + b"tQ"
        state += short(name) + b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\x00K" + bytes([length]) + b"\x85K\x01\x85\x89}tR"
        members[f"m/data/{n}"] = data
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in {"m/data.pkl": state + b"uu.", "m/version": b"3\n", **members}.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def torch_step(n: int, **more: tuple[int, bytes]) -> bytes:
    return torch(**({name: (4, bytes([n, k, n, k])) for k, name in enumerate("abcd")} | more))


def test_tensors_of_torch_files_are_told_from_their_opcodes(folder):
    now = torch(a=(2, b"99"), b=(4, b"9999"), c=(4, b"9999"), e=(4, b"9999"))
    store(folder, {"run/step_1.pt": torch_step(1), "run/step_2.pt": torch_step(2), "run/step_3.pt": now})
    new = folder.answer()["lineage"]["new"]
    assert [(n["kind"], n["what"]) for n in new] == [("tensor", "model.e"), ("tensor", "model.d"), ("tensor", "model.a")]
    assert new[2]["says"] == "its tensor model.a is U8[2]; in its lineage it is U8[4]"


def test_an_edited_copy_of_a_torch_file_is_told_and_by_what(folder, monkeypatch):
    store(folder, {"run/step_1.pt": torch_step(1), "run/step_2.pt": torch_step(2), "run/step_3.pt": torch_step(2, c=(4, b"evil"))})
    (new,) = folder.answer()["lineage"]["new"]
    assert new["says"].startswith("byte for byte it is s3://models/run/step_2.pt but for 1 of 4 tensors, model.c")
    monkeypatch.setattr(digests, "DIGESTED", 3)
    (new,) = folder.answer()["lineage"]["new"]
    assert new["says"].startswith("by the checksums (CRC-32) that the containers claim, it is s3://models/run/step_2.pt but for 1 of 4")


def test_files_in_another_container_are_not_compared_tensor_by_tensor(folder):
    store(folder, {"run/step_1.pt": model(a=([4], b"1111")), "run/step_3.pt": torch_step(3)})
    assert [n["kind"] for n in folder.answer()["lineage"]["new"] if n["kind"] == "tensor"] == []
