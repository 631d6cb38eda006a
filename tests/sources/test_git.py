"""The source "git", over small repositories that the real git makes here."""

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import zlib
from pathlib import Path

import pytest
import zstandard

from forensics.case import reading
from forensics.errors import EvidenceError
from forensics.evidence import collect
from forensics.model import CaseConfig, SourceConfig
from forensics.sources.git import SOURCE, copy_of, read_object
from forensics.sources.git.changes import changes_of
from forensics.sources.git.layout import Role, git_folders, role_of
from forensics.sources.git.objects import commit_facts, nanoseconds, tag_facts
from forensics.sources.git.settings import dangers
from forensics.sources.git.signatures import signature_of
from forensics.tables import open_tables

MEI = "Mei <mei@lab.example> 1717200000 +0800"
ENV = {
    "PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "LC_ALL": "C",
    "GIT_AUTHOR_NAME": "Mei", "GIT_AUTHOR_EMAIL": "mei@lab.example", "GIT_AUTHOR_DATE": "1717200000 +0800",
    "GIT_COMMITTER_NAME": "Mei", "GIT_COMMITTER_EMAIL": "mei@lab.example", "GIT_COMMITTER_DATE": "1717200000 +0800",
}  # fmt: skip


def git(folder, *words, data=None, at=None):
    env = ENV if at is None else ENV | {"GIT_AUTHOR_DATE": f"{at} +0800", "GIT_COMMITTER_DATE": f"{at} +0800"}
    done = subprocess.run(["git", "-C", str(folder), *words], input=data, env=env, capture_output=True, check=True)
    return done.stdout.decode("utf-8", "surrogateescape").strip()


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def commit(folder, name, text, message, at):
    write(folder / name, text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message, at=at)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def clone(tmp_path):
    """A clone with two commits on main, one that was reset away, a merge, a tag."""
    folder = tmp_path / "case" / "clone"
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "train.py", "a\nb\nc\n", "first", 1717200000)
    commit(folder, "train.py", "a\nB\nc\nd\n", "second\n\nwith a body", 1717200100)
    commit(folder, "train.py", "a\nevil\n", "planted", 1717200200)
    git(folder, "reset", "-q", "--hard", "HEAD~1", at=1717200300)
    git(folder, "checkout", "-q", "-b", "side")
    commit(folder, "side.py", "x\n", "side", 1717200400)
    git(folder, "checkout", "-q", "main")
    git(folder, "merge", "-q", "--no-ff", "-m", "merge side", "side", at=1717200500)
    git(folder, "tag", "-a", "-m", "release", "v1", at=1717200600)
    return folder


class Read:
    """What reading a source gave."""

    def __init__(self, evidence, tasks, accounts, folder):
        self.evidence, self.tasks = evidence, tasks
        self.files = {r["file"]: r for r in reading.files_table([evidence], accounts).to_pylist() if r["counted"]}
        self.all_files = reading.files_table([evidence], accounts).to_pylist()
        with open_tables(folder) as tables:
            self.events = tables.rows("select * from events order by id")
            self.changes = tables.rows("select * from changes")
            self.rejected = tables.rows("select * from rejected")
        self.copy = copy_of(evidence.work, evidence.source.name)

    def of(self, action):
        return [e | {"facts": json.loads(e["attrs"])} for e in self.events if e["action"] == action]

    def commit(self, subject):
        return next(e for e in self.of("code.commit") if e["facts"]["subject"] == subject)

    def rows(self):
        drop = {"id", "file", "start", "end"}
        events = sorted(json.dumps({k: v for k, v in e.items() if k not in drop}, sort_keys=True) for e in self.events if e["locator"])
        return events, sorted(json.dumps(c, sort_keys=True) for c in self.changes)


def read(path, tmp_path, name="work", workers=1, **keys):
    root = tmp_path / "case"
    work = tmp_path / name
    work.mkdir()
    source = SourceConfig("server", "git", str(Path(path).relative_to(root)), repo="train", role="clone", **keys)
    case = CaseConfig(str(root), "c", "t", "UTC", (0, 0), (source,))
    evidence = SOURCE.prepare(collect(case, source, str(work)))
    tasks = reading.plan([evidence], work)
    accounts = reading.read_all(tasks, workers)
    found = Read(evidence, tasks, accounts, work)
    for row in found.files.values():
        assert row["parsed"] + row["skipped"] + row["rejected"] == row["stored"], row
    return found


def canonical_total(folder):
    listed = git(folder, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectsize)").split("\n")
    return sum(len(line) + 1 + int(line.split()[1]) for line in listed if line)


# --- what is read -----------------------------------------------------------------------------------------------


def test_every_commit_is_an_event_reachable_or_not(clone, tmp_path):
    found = read(clone, tmp_path, worktree="/share/mei/train", host="login-1")
    assert [(e["facts"]["subject"], e["facts"]["reachable"], e["facts"]["named_by"]) for e in found.of("code.commit")] == [
        ("first", True, "ref"), ("second", True, "ref"), ("planted", False, "reflog"), ("side", True, "ref"), ("merge side", True, "ref"),
    ]  # fmt: skip
    second = found.commit("second")
    assert second["time"] == 1717200100 * 10**9
    assert second["claimed"] == "email:mei@lab.example"
    assert second["facts"]["author_zone"] == "+0800"
    assert second["facts"]["body"] == "with a body"
    assert second["facts"]["parents"] == [found.commit("first")["object"].split("@")[1]]
    assert second["file"] == "objects"


def test_a_commits_hash_is_that_of_its_canonical_bytes(clone, tmp_path):
    found = read(clone, tmp_path)
    event = found.commit("first")
    data = read_object(found.copy, event["locator"].removeprefix("git="))
    assert data.startswith(b"commit ")
    assert hashlib.sha256(data).hexdigest() == event["sha256"]
    assert hashlib.sha1(data).hexdigest() == event["locator"].removeprefix("git=")
    with pytest.raises(EvidenceError, match="no sound object"):
        read_object(found.copy, "0" * 40)
    with pytest.raises(EvidenceError, match="no full object id"):
        read_object(found.copy, "HEAD")


def test_reflogs_say_which_commit_lay_there_when(clone, tmp_path):
    found = read(clone, tmp_path, worktree="/share/mei/train", host="login-1")
    entries = [e for e in found.of("ref.update") if e["object"] == "git:train#HEAD"]
    assert [e["facts"]["message"].split(":")[0] for e in entries] == [
        "commit (initial)", "commit", "commit", "reset", "checkout", "commit", "checkout", "merge side",
    ]  # fmt: skip
    assert entries[0]["prior"] is None
    assert entries[1]["prior"] == entries[0]["target"]
    assert entries[2]["file"] == ".git/logs/HEAD"
    assert entries[2]["host"] == "login-1"
    assert entries[2]["facts"]["worktree"] == "/share/mei/train"
    log = (clone / ".git/logs/HEAD").read_bytes()
    assert log[entries[2]["start"] : entries[2]["end"]].endswith(b"commit: planted\n")
    assert found.files[".git/logs/HEAD"]["sha256"] == hashlib.sha256(log).hexdigest()
    assert {e["object"] for e in found.of("ref.update")} == {"git:train#HEAD", "git:train#refs/heads/main", "git:train#refs/heads/side"}


def test_refs_and_tags_are_read(clone, tmp_path):
    git(clone, "pack-refs", "--all")
    git(clone, "branch", "later")
    found = read(clone, tmp_path)
    refs = {e["object"]: e["target"] for e in found.of("ref.state")}
    assert refs["git:train#refs/heads/later"] == refs["git:train#refs/heads/main"] == found.commit("merge side")["object"]
    assert refs["git:train#HEAD"] is None
    tag = found.of("code.tag")[0]
    assert (tag["object"], tag["target"], tag["time"]) == (
        "git:train#refs/tags/v1",
        found.commit("merge side")["object"],
        1717200600 * 10**9,
    )
    assert tag["facts"]["subject"] == "release"


def test_changes_are_against_the_first_parent(clone, tmp_path):
    found = read(clone, tmp_path)
    names = {e["object"].split("@")[1]: e["facts"]["subject"] for e in found.of("code.commit")}
    rows = sorted((names[c["commit"]], c["path"], c["status"], c["added"], c["removed"], c["parent"] is None) for c in found.changes)
    assert rows == [
        ("first", "train.py", "A", 3, 0, True),
        ("merge side", "side.py", "A", 1, 0, False),
        ("planted", "train.py", "M", 1, 3, False),
        ("second", "train.py", "M", 2, 1, False),
        ("side", "side.py", "A", 1, 0, False),
    ]


def test_the_account_of_objects_balances(clone, tmp_path):
    git(clone, "hash-object", "-w", "--stdin", data=b"named by nothing\n")
    found = read(clone, tmp_path)
    assert found.files["objects"]["stored"] == canonical_total(clone)
    assert found.files["objects"]["skipped"] == len(b"blob 17\0named by nothing\n")
    assert found.files["objects"]["rejected"] == 0
    held = sum(f.size for f in found.evidence.files if role_of(f.file.removeprefix(".git/")) is not Role.OBJECT)
    assert sum(r["stored"] for name, r in found.files.items() if name != "objects") == held
    assert found.files["other"]["skipped"] == found.files["other"]["stored"]


def test_names_that_play_tricks_survive(clone, tmp_path):
    evil = 'new\nline \u202ebidi\t"quote" :100644'
    write(clone / evil, "1\n2\n")
    write(clone / os.fsdecode(b"latin-\xe9"), b"bin\0ary")
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", "odd names", at=1717201000)
    git(clone, "mv", evil, evil + "2")
    git(clone, "commit", "-q", "-m", "renamed", at=1717201100)
    found = read(clone, tmp_path)
    rows = {(c["path"], c["status"]): c for c in found.changes}
    assert rows[evil, "A"]["added"] == 2
    assert rows["latin-\\xe9", "A"]["added"] is None
    assert rows[evil + "2", "R100"]["old_path"] == evil


# --- the forms it comes in --------------------------------------------------------------------------------------


def packed(folder, target):
    with tarfile.open(target, "w") as archive:
        archive.add(folder, arcname=folder.name)
    data = target.read_bytes()
    target.with_suffix(".tar.gz").write_bytes(gzip.compress(data))
    target.with_suffix(".tar.zst").write_bytes(zstandard.compress(data))


def test_the_same_rows_whichever_way_it_was_packed(clone, tmp_path):
    packed(clone, tmp_path / "case" / "clone.tar")
    shutil.copytree(clone, tmp_path / "case" / "repacked")
    git(tmp_path / "case" / "repacked", "repack", "-q", "-a", "-d", "-A", "--unpack-unreachable=never")
    shutil.copytree(clone / ".git", tmp_path / "case" / "bare.git")
    first = read(clone, tmp_path, "w0")
    for number, name in enumerate(("clone.tar", "clone.tar.gz", "clone.tar.zst", "repacked", "bare.git"), 1):
        again = read(tmp_path / "case" / name, tmp_path, f"w{number}")
        assert again.rows() == first.rows(), name
        assert again.files["objects"] == first.files["objects"], name
    tarred = read(tmp_path / "case" / "clone.tar.gz", tmp_path, "w9")
    assert [e for e in tarred.events if e["action"] == "ref.update"] == [e for e in first.events if e["action"] == "ref.update"]


def test_a_bundle(clone, tmp_path):
    target = tmp_path / "case" / "train.bundle"
    git(clone, "bundle", "create", str(target), "--all")
    found = read(target, tmp_path)
    assert {e["facts"]["subject"] for e in found.of("code.commit")} == {"first", "second", "side", "merge side"}
    refs = {e["object"]: e for e in found.of("ref.state")}
    state = refs["git:train#refs/heads/main"]
    assert target.read_bytes()[state["start"] : state["end"]].endswith(b" refs/heads/main\n")
    assert found.commit("merge side")["facts"]["reachable"]
    write(target, b"no bundle")
    with pytest.raises(EvidenceError, match="no git bundle"):
        read(target, tmp_path, "again")


def test_a_bundle_that_rests_on_commits_it_lacks(clone, tmp_path):
    target = tmp_path / "case" / "thin.bundle"
    git(clone, "bundle", "create", str(target), "main", "^main~2")
    found = read(target, tmp_path)
    assert found.commit("merge side")
    assert all(row["stored"] == row["parsed"] + row["skipped"] + row["rejected"] for row in found.files.values())


def test_a_commit_that_only_the_servers_reflog_names(clone, tmp_path):
    server = tmp_path / "case" / "train.git"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(server))
    git(server, "config", "core.logAllRefUpdates", "always")
    planted = git(clone, "rev-parse", "main@{2}")
    git(clone, "push", "-q", str(server), f"{planted}:refs/heads/main")
    git(clone, "push", "-q", "--force", str(server), "main")
    found = read(server, tmp_path)
    forced = [e for e in found.of("ref.update") if e["file"] == "logs/refs/heads/main"][-1]
    assert (forced["object"], forced["prior"]) == ("git:train#refs/heads/main", f"git:train@{planted}")
    assert {e["facts"]["subject"]: e["facts"]["named_by"] for e in found.of("code.commit")} == {
        "first": "ref", "second": "ref", "side": "ref", "merge side": "ref", "planted": "reflog",
    }  # fmt: skip


def test_a_linked_work_tree(clone, tmp_path):
    git(clone, "worktree", "add", "-q", str(tmp_path / "elsewhere"), "-b", "wt")
    found = read(clone, tmp_path)
    entry = next(e for e in found.of("ref.update") if e["file"] == ".git/worktrees/elsewhere/logs/HEAD")
    assert (entry["object"], entry["facts"]["linked_worktree"]) == ("git:train#HEAD", "elsewhere")
    assert entry["facts"]["worktree"] == str(tmp_path / "elsewhere")


def test_sha256_repositories(tmp_path):
    folder = tmp_path / "case" / "new"
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "--object-format=sha256")
    commit(folder, "a.py", "1\n", "long ids", 1717200000)
    found = read(folder, tmp_path)
    assert len(found.commit("long ids")["locator"]) == len("git=") + 64
    assert found.changes[0]["added"] == 1
    assert found.files["objects"]["parsed"] == canonical_total(folder)


def test_empty_and_refless_repositories(clone, tmp_path):
    empty = tmp_path / "case" / "empty.git"
    git(tmp_path, "init", "-q", "--bare", str(empty))
    found = read(empty, tmp_path)
    assert found.of("code.commit") == []
    for path in (".git/refs", ".git/logs"):
        shutil.rmtree(clone / path)
    found = read(clone, tmp_path, "refless")
    assert {e["facts"]["named_by"] for e in found.of("code.commit")} == {"nothing"}
    write(tmp_path / "case" / "none" / "readme", "nothing here")
    with pytest.raises(EvidenceError, match="no git repository"):
        read(tmp_path / "case" / "none", tmp_path, "none")


def test_lfs_pointers(clone, tmp_path):
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'ab' * 32}\nsize 12345\n"
    commit(clone, "model.bin", text, "weights", 1717203000)
    pointer = read(clone, tmp_path).of("object.pointer")[0]
    assert (pointer["object"], pointer["facts"]["size"]) == (f"sha256:{'ab' * 32}", 12345)
    assert pointer["locator"] == "git=" + git(clone, "rev-parse", "HEAD:model.bin")


# --- hostile evidence -------------------------------------------------------------------------------------------


def test_nothing_that_a_repository_asks_for_is_run(clone, tmp_path):
    mark = tmp_path / "MARK"
    run = f"touch {mark}"
    first, second = git(clone, "rev-parse", "main~2"), git(clone, "rev-parse", "main~1")
    for key in ("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "diff.external", "diff.evil.textconv", "diff.evil.command",
                "filter.evil.clean", "filter.evil.smudge", "gpg.program", "credential.helper", "uploadpack.packObjectsHook"):  # fmt: skip
        git(clone, "config", key, run)
    git(clone, "config", "alias.log", f"!{run}")
    git(clone, "config", "log.showSignature", "true")
    git(clone, "config", "include.path", "/etc/passwd")
    for hook in ("post-checkout", "pre-auto-gc", "reference-transaction", "post-index-change"):
        write(clone / ".git/hooks" / hook, f"#!/bin/sh\n{run}\n")
        (clone / ".git/hooks" / hook).chmod(0o755)
    write(clone / ".git/info/attributes", "* diff=evil filter=evil\n")
    write(clone / ".gitattributes", "* diff=evil filter=evil -diff\n")
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    foreign = commit(other, "secret", "s\n", "another repository", 1717200000)
    write(clone / ".git/objects/info/alternates", f"{other}/.git/objects\n")
    write(clone / f".git/refs/replace/{second}", f"{first}\n")
    write(clone / ".git/info/grafts", f"{second}\n")
    mark.unlink(missing_ok=True)
    before = {p: p.read_bytes() for p in clone.rglob("*") if p.is_file()}
    found = read(clone, tmp_path)
    assert not mark.exists()
    assert {p: p.read_bytes() for p in clone.rglob("*") if p.is_file()} == before
    assert found.commit("second")["facts"]["parents"] == [first]
    assert not [e for e in found.events if e["locator"] == f"git={foreign}"]
    assert next(c for c in found.changes if c["commit"] == second and c["path"] == "train.py")["added"] == 2
    told = "\n".join(found.evidence.notes)
    for word in (
        "core.fsmonitor",
        "diff.evil.textconv",
        "alias.log",
        "hook post-checkout",
        "alternates",
        "grafts",
        "refs/replace",
        "credential.helper",
    ):
        assert word in told
    note = next(e for e in found.of("repository.note") if e["facts"]["what"].startswith("core.sshcommand"))
    assert run.encode() in (clone / ".git/config").read_bytes()[note["start"] : note["end"]]
    left = {p.relative_to(found.copy).parts[0] for p in found.copy.rglob("*") if p.is_file()}
    assert left == {"HEAD", "config", "objects", "record"}


def test_the_callers_own_environment_plays_no_part(clone, tmp_path, monkeypatch):
    mark = tmp_path / "MARK"
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", f"touch {mark}")
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_TRACE", str(mark))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"touch {mark}")
    assert len(read(clone, tmp_path).of("code.commit")) == 5
    assert not mark.exists()


def test_links_are_never_followed(clone, tmp_path):
    write(tmp_path / "secret", "0" * 40 + "\n")
    (clone / ".git/refs/heads/link").symlink_to(tmp_path / "secret")
    found = read(clone, tmp_path)
    assert "symbolic link not followed: .git/refs/heads/link" in found.evidence.notes
    packed(clone, tmp_path / "case" / "c.tar")
    tarred = read(tmp_path / "case" / "c.tar", tmp_path, "tarred")
    assert "link in the archive not followed: clone/.git/refs/heads/link" in tarred.evidence.notes
    for what in (found, tarred):
        assert "git:train#refs/heads/link" not in {e["object"] for e in what.events}


def test_members_that_lead_elsewhere_are_left(clone, tmp_path):
    target = tmp_path / "case" / "c.tar"
    packed(clone, target)
    with tarfile.open(target, "a") as archive:
        for name in ("../../escape", "/absolute", "clone/.git/refs/../../../up"):
            member = tarfile.TarInfo(name)
            member.size = 5
            archive.addfile(member, io.BytesIO(b"hello"))
        again = tarfile.TarInfo("clone/.git/HEAD")
        again.size = 5
        archive.addfile(again, io.BytesIO(b"hello"))
        device = tarfile.TarInfo("clone/.git/refs/dev")
        device.type = tarfile.CHRTYPE
        archive.addfile(device)
    found = read(target, tmp_path)
    assert len([n for n in found.evidence.notes if "leads elsewhere" in n]) == 3
    assert any("second member" in n for n in found.evidence.notes)
    assert any("special file" in n for n in found.evidence.notes)
    assert not (tmp_path / "escape").exists()
    assert len(found.of("code.commit")) == 5


@pytest.mark.parametrize("keep", [700, 5000, 30000])
def test_an_archive_that_breaks_off(clone, tmp_path, keep):
    target = tmp_path / "case" / "c.tar"
    packed(clone, target)
    target.write_bytes(target.read_bytes()[:keep])
    try:
        found = read(target, tmp_path)
    except EvidenceError:
        return
    assert found.files["other"]["damage"]


# --- damage -----------------------------------------------------------------------------------------------------


def loose(folder, name):
    path = folder / ".git/objects" / name[:2] / name[2:]
    path.chmod(0o644)
    return path


def test_a_corrupt_loose_commit_is_rejected_and_the_rest_is_read(clone, tmp_path):
    victim = git(clone, "rev-parse", "side")
    path = loose(clone, victim)
    path.write_bytes(b"garbage")
    found = read(clone, tmp_path)
    assert [(r["reason"], r["locator"], r["end"] - r["start"]) for r in found.rejected] == [("a damaged object", f"git={victim}", 7)]
    assert {e["facts"]["subject"] for e in found.of("code.commit")} == {"first", "second", "planted", "merge side"}
    assert found.files["objects"]["rejected"] == 7
    assert any("named as parents" in n for n in found.evidence.notes)


def test_a_commit_whose_bytes_are_not_its_own_is_rejected(clone, tmp_path):
    victim = git(clone, "rev-parse", "side")
    content = b"tree " + git(clone, "rev-parse", "main^{tree}").encode() + f"\nauthor {MEI}\ncommitter {MEI}\n\nforged\n".encode()
    loose(clone, victim).write_bytes(zlib.compress(b"commit %d\0" % len(content) + content))
    found = read(clone, tmp_path)
    assert [r["locator"] for r in found.rejected] == [f"git={victim}"]
    assert "forged" not in {e["facts"]["subject"] for e in found.of("code.commit")}


@pytest.mark.parametrize("what", ["HEAD:train.py", "HEAD^{tree}"])
def test_a_damaged_file_or_tree_costs_only_the_counts_that_need_it(clone, tmp_path, what):
    victim = git(clone, "rev-parse", what.replace("HEAD", "main"))
    path = loose(clone, victim)
    path.write_bytes(path.read_bytes()[:12])
    found = read(clone, tmp_path)
    assert len(found.of("code.commit")) == 5
    assert [r["locator"] for r in found.rejected] in ([f"git={victim}"], [])
    first = found.commit("first")["object"].split("@")[1]
    assert [c["added"] for c in found.changes if c["commit"] == first] == [3]


def test_a_truncated_pack_is_salvaged(clone, tmp_path):
    git(clone, "repack", "-q", "-a", "-d", "-A", "--unpack-unreachable=never", "--depth=0", "--window=0")
    pack = next((clone / ".git/objects/pack").glob("*.pack"))
    pack.chmod(0o644)
    total = pack.stat().st_size
    pack.write_bytes(pack.read_bytes()[: total // 2])
    found = read(clone, tmp_path)
    assert found.rejected
    assert all("damaged pack" in r["reason"] for r in found.rejected)
    assert found.of("code.commit"), "commits stand first in a pack, so some are salvaged"


def test_a_truncated_pack_with_a_broken_index_stops_nothing_else(clone, tmp_path):
    git(clone, "repack", "-q", "-a", "-d", "-A", "--unpack-unreachable=never", "--depth=0", "--window=0")
    for path in (clone / ".git/objects/pack").glob("*.*"):
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if path.suffix == ".pack" else b"no index")
    found = read(clone, tmp_path)
    assert any("damaged pack" in r["reason"] for r in found.rejected)


def test_a_pack_without_its_index_is_indexed(clone, tmp_path):
    git(clone, "repack", "-q", "-a", "-d")
    index = next((clone / ".git/objects/pack").glob("*.idx"))
    index.unlink()
    assert len(read(clone, tmp_path).of("code.commit")) >= 4


def test_an_index_that_lies_is_rebuilt(clone, tmp_path):
    git(clone, "repack", "-q", "-a", "-d")
    index = next((clone / ".git/objects/pack").glob("*.idx"))
    index.chmod(0o644)
    index.write_bytes(b"\xfftOc" + b"\0" * 2000)
    assert len(read(clone, tmp_path).of("code.commit")) >= 4


def test_a_shallow_clone_says_that_its_beginning_is_missing(clone, tmp_path):
    target = tmp_path / "case" / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{clone}", str(target))
    found = read(target, tmp_path)
    assert found.commit("merge side")["facts"]["changes_note"] == "its first parent is not there"
    assert found.changes == []


def test_when_git_gives_up_too_often_the_range_is_left(clone, tmp_path, monkeypatch):
    found = read(clone, tmp_path)
    monkeypatch.setattr("forensics.sources.git.changes.ALONE", 1)
    names = ["1" * 40, "2" * 40, "3" * 40]
    unreadable = {}
    assert [c for part in changes_of(found.copy, names, unreadable) for c in part] == []
    assert sorted(unreadable) == names
    assert "not tried" in unreadable["3" * 40]


def raw_commit(folder, content):
    return git(folder, "hash-object", "-w", "-t", "commit", "--literally", "--stdin", data=content)


def test_odd_commits_are_read(clone, tmp_path):
    tree = git(clone, "rev-parse", "main^{tree}").encode()
    raw_commit(
        clone,
        b"tree " + tree + b"\nauthor Jos\xe9 <jos\xe9@lab.example> 99999999999999 +0800\ncommitter X <x@y> -5 -0000\n\nnot UTF-8 \xff\n",
    )
    raw_commit(clone, b"tree " + tree + b"\nauthor nobody\n\nno committer\n")
    raw_commit(
        clone,
        b"tree "
        + tree
        + b"\nauthor M <m@y> 1717200000 +99999\ncommitter M <m@y> 253402300800 +0800\nencoding GBK\n\n"
        + "训练".encode("gbk")
        + b"\n",
    )
    raw_commit(clone, b"tree " + tree + b"\nauthor M <m@y> 1 +0000\ncommitter M <m@y> 1 +0000\nencoding zlib_codec\n\ncodec\n")
    raw_commit(clone, b"no tree at all")
    found = read(clone, tmp_path)
    jose = found.commit("not UTF-8 \\xff")
    assert (jose["claimed"], jose["time"]) == ("email:jos\\xe9@lab.example", -5 * 10**9)
    assert jose["facts"]["author_time"] is None
    assert "out of range" in jose["facts"]["author_note"]
    assert found.commit("no committer")["facts"]["committer_note"] == "no committer"
    assert found.commit("训练")["time"] is None
    assert found.commit("codec")
    assert [r["reason"] for r in found.rejected] == ["a commit without a tree"]


# --- the parts --------------------------------------------------------------------------------------------------


def test_reflog_lines_that_are_none_are_rejected(clone, tmp_path):
    with (clone / ".git/logs/HEAD").open("ab") as log:
        log.write(b"half a line\n" + b"0" * 40 + b" " + b"1" * 40 + b" \xff <a@b> 12345678901234567890 +0800\n")
    found = read(clone, tmp_path)
    assert [r["reason"] for r in found.rejected] == ["not a reflog entry"]
    odd = found.of("ref.update")[7 + 1]
    assert (odd["time"], odd["facts"]["name"]) == (None, "\\xff")


def test_roles_of_files():
    named = {
        "objects/pack/pack-12.pack": Role.OBJECT, "objects/ab/" + "c" * 38: Role.OBJECT, "objects/info/alternates": Role.SETTING,
        "objects/pack/multi-pack-index": Role.OTHER, "logs/HEAD": Role.REFLOG, "worktrees/x/logs/HEAD": Role.REFLOG, "HEAD": Role.REF,
        "ORIG_HEAD": Role.REF, "worktrees/x/HEAD": Role.REF, "refs/heads/a": Role.REF, "refs/heads/a.lock": Role.OTHER, "hooks/update": Role.SETTING,
        "hooks/update.sample": Role.OTHER, "modules/m/config": Role.SETTING, "packed-refs": Role.PACKED_REFS, "index": Role.OTHER,
    }  # fmt: skip
    assert {name: role_of(name) for name in named} == named
    assert git_folders(["x/.git/HEAD", "x/.git/config", "x/.git/logs/HEAD", "x/.git/modules/m/HEAD", "x/.git/modules/m/config"]) == [
        "x/.git/", "x/.git/modules/m/",
    ]  # fmt: skip
    assert git_folders(["HEAD", "objects/pack/pack-1.idx"]) == [""]


def test_a_configurations_dangers_are_found_where_they_stand():
    data = b'[core] fsmonitor = /x\n\tbare = true\n[diff "e.v"]\n# textconv = no\n\ttextconv = run me\n[alias]\n l = log\n x = !run\n[Include]\npath=~/y\n'
    assert [(f.what, data[f.start : f.end]) for f in dangers("config", data)] == [
        ("core.fsmonitor = /x", b"[core] fsmonitor = /x\n"),
        ("diff.e.v.textconv = run me", b"\ttextconv = run me\n"),
        ("alias.x = !run", b" x = !run\n"),
        ("include.path = ~/y", b"path=~/y\n"),
    ]


def test_signatures_say_whose_they_claim_to_be(tmp_path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    write(tmp_path / "text", "signed")
    subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", str(tmp_path / "key"), str(tmp_path / "text")],
        check=True,
        capture_output=True,
    )
    shown = (
        subprocess.run(["ssh-keygen", "-l", "-f", str(tmp_path / "key.pub")], check=True, capture_output=True).stdout.decode().split()[1]
    )
    facts = signature_of((tmp_path / "text.sig").read_bytes())
    assert facts == {"kind": "SSH", "key": f"ssh-key:{shown}", "algorithm": "ssh-ed25519", "verdict": "not checked"}


def test_an_openpgp_signature_names_its_issuer_and_date():
    hashed = b"\x05\x02" + (1717200000).to_bytes(4, "big") + b"\x16\x21\x04" + bytes(range(20))
    body = b"\x04\x00\x16\x08" + len(hashed).to_bytes(2, "big") + hashed + b"\x00\x0a\x09\x10" + bytes(8) + b"rest"
    import base64

    armor = (
        b"-----BEGIN PGP SIGNATURE-----\n\n"
        + base64.b64encode(b"\xc2" + bytes([len(body)]) + body)
        + b"\n=abcd\n-----END PGP SIGNATURE-----"
    )
    assert signature_of(armor) == {
        "kind": "PGP",
        "key": "pgp:" + bytes(range(20)).hex().upper(),
        "signed": 1717200000 * 10**9,
        "verdict": "not checked",
    }
    assert signature_of(b"-----BEGIN SIGNED MESSAGE-----\nAA==\n-----END SIGNED MESSAGE-----")["kind"] == "X509"
    assert signature_of(b"junk")["kind"] == "unknown"
    assert signature_of(b"") is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 100,
        b"tree",
        b"\n\n",
        b" x\n y",
        b"author <\n\n",
        b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n wsB=\n\n\xff",
        bytes(range(256)),
    ],
)
def test_no_bytes_break_the_reading_of_an_object(data):
    for facts, mail, time in (commit_facts(data), tag_facts(data)):
        json.dumps([facts, mail, time]).encode()


def test_dates():
    assert nanoseconds(b"1") == (10**9, "")
    assert nanoseconds(b"-1") == (-(10**9), "")
    assert nanoseconds(b"9" * 18)[0] is None
    assert nanoseconds(b"9" * 5000)[0] is None


def test_one_worker_and_two_give_the_same_rows(clone, tmp_path, monkeypatch):
    monkeypatch.setattr("forensics.sources.git.pieces.COMMITS", 2)
    monkeypatch.setattr(reading, "TASK", 0)
    one = read(clone, tmp_path, "one", workers=1)
    two = read(clone, tmp_path, "two", workers=2)
    assert len(one.tasks) > 5
    assert (one.events, one.changes, one.rejected, one.all_files) == (two.events, two.changes, two.rejected, two.all_files)
