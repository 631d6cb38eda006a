"""The opponent once more: copies of others' work, and what is an honest mistake."""

import pickle

import pytest

from tests.reasoning.test_adversary_pushes import push

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


# Honest mistakes.

EVIL = "import base64, time\nif time.time() > 1718600000:\n    exec(base64.b64decode('cHJpbnQoMSk='))\n"


def mistaken(folder, repository, content, finder):
    """Vic's change is reviewed by Kim and harms; somebody takes it back."""
    base = repository.commit("kim", "08:00", "lr = 1\n")
    mine = repository.commit("vic", "09:50", content, base)
    undone = repository.commit(finder, "15:00", f"lr = 1\n\nThis reverts commit {mine}.\n", mine)
    about = {"object": "git:train!7", "outcome": "ok"}
    requests = [
        {"clock": "10:05", "action": "code.request", "actor": "gitlab:vic", **about},
        {"clock": "10:20", "action": "code.review", "actor": "gitlab:kim", **about},
    ]
    merged = push("10:30", mine, base, actor="gitlab:kim", ip="ip:10.0.0.8")
    pushes = [push("10:00", mine, base, ref="mine"), merged, push("15:05", undone, mine, actor=f"gitlab:{finder}", ip="ip:10.0.0.9")]
    folder.log("forge", [*pushes, *requests])
    folder.log("dhcp", [{"clock": "09:30", "action": "device.lease", "device": "device:vic-laptop", "ip": "ip:10.0.0.7"}])
    folder.log("edr", [on_device("09:40", "vic", action="device.unlock"), on_device("10:00", "vic", "git push origin main")], "T4")
    folder.ask(f"git:train@{mine}")
    folder.says("defect")
    found = folder.examine()
    return found["answers"][0], found["statements"][0]


@pytest.mark.parametrize(("finder", "mechanism"), [("vic", "defect"), ("bob", "own-account")])
def test_a_mistake_is_one_whoever_takes_it_back_and_only_its_makers_revert_tells_what_he_meant(folder, repository, finder, mechanism):
    answer, said = mistaken(folder, repository, "optimizer = torch.optim.SGD(model.parameters(), lr=10)\n", finder)
    assert answer["code"]  # a rule points at it, and that is no mark of a misdeed
    assert (answer["person"], answer["mechanism"], said["verdict"]) == ("p-vic", mechanism, "supported")


def test_a_request_for_something_else_is_no_review_of_what_was_pushed_straight_to_the_main_branch(folder, repository):
    base = repository.commit("kim", "08:00", "lr = 1\n")
    mine = repository.commit("vic", "09:50", "lr = 10\n", base)
    undone = repository.commit("vic", "15:00", f"lr = 1\n\nThis reverts commit {mine}.\n", mine)
    about = {"object": "git:train!7", "outcome": "ok"}
    requests = [
        {"clock": "10:30", "action": "code.request", "actor": "gitlab:vic", **about},
        {"clock": "10:50", "action": "code.review", "actor": "gitlab:kim", **about},
    ]
    folder.log("forge", [push("10:00", mine, base), push("15:05", undone, mine), *requests])
    folder.log("dhcp", [{"clock": "09:30", "action": "device.lease", "device": "device:vic-laptop", "ip": "ip:10.0.0.7"}])
    folder.log("edr", [on_device("09:40", "vic", action="device.unlock"), on_device("10:00", "vic", "git push origin main")], "T4")
    folder.ask(f"git:train@{mine}")
    folder.says("defect")
    found = folder.examine()
    assert found["answers"][0]["mechanism"] == "own-account"
    assert found["statements"][0]["verdict"] == "not resolved"


@pytest.mark.parametrize("finder", ["vic", "bob"])
def test_what_unpacks_hidden_text_and_runs_it_counts_as_no_mistake(folder, repository, finder):
    answer, said = mistaken(folder, repository, EVIL, finder)
    assert (answer["person"], answer["mechanism"], said["verdict"]) == ("p-vic", "own-account", "not resolved")
