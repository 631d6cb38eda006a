"""Installed files that are not as their package's list gives them, and the runs that load them."""

import base64
import hashlib
import json

import pytest

from forensics.case.steps import Request, investigate
from forensics.model import Event
from forensics.reasoning.causes import compare
from tests.reasoning.test_causes import Lab, history, lab

__all__ = ["lab"]
DIGEST = "ab" * 32
PACKAGE = "pkg:pypi/torch@2.3.0"


def laid(lab: Lab, reference: str, found: str, listed: str | None) -> None:
    """Lay down an installed file, and what its package's list says of it."""
    lab.events.append(Event(0, 9, None, "file.content", object=reference, target=f"sha256:{found}"))
    site = reference.rpartition("/")[0].rpartition("/")[0]
    lab.events.append(Event(0, 9, None, "file.content", object=f"{site}/torch-2.3.0.dist-info/RECORD", target="sha256:00"))
    if listed:
        lab.events.append(Event(0, 9, None, "file.listed", object=reference, target=f"sha256:{listed}", name=PACKAGE))


def other(lab: Lab) -> None:
    laid(lab, "file:///share/other/lib/torch/fine.py", "1" * 64, "1" * 64)


def test_an_altered_file_of_a_shared_environment_comes_first_and_a_whole_one_is_no_candidate(lab):
    history(lab)
    other(lab)
    for n in range(10, 40):
        env = "/share/envs/b" if n % 3 == 0 else "/share/envs/a"
        lab.job(n, n + 0.5, n, bad=n % 3 == 0, command=f"{env}/bin/python run.py")
    laid(lab, "file:///share/envs/b/lib/python3.11/site-packages/torch/adamw.py", DIGEST, "cd" * 32)
    laid(lab, "file:///share/envs/a/lib/python3.11/site-packages/torch/adamw.py", "cd" * 32, "cd" * 32)
    found = compare(lab.world())
    first = found.causes[0]
    assert first.object == "file:///share/envs/b/lib/python3.11/site-packages/torch/adamw.py"
    assert (first.bad_runs, first.good_runs, first.kind) == (10, 0, "file")
    assert "where the list of pkg:pypi/torch@2.3.0 gives sha256:cdcdcdcdcdcd" in first.why
    assert [a.object for a in found.altered] == [first.object]
    assert len(first.refs) >= 2


@pytest.mark.parametrize(("listed", "says"), [("cd" * 32, "gives another content"), (None, "no list of packages names it")])
def test_the_same_content_on_several_nodes_is_one_change(lab, listed, says):
    history(lab)
    other(lab)
    for n in range(10, 40):
        lab.job(n, n + 0.5, n, bad=n % 5 < 2, nodes=(f"node:gpu/n{n % 5}",))
    for node in ("n0.lab.example", "n1"):
        laid(lab, f"file://{node}/opt/env/torch/adamw.py", DIGEST, listed)
    first = compare(lab.world()).causes[0]
    assert first.object == f"sha256:{DIGEST}"
    assert (first.bad_runs, first.good_runs) == (12, 0)
    assert "it lies in 2 of the collected environments, and " in first.why
    assert says in first.why


def test_an_altered_file_of_an_image_is_said_of_the_image(lab):
    history(lab)
    digests = ("1" * 64, "2" * 64)
    for n in range(10, 40):
        lab.job(n, n + 0.5, n, bad=n % 3 == 0)
        image = f"registry/train@sha256:{digests[n % 3 == 0]}"
        lab.events.append(Event(-1, -1, n, "job.launch", object=f"slurm:gpu/{n}", locator="x", attrs=json.dumps({"image": image})))
        lab.jobs[-1]["events"] = [len(lab.events) - 1]
    laid(lab, f"image:train@sha256:{digests[1]}:/usr/lib/torch/adamw.py", DIGEST, "cd" * 32)
    first = lab.causes()[0]
    assert first.object == f"image:train@sha256:{digests[1]}"
    assert "in it, 1 installed file is not as listed, first /usr/lib/torch/adamw.py" in first.why


def test_a_run_whose_tracker_lists_no_such_package_did_not_load_it(lab):
    history(lab)
    other(lab)
    for n in range(10, 40):
        lab.job(n, n + 0.5, n, bad=n % 3 == 0, nodes=("n1",))
        lab.events.append(Event(-1, -1, n, "run.record", object=f"wandb:{n}", locator="x", attrs=json.dumps({"job": str(n)})))
        package = PACKAGE if n % 3 == 0 else "pkg:pypi/jax@0.4"
        lab.events.append(Event(-1, -1, None, "run.package", object=f"wandb:{n}", target=package, locator="x"))
    laid(lab, "file://n1/opt/env/torch/adamw.py", DIGEST, "cd" * 32)
    found = {c.object: (c.bad_runs, c.good_runs) for c in lab.causes()}
    assert found["file://n1/opt/env/torch/adamw.py"] == (10, 0)


def record(text: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()


def test_a_collected_environment_is_told_of_in_the_findings_and_the_comparison(folder, tmp_path):
    """From files on a disk to the report, with what was emptied, what is whole, and what no list names."""
    site = folder.root / "evidence" / "env"
    (site / "opt-1.0.dist-info").mkdir(parents=True)
    texts = {"opt/a.py": b"whole\n", "opt/b.py": b"", "opt/c.py": b"edited\n", "hook.pth": b"import c\n"}
    (site / "opt").mkdir()
    for name, text in texts.items():
        (site / name).write_bytes(text)
    listed = {"opt/a.py": b"whole\n", "opt/b.py": b"was here\n", "opt/c.py": b"published\n"}
    (site / "opt-1.0.dist-info" / "RECORD").write_text("".join(f"{n},{record(t)},{len(t)}\n" for n, t in listed.items()))
    folder.source("env", "site_packages", "evidence/env", more='prefix = "file:///share/env/site-packages/"')
    rows = []
    for n in range(40):
        env = "/share/env" if n % 4 == 0 else "/usr"
        rows.append(f"{n}|vic|{n}|j-{n}|2024-06-{1 + n // 2:02d}T10:00:00|2024-06-{1 + n // 2:02d}T11:00:00|{env}/bin/python run.py")
    launches = [
        {"time": f"2024-06-{1 + n // 2:02d}T10:0{n % 2}:00Z", "action": "job.launch", "actor": "unix:vic", "object": f"slurm:gpu/{n}"}
        for n in range(40)
    ]
    folder.log("jobs", launches)
    named = [f'"slurm:gpu/{n}"' for n in range(40)]
    folder.questions.append(f"[symptom]\nbad = [{', '.join(named[::4])}]\ngood = [{', '.join(n for i, n in enumerate(named) if i % 4)}]")
    folder.log("shell", [{"clock": "03:00", "action": "device.process", "actor": "unix:vic", "object": "git push --force origin main"}])
    folder.write()
    investigate(folder.root, tmp_path / "out0", Request(examiner="t", time="2024-01-01T00:00:00Z"), lambda _: None)
    page = (tmp_path / "out0" / "report.html").read_text()
    assert "env/opt-1.0.dist-info/RECORD#bytes=" in page
    compared = json.loads((tmp_path / "out0" / "comparison.json").read_text())
    # a command beside no cause is somebody's everyday work: it is told in comparison.json, and counted on the page
    assert [c["says"] for c in compared["commands"]] == ["overwrites history on a server"]
    assert "verwrites history on a server" not in page
    assert "those that stand beside no cause are not shown here" in page
    told = {a["object"].rpartition("site-packages/")[2]: a for a in compared["altered"]}
    assert set(told) == {"opt/b.py", "opt/c.py", "hook.pth"}
    assert next(r["locator"] for r in told["opt/b.py"]["refs"]) == "bytes=0-0"
    assert told["hook.pth"]["listed"] is None
    assert told["opt/c.py"]["refs"][1]["path"] == "opt-1.0.dist-info/RECORD"
