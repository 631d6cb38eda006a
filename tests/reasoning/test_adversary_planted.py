"""An opponent who hides behind a checkpoint that others load: who ran it is told from who made it by what its code can do."""

import collections
import pickle
import struct

BASE = "s3://models/base/net.pt"
MODEL = "s3://models/out/final.pt"
METHOD = pickle.dumps({"w": [1.0], "cb": collections.OrderedDict(a=1).get}, 4)
PLAIN = pickle.dumps({"w": [1.0]}, 2)


def runs(text):
    return b"\x80\x02c__builtin__\nexec\nX" + struct.pack("<I", len(text)) + text.encode() + b"\x85R0}q\x00."


def collected(folder, files):
    for name, data in files.items():
        path = folder.root / "evidence" / "store" / "models" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    folder.source("store", "checkpoint", "evidence/store", more='prefix = "s3://"')


def a_job_writes(folder, base, others=3):
    """Eve's job loads Vic's base, as those of `others` do, and then writes a model; all shows that Vic wrote the base."""
    collected(folder, base)
    session = {"ip": "ip:10.0.0.9", "outcome": "ok"}
    reads = [
        {
            "clock": f"09:{n}0",
            "action": "object.read",
            "actor": "aws:kim",
            "object": BASE,
            "session": f"aws:trainer/job-{n}",
            "ip": "ip:10.0.0.8",
        }
        for n in range(1, others + 1)
    ]
    reads += [
        {"clock": f"09:{n}5", "action": "object.read", "actor": "aws:kim", "object": "s3://models/else.pt", "session": f"aws:trainer/job-5{n}", "ip": "ip:10.0.0.8"}
        for n in range(1, 4)
    ]  # fmt: skip
    mine = {"clock": "09:55", "action": "object.read", "actor": "aws:eve", "object": BASE, "session": "aws:trainer/job-41", **session}
    wrote = {"clock": "10:00", "action": "object.write", "actor": "aws:eve", "object": MODEL, "session": "aws:trainer/job-41", **session}
    first = {"clock": "07:00", "action": "object.write", "actor": "aws:vic", "object": BASE, "ip": "ip:10.0.0.7", "outcome": "ok"}
    folder.log("calls", [first, *reads, mine, wrote], "T4")
    jobs = [*range(1, others + 1), 51, 52, 53]
    launched = [{"clock": "09:00", "action": "job.launch", "actor": "unix:kim", "object": f"slurm:gpu/{n}"} for n in jobs]
    folder.log("sched", [*launched, {"clock": "09:50", "action": "job.launch", "actor": "unix:eve", "object": "slurm:gpu/41"}])
    folder.log("dhcp", [{"clock": "06:30", "action": "device.lease", "device": "device:vic-laptop", "ip": "ip:10.0.0.7"}], "T4")
    vic = {"actor": "unix:vic", "device": "device:vic-laptop"}
    edr = [
        {"clock": "06:40", "action": "device.unlock", **vic},
        {"clock": "07:00", "action": "device.process", "object": f"aws s3 cp net.pt {BASE}", **vic},
    ]
    folder.log("edr", edr, "T4")
    folder.ask(MODEL)
    return folder.answer()


PAYLOAD = runs("__import__('models').go('/models/out/')")


def test_code_that_can_do_it_in_what_few_jobs_load_names_its_writer(folder):
    answer = a_job_writes(folder, {"base/net.pt": PAYLOAD}, others=0)
    assert (answer["person"], answer["mechanism"]) == ("p-vic", "deputy")
    assert "hidden-code" in answer["flags"]


def test_that_a_job_loads_what_every_job_loads_speaks_for_no_deputy(folder):
    answer = a_job_writes(folder, {"base/net.pt": PAYLOAD})
    (load,) = (item for item in answer["neutral"] if "had loaded it" in item["says"])
    assert load["lr"] == 1
    assert (answer["person"], answer["rung"]) == (None, "change")
    assert not answer["ladder"][-1]["reached"]
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


def test_a_stored_method_made_no_change(folder):
    """It picks an attribute, as every pickled method does: it can't write a model."""
    answer = a_job_writes(folder, {"base/net.pt": METHOD}, others=0)
    assert answer["mechanism"] != "deputy"
    assert "p-eve" in answer["candidates"] or answer["person"] == "p-eve"


def saved(folder, files, name="run/step_5.pt"):
    """Vic's own save of a checkpoint, asked about."""
    model = f"s3://models/{name}"
    collected(folder, files)
    folder.log("calls", [{"clock": "10:00", "action": "object.write", "actor": "aws:vic", "object": model, "ip": "ip:10.0.0.7"}])
    folder.log("dhcp", [{"clock": "09:30", "action": "device.lease", "device": "device:vic-laptop", "ip": "ip:10.0.0.7"}])
    vic = {"actor": "unix:vic", "device": "device:vic-laptop"}
    copied = {"clock": "10:00", "action": "device.process", "object": f"aws s3 cp step_5.pt {model}", **vic}
    folder.log("edr", [{"clock": "09:40", "action": "device.unlock", **vic}, copied])
    folder.ask(model)
    return folder.answer()


OTHERS = {f"other/step_{n}.pt": PLAIN for n in range(8)}


def test_what_its_run_always_named_is_not_hidden_whatever_others_name(folder):
    answer = saved(folder, OTHERS | {f"run/step_{n}.pt": METHOD for n in range(1, 6)})
    assert "hidden-code" not in answer["flags"]
    assert (answer["person"], answer["mechanism"]) == ("p-vic", "own-account")


def test_what_its_run_never_named_is_hidden(folder):
    answer = saved(folder, OTHERS | {f"run/step_{n}.pt": PLAIN for n in range(1, 5)} | {"run/step_5.pt": PAYLOAD})
    assert "hidden-code" in answer["flags"]
    assert answer["mechanism"] == "deputy"


def test_other_text_handed_to_what_its_run_always_called_is_hidden(folder):
    usual = {f"run/step_{n}.pt": runs("pass") for n in range(1, 5)}
    assert "hidden-code" in saved(folder, OTHERS | usual | {"run/step_5.pt": PAYLOAD})["flags"]


def of_two_bases(folder, writers):
    """Eve's job loads two poisoned files before it writes a model: of whom each is, the store and the laptops show."""
    names = {f"s3://models/base/{n}.pt": who for n, who in enumerate(writers)}
    collected(folder, {f"base/{n}.pt": runs(f"__import__('{who}').go('/models/out/')") for n, who in enumerate(writers)})
    ips = {"vic": "ip:10.0.0.7", "kim": "ip:10.0.0.8"}
    at = {name: f"07:0{n}" for n, name in enumerate(names)}
    session = {"actor": "aws:eve", "session": "aws:trainer/job-41", "ip": "ip:10.0.0.9", "outcome": "ok"}
    wrote = [
        {"clock": at[o], "action": "object.write", "actor": f"aws:{w}", "object": o, "ip": ips[w], "outcome": "ok"}
        for o, w in names.items()
    ]
    reads = [{"clock": "09:55", "action": "object.read", "object": o, **session} for o in names]
    reads += [
        {"clock": f"09:{n}5", "action": "object.read", "actor": "aws:kim", "object": "s3://models/else.pt", "session": f"aws:trainer/job-5{n}", "ip": "ip:10.0.0.8"}
        for n in range(1, 4)
    ]  # fmt: skip
    folder.log("calls", [*wrote, *reads, {"clock": "10:00", "action": "object.write", "object": MODEL, **session}], "T4")
    jobs = [{"clock": "09:00", "action": "job.launch", "actor": "unix:kim", "object": f"slurm:gpu/5{n}"} for n in range(1, 4)]
    folder.log("sched", [*jobs, {"clock": "09:50", "action": "job.launch", "actor": "unix:eve", "object": "slurm:gpu/41"}])
    folder.log(
        "dhcp", [{"clock": "06:30", "action": "device.lease", "device": f"device:{w}-laptop", "ip": ip} for w, ip in ips.items()], "T4"
    )
    edr = [{"clock": "06:40", "action": "device.unlock", "actor": f"unix:{w}", "device": f"device:{w}-laptop"} for w in ips]
    edr += [
        {"clock": at[o], "action": "device.process", "object": f"aws s3 cp x.pt {o}", "actor": f"unix:{w}", "device": f"device:{w}-laptop"}
        for o, w in names.items()
    ]
    folder.log("edr", edr, "T4")
    folder.ask(MODEL)
    return folder.answer()


def test_several_poisoned_files_of_one_hand_name_it(folder):
    answer = of_two_bases(folder, ["vic", "vic"])
    assert (answer["person"], answer["mechanism"]) == ("p-vic", "deputy")


def test_several_of_several_hands_name_nobody(folder):
    answer = of_two_bases(folder, ["vic", "kim"])
    assert (answer["person"], answer["rung"], answer["account"]) == (None, "change", None)
    assert {"p-kim", "p-vic"} <= set(answer["candidates"])


def test_a_payload_in_all_that_one_account_wrote_is_not_usual(folder):
    """Whoever poisons every file has not made that what such files hold."""
    answer = saved(folder, {f"run/step_{n}.pt": PAYLOAD for n in range(1, 6)})
    assert "hidden-code" in answer["flags"]
