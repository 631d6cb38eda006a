"""The opponent once more: copies of others' work, and what is an honest mistake."""

import pickle

import pytest

STAGED, RELEASED = "s3://models/staging/net.pt", "s3://models/release/net.pt"


def write(who, clock, reference, ip, **more):
    return {"clock": clock, "action": "object.write", "actor": f"aws:{who}", "object": reference, "ip": ip, **more}


def on_device(clock, who, line="", action="device.process"):
    return {"clock": clock, "action": action, "actor": f"unix:{who}", "device": f"device:{who}-laptop", "object": line}


def released(folder, *, copied=None, collected=()):
    """Vic puts a model into the store; an hour later Eve, whose job is releases, writes the released one. All else shows her laptop."""
    for name, content in collected:
        path = folder.root / "evidence" / "store" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps({"w": [content]}, 2))
    if collected:
        folder.source("store", "checkpoint", "evidence/store", more='prefix = "s3://models/"')
    vic = write("vic", "09:00", f"{STAGED}?versionId=v1", "ip:10.0.0.7")
    eve = write("eve", "10:00", f"{RELEASED}?versionId=v2", "ip:10.0.0.9", **({"target": copied} if copied else {}))
    folder.log("calls", [vic, eve], "T4")
    leases = [
        {"clock": "08:00", "action": "device.lease", "device": f"device:{w}-laptop", "ip": ip}
        for w, ip in (("vic", "ip:10.0.0.7"), ("eve", "ip:10.0.0.9"))
    ]
    folder.log("dhcp", leases)
    folder.log(
        "edr", [on_device("08:10", "eve", action="device.unlock"), on_device("10:00", "eve", "aws s3 cp net.pt s3://models/release/")], "T4"
    )
    folder.ask(f"{RELEASED}?versionId=v2")
    return folder.answer()


BOTH = (("staging/net.pt", 1.0), ("release/net.pt", 1.0))


@pytest.mark.parametrize(
    ("copied", "collected"), [(f"{STAGED}?versionId=v1", ()), (STAGED, ()), (None, BOTH)], ids=["a version", "a name", "the same digest"]
)  # fmt: skip
def test_who_copies_anothers_object_is_not_named_for_what_it_holds(folder, copied, collected):
    answer = released(folder, copied=copied, collected=collected)
    assert answer["person"] is None
    assert {"p-vic", "p-eve"} <= set(answer["candidates"])


@pytest.mark.parametrize("collected", [(), (("staging/net.pt", 1.0), ("release/net.pt", 2.0))], ids=["nothing collected", "another digest"])
def test_who_writes_an_object_of_his_own_is_named(folder, collected):
    assert released(folder, collected=collected)["person"] == "p-eve"
