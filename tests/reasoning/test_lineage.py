"""A checkpoint against those of its own run: what is new, and nothing where there is nothing to compare with."""

import struct

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
