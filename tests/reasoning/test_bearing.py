"""Which commits bear a change: known answers on small histories."""

import json

import pytest

from forensics import schema
from forensics.model import CaseConfig, Event
from forensics.reasoning.bearing import bearing
from forensics.reasoning.policy import read_policy
from forensics.reasoning.world import world
from forensics.tables import Tables


@pytest.fixture
def history(tmp_path):
    """Build a view from {commit: (parents, subject, {path: (blob before, blob after)})}."""

    def build(commits):
        tables = Tables(tmp_path)
        rows = [
            Event(
                -1,
                -1,
                n,
                "code.commit",
                object=f"git:r@{sha}",
                locator=f"git={sha}",
                attrs=json.dumps({"parents": list(parents), "subject": subject}),
            )
            for n, (sha, (parents, subject, _)) in enumerate(commits.items())
        ]
        changes = [
            dict.fromkeys(schema.CHANGES.names)
            | {"source": "s", "file": "objects", "commit": sha, "path": path, "old_blob": old, "new_blob": new, "status": "M"}
            for sha, (_, _, paths) in commits.items()
            for path, (old, new) in paths.items()
        ]
        tables.write("events", [schema.event_batch("s", "objects", 0, rows)])
        tables.write("changes", [schema.CHANGES.empty_table().from_pylist(changes, schema=schema.CHANGES)])
        return world(tables, CaseConfig(str(tmp_path), "c", "", "UTC", (0, 1), ()), read_policy(None))

    return build


def names(found):
    return sorted(f.partition("@")[2] for f in found)


def test_descendants_bear_it_and_ancestors_do_not(history):
    view = history(
        {"a": ((), "a", {}), "bad": (("a",), "x", {"f": ("1", "2")}), "c": (("bad",), "c", {"g": ("5", "6")}), "d": (("a",), "d", {})}
    )
    assert names(bearing(view, "git:r@bad")) == ["bad", "c"]


def test_an_edit_on_top_keeps_it_and_the_old_blob_takes_it_back(history):
    view = history({
        "bad": ((), "x", {"f": ("1", "2")}),
        "edit": (("bad",), "edit", {"f": ("2", "3")}),
        "undo": (("edit",), "undo", {"f": ("3", "1")}),
        "later": (("undo",), "later", {}),
    })  # fmt: skip
    assert names(bearing(view, "git:r@bad")) == ["bad", "edit"]


def test_a_revert_by_its_subject_takes_it_back_even_where_more_was_edited(history):
    view = history(
        {
            "bad": ((), "Tune it", {"f": ("1", "2")}),
            "rev": (("bad",), 'Revert "Tune it"', {"f": ("2", "9")}),
            "later": (("rev",), "later", {}),
        }
    )
    assert names(bearing(view, "git:r@bad")) == ["bad"]


def test_a_branch_that_left_before_the_revert_does_not_bring_it_back_by_being_merged(history):
    view = history({
        "bad": ((), "x", {"f": ("1", "2")}),
        "side": (("bad",), "side", {"g": ("5", "6")}),
        "undo": (("bad",), "undo", {"f": ("2", "1")}),
        "merge": (("undo", "side"), "Merge", {"g": ("5", "6")}),
    })  # fmt: skip
    assert names(bearing(view, "git:r@bad")) == ["bad", "side"]


def test_a_merge_brings_it_in(history):
    view = history({
        "a": ((), "a", {}),
        "bad": (("a",), "x", {"f": ("1", "2")}),
        "main": (("a",), "main", {}),
        "merge": (("main", "bad"), "Merge", {"f": ("1", "2")}),
    })  # fmt: skip
    assert names(bearing(view, "git:r@bad")) == ["bad", "merge"]
