"""A policy that lacks something, or holds what is no number, is refused with its file, its table and a remedy."""

from importlib.resources import files
from pathlib import Path

import pytest

from forensics.errors import UsageError
from forensics.reasoning.policy import read_policy

SHIPPED = (files("forensics.reasoning") / "policy.toml").read_text(encoding="utf-8")


def refused(folder: Path, old: str, new: str) -> UsageError:
    assert SHIPPED.count(old) == 1
    path = folder / "mine.toml"
    path.write_text(SHIPPED.replace(old, new), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_policy(path)
    assert caught.value.where.startswith(str(path))
    assert caught.value.hint
    return caught.value


def test_a_policy_of_a_version_that_knew_less_names_what_it_lacks(tmp_path: Path) -> None:
    error = refused(tmp_path, "least_left = 4                   # harmed runs", "# harmed runs")
    assert error.where.endswith("mine.toml, [causes]")
    assert error.what == "lacks least_left"
    assert "least_left = 4;" in error.hint


def test_all_that_a_table_lacks_is_named_at_once(tmp_path: Path) -> None:
    error = refused(tmp_path, SHIPPED[SHIPPED.index("moments = 8") : SHIPPED.index("[commands]")], "")
    assert "lacks moments, condition, subset_share" in error.what
    assert "exact_work = 400000; sizes = 6; subsets_a_kind = 4;" in error.hint


def test_a_name_of_two_words_is_written_as_toml_wants_it(tmp_path: Path) -> None:
    assert '"very unlikely" = 0.05;' in refused(tmp_path, '"very unlikely" = 0.05', "").hint


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    error = refused(tmp_path, SHIPPED[SHIPPED.index("[causes]") : SHIPPED.index("[commands]")], "")
    assert (error.what, error.where) == ("lacks the table [causes]", str(tmp_path / "mine.toml"))


@pytest.mark.parametrize(
    ("old", "new", "table", "what"),
    [
        ("shuffles = 200 ", 'shuffles = "200" ', "causes", "shuffles is '200', and has to be a number"),
        ("shortest = 3600 ", "shortest = nan ", "gaps", "shortest is nan"),
        ("lease = 86400 ", "lease = -1 ", "windows", "lease is -1"),
        ("lowest = 10 ", "lowest = true ", "naming", "lowest is True"),
        ("T3 = 0.1\n", "T3 = 1.5\n", "tiers", "chances must lie between 0 and 1"),
        ("factors = [0.3333333333333333, 1.0, 3.0]", "factors = []", "sensitivity", "list of numbers"),
        ("factors = [0.3333333333333333, 1.0, 3.0]", "factors = 1", "sensitivity", "list of numbers"),
        ('"code.push" = ["git push"]', '"code.push" = "git push"', "commands", "list of texts"),
    ],
)
def test_what_has_another_form_is_refused_with_its_place(tmp_path: Path, old: str, new: str, table: str, what: str) -> None:
    error = refused(tmp_path, old, new)
    assert error.where.endswith(f"[{table}]")
    assert what in error.what


def test_what_is_no_toml_and_no_text_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, "[words] ", "[words ")
    path = tmp_path / "bytes.toml"
    path.write_bytes(b"\xff\xfe[words]")
    with pytest.raises(UsageError, match="can't be read"):
        read_policy(path)


def test_bands_and_commands_are_the_writers_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(SHIPPED.replace('"job.cancel"', '"object.tag"').replace("moderate = 10\n", ""), encoding="utf-8")
    policy = read_policy(path)
    assert [name for name, _ in policy.bands] == ["weak", "moderately strong"]
    assert "object.tag" in policy.commands
