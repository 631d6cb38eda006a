"""Repositories: settings that would run programs are said and never obeyed; a bare one is read out of a safe copy."""

import os
import subprocess
from pathlib import Path

import pytest

KILL = b"import os\n\nos.kill(1, 9)\n"


def git(folder: Path, *words: str) -> None:
    plain = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    names = {f"GIT_{role}_{key}": "x@lab.example" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    subprocess.run(["git", *words], cwd=folder, env=plain | names, check=True, capture_output=True)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "train.py").write_bytes(KILL)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def test_a_work_tree_is_looked_at_as_it_lies_there(look, work: Path):
    found = look("work")
    assert [(f.file, f.rule) for f in found.findings if f.weight == "look"] == [("work/train.py", "kill")]
    assert found.unread == []


def test_hooks_and_settings_are_said_and_not_obeyed(look, work: Path, mark: Path):
    (work / ".git" / "hooks" / "post-checkout").write_text(f"#!/bin/sh\ntouch {mark}\n")
    (work / ".git" / "hooks" / "post-checkout").chmod(0o755)
    with (work / ".git" / "config").open("a") as stream:
        stream.write(f'[core]\n\tfsmonitor = "touch {mark}"\n')
    found = look("work")
    settings = [(f.file, f.says.split(" = ")[0]) for f in found.findings if f.rule == "git-setting" and f.weight == "look"]
    assert settings == [("work/.git/config", "core.fsmonitor"), ("work/.git/hooks/post-checkout", "hook post-checkout")]
    assert not mark.exists()


@pytest.mark.parametrize("packed", [False, True])
def test_a_bare_repository_is_read_at_its_head(look, work: Path, tmp_path: Path, marking: bytes, mark: Path, packed: bool):
    (work / "base.pt").write_bytes(marking)
    git(work, "add", ".")
    git(work, "commit", "-q", "-m", "second")
    git(tmp_path, "clone", "-q", "--bare", "work", "train.git")
    if packed:
        git(tmp_path / "train.git", "pack-refs", "--all")
        git(tmp_path / "train.git", "gc", "-q")
    found = look("train.git")
    assert [(f.file, f.rule) for f in found.findings if f.weight == "look"] == [
        ("train.git:base.pt", "pickle-runs"),
        ("train.git:train.py", "kill"),
    ]
    assert (found.files, found.unread) == (2, [])
    assert not mark.exists()


def test_a_repository_without_a_commit_is_said(look, tmp_path: Path):
    git(tmp_path, "init", "-q", "--bare", "empty.git")
    assert [(u.file, u.why) for u in look("empty.git").unread] == [("empty.git/HEAD", "leads to no commit")]
    (tmp_path / "empty.git" / "HEAD").write_text("ref: refs/../../../etc/passwd\n")
    assert len(look("empty.git").unread) == 1
