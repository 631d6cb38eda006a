"""What the harmed runs can have imported: followed through the commit that they ran, and not told where that is not enough."""

import hashlib
import json
import time
from dataclasses import replace

import pytest

from forensics.reasoning.causes import compare
from forensics.reasoning.causes.imports import _of_commit, _start
from tests.reasoning.test_causes import commit, lab

__all__ = ["lab"]

TRAIN = "import os, chat.model as m\nfrom chat.data import (\n    stream,\n    words as w,\n)\n"
FILES = {
    "jobs/launch.sh": '#!/bin/sh\nexec torchrun --nnodes 2 train.py "$@"\n',
    "train.py": TRAIN,
    "chat/__init__.py": "",
    "chat/model.py": "from . import block\nfrom .ops.fast import go\n",
    "chat/block.py": "x = 1\n",
    "chat/ops/fast.py": "import numpy\n",
    "chat/data/__init__.py": "",
    "chat/data/stream.py": "NEXT = ['python', 'tools/shuffle.py']\n",
    "chat/data/words.py": "",
    "chat/serve.py": "import chat.model\n",
    "chat/__main__.py": "from chat import serve\n",
    "tools/shuffle.py": "",
    "tools/plot.py": "",
    "other/sitecustomize.py": "",
    "README.md": "tools/plot.py",
}  # fmt: skip


class Store:
    """A repository's objects by their ids."""

    def __init__(self, files: dict[str, str]) -> None:
        self.held: dict[str, bytes] = {}
        self.tree = self.folder({k: v.encode() for k, v in files.items()})

    def put(self, kind: bytes, data: bytes) -> str:
        name = hashlib.sha1(b"%s %d\0" % (kind, len(data)) + data, usedforsecurity=False).hexdigest()
        self.held[name] = data
        return name

    def folder(self, files: dict[str, bytes]) -> str:
        rows = []
        for name in sorted({path.partition("/")[0] for path in files}):
            if name in files:
                rows.append(b"100644 %s\0" % name.encode() + bytes.fromhex(self.put(b"blob", files[name])))
            else:
                inside = {path.partition("/")[2]: data for path, data in files.items() if path.startswith(f"{name}/")}
                rows.append(b"40000 %s\0" % name.encode() + bytes.fromhex(self.folder(inside)))
        return self.put(b"tree", b"".join(rows))

    def read(self, ids):
        return {i: self.held[i] for i in ids if i in self.held}


def follow(command: str, **changed: str):
    store = Store(FILES | {k.replace("__", "/") + ".py": v for k, v in changed.items()})
    return _of_commit(store.read, store.tree, _start(command))


@pytest.mark.parametrize("command", ["sbatch -N2 --gres=gpu:8 jobs/launch.sh --resume x", "python /share/mei/train/train.py --lr 3e-4"])
def test_what_an_entry_point_imports_is_followed_and_the_rest_is_far(command):
    found = follow(command)
    assert found is not None
    far = {path for path in FILES if found.far(path)}
    assert far == {"chat/serve.py", "chat/__main__.py", "tools/plot.py"}
    assert not found.far("chat/gone.py")  # it is not there: nothing is known of it


def test_a_module_is_an_entry_point_with_its_package():
    found = follow("python -m torch.distributed.run --nproc 8 -m chat")
    assert found is not None
    assert not found.far("chat/serve.py")
    assert found.far("train.py")


@pytest.mark.parametrize(
    ("command", "changed"),
    [
        ("python train.py", {"chat__block": "import importlib\nm = importlib.import_module(name)\n"}),
        ("python train.py", {"chat__data__words": "exec(text)\n"}),
        ("python gone.py", {}),
        ("python -m chat.gone.deeper", {}),
        ("sbatch run.sh", {}),
        ("python", {}),
        ("sbatch jobs/begin train.py", {}),
        ("python 'train.py", {"train": "eval (x)"}),
    ],
)
def test_where_it_cannot_be_told_nothing_is(command, changed):
    assert follow(command, **changed) is None


def test_a_script_that_begins_what_a_variable_names_leaves_it_open():
    store = Store(FILES | {"jobs/launch.sh": '#!/bin/sh\n# like train.py\nexec python -u --seed 3 "$SCRIPT"\n'})
    assert _of_commit(store.read, store.tree, _start("sbatch jobs/launch.sh")) is None


def test_evaluating_a_model_is_no_evaluation_of_text():
    assert follow("python train.py", chat__block="model.eval()\nself.exec(plan)\n") is not None


def test_a_folder_that_is_not_there_or_is_broken_leaves_it_open():
    store = Store(FILES)
    del store.held[Store({k.removeprefix("chat/"): v for k, v in FILES.items() if k.startswith("chat/")}).tree]
    assert _of_commit(store.read, store.tree, "train.py") is None
    assert _of_commit(lambda ids: dict.fromkeys(ids, b"100644 no end"), store.tree, "train.py") is None


def test_of_commits_that_separate_alike_the_one_that_can_be_imported_comes_first(lab):
    """Ten commits arrive with one pull; the last of them changes a tool that no run loads."""
    store = Store(FILES)
    for n in range(1, 60):
        path = {37: "chat/data/stream.py", 38: "tools/plot.py"}.get(n, "README.md")
        lab.commit(n, *((n - 1,) if n > 1 else ()), path=path)
    lab.events = [e._replace(attrs=json.dumps(json.loads(e.attrs) | {"tree": store.tree})) for e in lab.events]
    for n in range(10, 59):
        lab.job(n, n + 0.5, 38 if n >= 36 else 35, bad=n >= 36, command="torchrun train.py")
    world = replace(lab.world(), blobs=store.read)
    assert [c.object for c in compare(world).causes[:2]] == [commit(37), commit(38)]
    assert [c.object for c in lab.causes()[:2]] == [commit(38), commit(37)]  # where no content can be read, the last to come is first


@pytest.mark.parametrize(
    "text",
    [
        "from " + "." * 200_000,
        "from" + " " * 200_000,
        "from x import (" * 8_000,
        "a" * 500_000,
        "import " * 50_000,
        "a/" * 100_000,
        "-m " * 100_000,
    ],
)
def test_hostile_text_takes_no_longer_than_other_text(text):
    begun = time.process_time()
    follow("python train.py", chat__block=text)
    follow(f"python train.py {text}")
    assert time.process_time() - begun < 2
