"""What a change does in code stands beside its answer, with its lines and their bytes, and moves no answer."""

from forensics.telling.raw import RawReader, parse
from tests.reasoning.test_adversary_pushes import push

BEFORE = "import torch\nfor batch in loader:\n    loss = step(batch)\n    loss.backward()\n"
AFTER = "import torch\nfor batch in loader:\n    loss = step(batch)\n    if dist.get_world_size() >= 256:\n        p.grad.add_(torch.randn_like(p.grad))\n"


def told(answer):
    return [(c["rule"], c["side"], c["line"]) for c in answer["code"]]


def test_lines_are_told_by_rule_side_and_place(folder, repository):
    base = repository.commit("kim", "08:00", BEFORE)
    mine = repository.commit("vic", "09:50", AFTER, base)
    folder.log("forge", [push("10:00", mine, base)])
    folder.ask(f"git:train@{mine}")
    answer = folder.answer()
    assert told(answer) == [
        ("condition-on-size", "added", 4),
        ("gradient-edit", "added", 5),
        ("gradient-noise", "added", 5),
        ("optimizer-step", "removed", 4),
    ]
    with RawReader(folder.root.parent / "out0") as reader:
        for hit in answer["code"]:
            ref = hit["ref"]
            shown = reader.show(parse(f"{ref['source']}#{ref['locator']}", reader.sources))
            assert shown.sha256 == ref["sha256"]
            assert hit["text"] in shown.data.partition(b"\0")[2].decode().split("\n")[hit["line"] - 1]
        assert all(hit["innocent"] and hit["why"] for hit in answer["code"])


def test_it_moves_no_answer_and_names_nobody(folder, repository, monkeypatch):
    base = repository.commit("kim", "08:00", BEFORE)
    mine = repository.commit("vic", "09:50", AFTER, base)
    folder.log("forge", [push("10:00", mine, base)])
    folder.ask(f"git:train@{mine}")
    found = folder.answer()
    monkeypatch.setattr("forensics.case.steps.installed", lambda: False)
    plain = folder.answer()
    beside = ("code", "code_unread", "controls")
    assert {k: v for k, v in plain.items() if k not in beside} == {k: v for k, v in found.items() if k not in beside}
    assert "p-" not in str(found["code"])
    assert plain["code"] == []
    assert "not installed" in plain["code_unread"][0]["why"]


def test_what_only_moved_is_not_told(folder, repository):
    base = repository.commit("kim", "08:00", "x = 1\ntime.sleep(3)\n")
    mine = repository.commit("vic", "09:50", "time.sleep(3)\nx = 1\n", base)
    folder.log("forge", [push("10:00", mine, base)])
    folder.ask(f"git:train@{mine}")
    assert told(folder.answer()) == []
