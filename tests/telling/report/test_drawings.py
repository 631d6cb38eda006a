"""The drawings: paths in layers, ratios on a scale, acts on the timeline."""

from itertools import pairwise
from typing import Any

import pytest

from forensics.telling.report import paths, ratios
from forensics.telling.report.citing import Cited, Index
from forensics.telling.report.ladder import ladder
from forensics.telling.report.said import Voice


def edges(*pairs: tuple[str, str], recorded: bool = True) -> list[dict[str, Any]]:
    return [{"src": src, "dst": dst, "rule": "x", "recorded": recorded, "refs": []} for src, dst in pairs]


def same(name: str) -> str:
    return paths.short(name)


COMMIT = "git:train@" + "ab12" * 10


def test_hands_stand_left_of_acts_commits_jobs_and_what_jobs_wrote(voice: Voice) -> None:
    drawn = paths.draw(
        edges(("gitlab:mei", "event:7"), ("event:7", COMMIT), (COMMIT, "slurm:gpu/1"), ("slurm:gpu/1", "s3://b/k")), COMMIT, same, voice
    )
    assert drawn is not None
    at = {str(node.kind): node.x for node in drawn.nodes}
    assert at["account"] < at["act"] < at["change in question"] < at["job"] < at["object"]
    assert [str(head) for _, head in drawn.heads] == ["Accounts, keys, devices", "Acts", "Commits, objects", "Jobs", "What jobs wrote"]


@pytest.mark.parametrize(("jobs", "boxes"), [(12, 12), (13, 1), (37, 1)])
def test_more_than_twelve_jobs_become_one_box(jobs: int, boxes: int, voice: Voice) -> None:
    drawn = paths.draw(edges(*((COMMIT, f"slurm:gpu/{n}") for n in range(jobs))), COMMIT, same, voice)
    assert drawn is not None
    found = [node for node in drawn.nodes if node.family == "job"]
    assert len(found) == boxes
    assert boxes > 1 or found[0].label == (f"× {jobs}",)


def test_a_box_for_many_is_dashed_where_one_link_is_inferred(voice: Voice) -> None:
    links = edges(*((COMMIT, f"slurm:gpu/{n}") for n in range(20))) + edges((COMMIT, "slurm:gpu/99"), recorded=False)
    drawn = paths.draw(links, COMMIT, same, voice)
    assert drawn is not None
    assert [line.recorded for line in drawn.lines] == [False]


def test_a_circle_ends_and_a_self_link_is_left_out(voice: Voice) -> None:
    drawn = paths.draw(edges(("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")), "b", same, voice)
    assert drawn is not None
    assert len(drawn.nodes) == 3


def test_no_links_no_drawing(voice: Voice) -> None:
    assert paths.draw([], COMMIT, same, voice) is None


def test_a_person_stands_left_of_what_was_theirs(voice: Voice) -> None:
    drawn = paths.draw(
        edges(("device:lt", "p-1"), ("device:lt", "event:1")), COMMIT, lambda name: "Ada (p-1)" if name == "p-1" else name, voice
    )
    assert drawn is not None
    at = {str(node.kind): node.x for node in drawn.nodes}
    assert at["person"] < at["device"] < at["act"]
    assert ("Ada (p-1)",) in [node.label for node in drawn.nodes]


def test_boxes_do_not_overlap_and_labels_fit(voice: Voice) -> None:
    pairs = [(f"ip:10.0.0.{n}", "event:1") for n in range(11)] + [("unix:" + "长" * 60, "event:1"), ("event:1", COMMIT)]
    drawn = paths.draw(edges(*pairs), COMMIT, same, voice)
    assert drawn is not None
    for x in {node.x for node in drawn.nodes}:
        ys = sorted(node.y for node in drawn.nodes if node.x == x)
        assert all(below - above >= paths.HIGH for above, below in pairwise(ys))
    assert all(paths.width(line) <= paths.COLUMNS for node in drawn.nodes for line in node.label)


@pytest.mark.parametrize(
    ("reference", "kind"),
    [
        ("k8s:atlas/ml/job-1", "job"), ("k8s:system:serviceaccount:ml:bot", "account"), (COMMIT, "commit"), (COMMIT + ":a/b.py", "file"), ("git:train#refs/heads/main", "branch"),
        ("s3://b/k", "object"), ("file:///a", "file"), ("vpn-8812", "session"), ("p-014", "person"), ("ssh-key:SHA256:x", "key"), ("", "session"),
    ],
)  # fmt: skip
def test_references_are_told_apart(reference: str, kind: str) -> None:
    assert paths.family(reference)[1] == kind


def test_the_scale_holds_every_range_and_stays_readable() -> None:
    scale = ratios.scale([{"low": 0.0, "high": 1e12}, {"low": 3.0, "high": 4.0}])
    assert (scale.low, scale.high) == (-1, 6)
    assert scale.place(1e12) == ratios.WIDTH
    assert scale.place(0.0) == 0
    assert scale.bar({"low": 1e12, "high": 1e12}).x + 3 <= ratios.WIDTH
    assert ratios.scale([]).ticks()[0][1] == "1/10"


@pytest.mark.parametrize(("rung", "reached"), [("none", 0), ("change", 1), ("account", 2), ("session", 3), ("person", 4)])
def test_without_a_ladder_in_the_findings_the_rung_tells_it(rung: str, reached: int, voice: Voice) -> None:
    assert sum(step.reached for step in ladder({"rung": rung}, voice.say).steps) == reached


def test_key_acts_are_numbered_in_order_and_the_table_has_each(rendered: Any) -> None:
    text = rendered("lab")
    numbers = [int(part.split('"', 1)[0]) for part in text.split('<tr id="act-')[1:]]
    assert numbers == list(range(1, len(numbers) + 1))
    table = text[text.index('<section id="timeline"') : text.index('<section id="sources"')]
    assert (
        table.count("job.launch") == 1
    )  # of 37 launches the first alone is a key act: the last of the effects is a write; the index has all


def test_gaps_are_hatched(rendered: Any) -> None:
    page = rendered("lab")
    assert [page.count(f'class="gap" fill="url(#hatch-{kind})"') for kind in ("broad-only", "narrow-only")] == [2, 2]


def test_evidence_in_a_row_is_cited_as_a_run() -> None:
    refs = [{"source": "s", "sha256": "a" * 64, "locator": f"bytes={n}-{n + 1}"} for n in range(12)]
    index = Index(Cited("q", ref) for ref in refs)
    assert index.runs([refs[n] for n in (9, 0, 1, 2, 2, 4, 6, 7)]) == [(1, 3), (5, 5), (7, 7), (8, 8), (10, 10)]
    assert [index.number(ref) for ref in refs] == list(range(1, 13))  # by place, not as text: 2 comes before 10


def test_labels_of_a_wide_scale_do_not_touch() -> None:
    def labels(high: float) -> list[str]:
        return [label for _, label in ratios.scale([{"low": 0.5, "high": high}]).ticks()]

    assert labels(9000.0) == ["1/10", "1", "10", "100", "1,000", "10,000"]
    assert labels(5e5) == ["", "1", "", "100", "", "10,000", "", "1,000,000"]
