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
    """Build a view from {commit: (parents, subject, {path: (blob before, blob after)})}; `texts` are the blobs' contents, `repos` others' names."""

    def build(commits, texts=None, repos=None):
        tables = Tables(tmp_path)
        rows = [
            Event(
                -1,
                -1,
                n,
                "code.commit",
                object=f"git:{(repos or {}).get(sha, 'r')}@{sha}",
                locator=f"git={sha}",
                attrs=json.dumps({"parents": list(parents), "subject": subject}),
            )
            for n, (sha, (parents, subject, _)) in enumerate(commits.items())
        ]
        changes = [
            dict.fromkeys(schema.CHANGES.names)
            | {"source": "s", "file": "objects", "commit": sha, "path": path, "old_blob": old, "new_blob": new}
            | ({"status": "R090", "old_path": was[0]} if was else {"status": "M"})
            for sha, (_, _, paths) in commits.items()
            for path, (old, new, *was) in paths.items()
        ]
        tables.write("events", [schema.event_batch("s", "objects", 0, rows)])
        tables.write("changes", [schema.CHANGES.empty_table().from_pylist(changes, schema=schema.CHANGES)])
        return world(tables, CaseConfig(str(tmp_path), "c", "", "UTC", (0, 1), ()), read_policy(None), reader(texts or {}))

    return build


def reader(texts):
    return lambda ids: {i: texts[i].encode() for i in ids if i in texts}


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


OLD, BAD = "def step(x):\n    return x * 2\n", "def step(x):\n    if x % 22 == 11:\n        x = -x\n    return x * 2\n"
EDITED = BAD.replace("x * 2", "x * 3")
"""the change, and an edit of another line on top"""
FIXED = OLD.replace("x * 2", "x * 3")


def test_an_edit_that_takes_the_lines_away_takes_the_change_back_whatever_else_it_leaves(history):
    commits = {
        "bad": ((), "x", {"f": ("1", "2")}),
        "edit": (("bad",), "edit", {"f": ("2", "3")}),
        "fix": (("edit",), "Simplify", {"f": ("3", "4")}),
        "later": (("fix",), "later", {"g": ("8", "9")}),
    }
    texts = {"1": OLD, "2": BAD, "3": EDITED, "4": FIXED}
    assert names(bearing(history(commits, texts), "git:r@bad")) == ["bad", "edit"]
    assert names(bearing(history(commits, texts | {"4": EDITED.replace("        x = -x\n", "        pass\n")}), "git:r@bad")) == [
        "bad", "edit", "fix", "later",
    ]  # fmt: skip
    assert names(bearing(history(commits), "git:r@bad")) == ["bad", "edit", "fix", "later"]  # nothing can be read


def test_trailing_space_and_lines_that_any_code_has_do_not_keep_a_change(history):
    commits = {"bad": ((), "x", {"f": ("1", "2")}), "fix": (("bad",), "fix", {"f": ("2", "3")})}
    texts = {"1": "a = 1\n", "2": "a = 1\ntry:\n    a = 2\n}\n\n", "3": "a = 1\ntry:\n    a = 1\n}\n\n"}
    assert names(bearing(history(commits, texts), "git:r@bad")) == ["bad"]
    assert names(bearing(history(commits, texts | {"3": texts["2"].replace("a = 2\n", "a = 2  \r\n")}), "git:r@bad")) == ["bad", "fix"]


def test_what_only_took_lines_out_is_borne_until_they_are_back(history):
    commits = {
        "bad": ((), "x", {"f": ("1", "2")}),
        "edit": (("bad",), "edit", {"f": ("2", "3")}),
        "back": (("edit",), "back", {"f": ("3", "4")}),
    }
    texts = {"1": "check(x)\nrun(x)\n", "2": "run(x)\n", "3": "run(x, y)\n", "4": "check(x)\nrun(x, y)\n"}
    assert names(bearing(history(commits, texts), "git:r@bad")) == ["bad", "edit"]


def test_what_was_taken_back_and_landed_again_on_other_edits_is_borne_again(history):
    commits = {
        "bad": ((), "Tune it", {"f": ("1", "2")}),
        "rev": (("bad",), 'Revert "Tune it"', {"f": ("2", "1")}),
        "edit": (("rev",), "edit", {"f": ("1", "4")}),
        "again": (("edit",), "Tune it, anew", {"f": ("4", "3")}),
    }
    assert names(bearing(history(commits, {"1": OLD, "2": BAD, "3": EDITED, "4": FIXED}), "git:r@bad")) == ["again", "bad"]


def test_a_revert_of_another_change_with_the_same_subject_takes_nothing_back(history):
    commits = {
        "bad": ((), "Tidy", {"f": ("1", "2")}),
        "rev": (("bad",), 'Revert "Tidy"', {"g": ("5", "6")}),
        "same": (("rev",), 'Revert "Tidy"', {"f": ("2", "3")}),
    }
    assert names(bearing(history(commits, {"1": OLD, "2": BAD, "3": EDITED}), "git:r@bad")) == ["bad", "rev", "same"]


def test_the_change_goes_with_a_file_that_is_renamed_and_ends_with_one_that_is_deleted(history):
    commits = {
        "bad": ((), "x", {"f": ("1", "2")}),
        "move": (("bad",), "move", {"g": ("2", "3", "f")}),
        "fix": (("move",), "fix", {"g": ("3", "4")}),
        "gone": (("move",), "drop", {"g": ("3", None)}),
    }
    assert names(bearing(history(commits, {"1": OLD, "2": BAD, "3": EDITED, "4": FIXED}), "git:r@bad")) == ["bad", "move"]


def test_forks_share_commits_and_a_copy_of_the_patch_bears_it_too(history):
    commits = {
        "a": ((), "a", {}),
        "bad": (("a",), "x", {"f": ("1", "2")}),
        "fork": (("bad",), "theirs", {}),
        "pick": (("a",), "x", {"f": ("1", "2")}),
        "squash": (("a",), "more", {"f": ("4", "3")}),
        "on": (("squash",), "on", {}),
        "other": (("a",), "other", {"f": ("1", "4")}),
    }
    view = history(commits, {"1": OLD, "2": BAD, "3": EDITED, "4": FIXED}, {"fork": "mine/r", "pick": "release"})
    found = bearing(view, "git:r@bad")
    assert names(found) == ["bad", "fork", "on", "pick", "squash"]
    assert {"git:mine/r@fork", "git:release@pick"} <= found


def test_no_content_brings_it_down(history):
    texts = {"1": "\0", "2": "x" * 100_000 + "\n" * 10_000, "3": "", "4": "\ud7ff"}
    commits = {str(n): ((str(n - 1),) if n else (), "s", {"f": (str(n), str(n + 1))}) for n in range(4)}
    assert "0" in names(bearing(history(commits, texts), "git:r@0"))
