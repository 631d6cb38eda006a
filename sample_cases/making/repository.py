"""A training code repository: its first files, how settings become text, and the folders in which git keeps it."""

from collections.abc import Iterable

from making.folder import Files
from making.forge import Forge
from making.gitobjects import Objects, index_file, loose, pack, reachable, reflog_line

START: dict[str, dict[str, str]] = {
    "README.md": {"gpus": "8", "python": "3.10"},
    "configs/chat.yaml": {"lr": "0.0003", "batch": "512", "warmup": "2000", "clip": "1.0"},
    "configs/ranker.yaml": {"lr": "0.0001", "batch": "256", "margin": "0.2", "clip": "1.0", "pairs": "8"},
    "configs/vision.yaml": {"lr": "0.0005", "batch": "1024", "patch": "14", "clip": "0.5"},
    "jobs/eval.sh": {"SPLIT": "dev", "TOP_K": "10"},
    "jobs/train.sh": {"OMP_NUM_THREADS": "8", "SAVE_EVERY": "1000", "KEEP": "3"},
    "rankkit/data/order.py": {"SEED": "17", "WINDOW": "4096", "body": "def order(rows, rng):\n    rng.shuffle(rows)\n    return rows\n"},
    "rankkit/data/shards.py": {
        "BUFFER": "64",
        "WORKERS": "6",
        "body": "def shards(paths, rank, world):\n    return sorted(paths)[rank::world]\n",
    },
    "rankkit/eval/ndcg.py": {"TOP": "10", "body": "def gain(rank, label):\n    return label / (1 + rank)\n"},
    "rankkit/io/resume.py": {"RETRIES": "3", "body": "def resume(store, run):\n    return max(store.steps(run), default=0)\n"},
    "rankkit/loss/listwise.py": {"TEMPERATURE": "0.7", "body": "def weigh(scores):\n    return scores.softmax(-1)\n"},
    "rankkit/loss/margin.py": {
        "MARGIN": "0.2",
        "FLOOR": "0.0",
        "body": "def margin_loss(a, b):\n    return (MARGIN - a + b).clamp(min=FLOOR).mean()\n",
    },
    "rankkit/model/tower.py": {"LAYERS": "24", "WIDTH": "2048", "DROPOUT": "0.1", "body": "def depth():\n    return LAYERS\n"},
    "rankkit/optim/clip.py": {"NORM": "1.0", "body": "def clip(norm):\n    return min(1.0, NORM / (norm + 1e-6))\n"},
    "rankkit/optim/warmup.py": {"STEPS": "2000", "body": "def scale(step):\n    return min(1.0, step / STEPS)\n"},
    "tests/test_order.py": {"CASES": "12", "body": "def test_nothing_is_lost():\n    assert CASES > 0\n"},
}


def render(path: str, settings: dict[str, str]) -> bytes:
    """Write a file from its settings, in the manner of its kind."""
    plain = {name: value for name, value in settings.items() if name != "body"}
    if path.endswith(".py"):
        title = path.rsplit("/", 1)[1][:-3].replace("_", " ").capitalize()
        rows = [f"{name} = {value}" for name, value in plain.items()]
        return "\n".join([f'"""{title}."""', "", *rows, "", "", settings.get("body", "")]).encode()
    if path.endswith(".sh"):
        rows = [f"export {name}={value}" for name, value in plain.items()]
        return "\n".join(["#!/bin/bash", "set -eu", *rows, 'srun python -m rankkit "$@"', ""]).encode()
    if path.endswith(".md"):
        return ("# train\n\nTraining code of the lab.\n\n" + "".join(f"- {n}: {v}\n" for n, v in plain.items())).encode()
    return "".join(f"{name}: {value}\n" for name, value in plain.items()).encode()


def server_files(forge: Forge, singles: set[str]) -> Files:
    """Lay out the forge's bare repository; `singles` are objects that lie in files of their own."""
    config = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n\tlogallrefupdates = true\n"
    files: Files = {"HEAD": b"ref: refs/heads/main\n", "config": config.encode(), "description": b"train\n"}
    names = sorted(forge.refs)
    packed = [f"{forge.refs[n]} refs/heads/{n}\n" for i, n in enumerate(names) if i % 2 and n != "main"]
    files["packed-refs"] = "".join(["# pack-refs with: peeled fully-peeled sorted \n", *packed]).encode()
    files |= {f"refs/heads/{n}": f"{forge.refs[n]}\n".encode() for i, n in enumerate(names) if not i % 2 or n == "main"}
    files |= {f"logs/refs/heads/{n}": "".join(lines).encode() for n, lines in forge.reflogs.items()}
    return files | pack(forge.objects, set(forge.objects) - singles) | loose(forge.objects, singles)


def clone_files(forge: Forge, url: str, moves: list[tuple[int, str, str]]) -> Files:
    """Lay out a working clone of main with its work tree; `moves`: every value that its main had."""
    tip, log = moves[-1][1], "".join(line for _, _, line in moves)
    config = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n"
    config += f'[remote "origin"]\n\turl = {url}\n\tfetch = +refs/heads/main:refs/remotes/origin/main\n'
    config += '[branch "main"]\n\tremote = origin\n\tmerge = refs/heads/main\n'
    files: Files = {"HEAD": b"ref: refs/heads/main\n", "config": config.encode(), "description": b"train\n"}
    files["refs/heads/main"] = files["refs/remotes/origin/main"] = f"{tip}\n".encode()
    files["logs/HEAD"] = files["logs/refs/heads/main"] = log.encode()
    files["logs/refs/remotes/origin/main"] = log.replace("reset: moving to origin/main", "fetch origin: forced-update").encode()
    files["index"] = index_file(forge.files(tip))
    files |= pack(forge.objects, reachable(forge.objects, {sha for _, sha, _ in moves}))
    return {f".git/{name}": data for name, data in files.items()} | forge.files(tip)


def first_move(sha: str, who: str, url: str) -> str:
    """Return the reflog line of the clone's making."""
    return reflog_line(None, sha, who, f"clone: from {url}")


def unreachable(objects: Objects, named: Iterable[str], tips: Iterable[str]) -> set[str]:
    """Return what these commits lead to and no tip does."""
    return reachable(objects, named) - reachable(objects, tips)
