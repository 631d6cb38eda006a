"""What must not change an answer: where and how it is run, copies of a log, names; and what may only weaken it: a missing source."""

import csv
import io
import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest

from forensics.case import reading
from forensics.case.steps import Request, investigate

HEAVY = ("metrics",)
"""sources that no answer rests on; left out where a case is examined many times"""


def sources_of(case):
    return [s["name"] for s in tomllib.loads((case / "case.toml").read_text())["source"]]


def without(case, *names):
    """Take sources out of case.toml, and the symptom: what caused it is another question, and no answer rests on it."""
    text = (case / "case.toml").read_text()
    blocks = re.split(r"(?m)^(?=\[\[)|^(?=\[(?!source\.)[a-z])", text)
    kept = [b for b in blocks if not any(b.startswith("[[source]]") and f'name = "{n}"' in b for n in names)]
    assert len(kept) == len(blocks) - len(names)
    kept = [b for b in kept if not b.startswith("[symptom]")]
    (case / "case.toml").write_text("".join(kept))


def doubled(case, name):
    """Hand in a source twice, under another name."""
    text = (case / "case.toml").read_text()
    blocks = re.split(r"(?m)^(?=\[\[)|^(?=\[(?!source\.)[a-z])", text)
    at, block = next((i, b) for i, b in enumerate(blocks) if b.startswith("[[source]]") and f'name = "{name}"' in b)
    blocks.insert(at + 1, block.replace(f'name = "{name}"', f'name = "{name}-copy"'))
    (case / "case.toml").write_text("".join(blocks))


def test_place_zone_language_hash_seed_and_order_change_no_byte(samples, copied, tmp_path):
    other = copied("shared-login", "elsewhere")
    runs = [
        (samples / "shared-login", {"TZ": "UTC", "LANG": "C", "PYTHONHASHSEED": "0"}),
        (other, {"TZ": "Asia/Kolkata", "LANG": "zh_CN.UTF-8", "LC_ALL": "", "PYTHONHASHSEED": "4711"}),
    ]
    made = []
    for number, (case, environment) in enumerate(runs):
        out = tmp_path / f"run{number}"
        command = [
            sys.executable,
            "-m",
            "forensics.cli",
            "investigate",
            str(case),
            "--out",
            str(out),
            "--examiner",
            "e",
            "--time",
            "2024-10-01T00:00:00Z",
            "-q",
        ]
        subprocess.run(command, check=True, capture_output=True, env=os.environ | environment)
        made.append([(out / name).read_bytes() for name in ("findings.json", "report.html")])
    assert made[0] == made[1]


def test_the_number_of_workers_changes_no_byte(samples, examine, monkeypatch, tmp_path):
    monkeypatch.setattr(reading, "TASK", 1 << 16)
    first = examine(samples / "shared-login", workers=1)
    second = examine(samples / "shared-login", workers=2)
    assert first.findings == second.findings
    assert (tmp_path / "out1" / "report.html").read_bytes() == (tmp_path / "out2" / "report.html").read_bytes()


@pytest.fixture(scope="module")
def plain(samples, tmp_path_factory):
    """The findings of the lighter sample case as it is."""
    place = tmp_path_factory.mktemp("plain")
    shutil.copytree(samples / "unstable-training", place / "case", ignore=shutil.ignore_patterns("*.py", "README.md"))
    without(place / "case", *HEAVY)
    return investigate(place / "case", place / "out", Request("tester", "2024-08-01T09:00:00Z", page=False), lambda _: None).findings


TWICE = ("edr", "dhcp", "vpn", "badge", "gitlab-events", "auth-jump", "auditd-xfer-1", "cloudtrail")


def test_logs_handed_in_twice_strengthen_nothing(copied, examine, plain):
    """All at once: no ratio may differ, so that none of them can make good what another does."""
    case = copied("unstable-training")
    without(case, *HEAVY)
    for source in TWICE:
        doubled(case, source)
    twice = examine(case, page=False).findings
    assert {s["name"] for s in twice["sources"]} - {s["name"] for s in plain["sources"]} == {f"{source}-copy" for source in TWICE}
    for one, two in zip(plain["answers"], twice["answers"], strict=True):
        assert (one["rung"], one["person"], one["mechanism"]) == (two["rung"], two["person"], two["mechanism"])
        before, after = ({(x["person"], x["mechanism"]): x["lr"] for x in answer["alternatives"]} for answer in (one, two))
        assert after.keys() == before.keys()
        for alternative, ratio in after.items():
            assert ratio == pytest.approx(before[alternative], rel=1e-4), alternative


@pytest.mark.parametrize(
    "source",
    [
        "auditd-login-1", "auditd-xfer-1", "auth-jump", "auth-login-1", "auth-xfer-1", "badge", "clone-shared", "cloudtrail", "dhcp", "edr",
        "gitlab-events", "gitlab-shell", "sacct", "train-server", "vpn",
    ],
)  # fmt: skip
def test_a_missing_source_never_leads_to_a_wrong_name(samples, copied, examine, source):
    assert source in sources_of(samples / "unstable-training")
    truth = {"q1": "p-011", "q2": "p-011", "q3": "p-011", "q4": "p-014", "q5": "p-007"}
    case = copied("unstable-training")
    without(case, source, *HEAVY)
    for answer in examine(case, page=False).findings["answers"]:
        assert answer["person"] in (None, truth[answer["question"]]), (source, answer["question"])
        assert truth[answer["question"]] in answer["candidates"], (source, answer["question"])


def test_renaming_everybody_renames_the_answers_and_nothing_else(copied, examine, plain):
    case = copied("unstable-training")
    without(case, *HEAVY)
    for path in case.glob("*.*"):
        path.write_text(re.sub(r"\bp-(\d{3})\b", lambda m: f"p-{999 - int(m[1]):03d}", path.read_text()))
    renamed = examine(case, page=False).findings
    back = {f"p-{999 - n:03d}": f"p-{n:03d}" for n in range(1000)}
    for one, two in zip(plain["answers"], renamed["answers"], strict=True):
        assert one["person"] == back.get(two["person"], two["person"])
        assert one["rung"] == two["rung"]
        assert one["mechanism"] == two["mechanism"]
        assert one["support"] == two["support"]
        assert sorted(one["candidates"]) == sorted(back[c] for c in two["candidates"])
        ratios = {(x["person"], x["mechanism"]): x["lr"] for x in one["alternatives"]}
        assert ratios == {(back[x["person"]], x["mechanism"]): x["lr"] for x in two["alternatives"]}


def test_people_of_one_name_stay_two(copied, examine):
    case = copied("unstable-training")
    without(case, *HEAVY)
    rows = list(csv.DictReader(io.StringIO((case / "people.csv").read_text())))
    for row in rows:
        row["name"] = "Wei Chen"
    with (case / "people.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert [a["person"] for a in examine(case, page=False).findings["answers"]] == ["p-011", "p-011", "p-011", "p-014", "p-007"]
