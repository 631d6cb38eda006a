"""A bundle that somebody hands in is hostile until shown otherwise: it is refused in words, and costs little."""

import json
import shutil
import time
import zipfile

import pytest

from forensics.errors import IntegrityError, UsageError
from forensics.telling.handoff.checking import Pinned, check


def refused(place, inside, capsys) -> str:
    begin = time.monotonic()
    with pytest.raises(IntegrityError) as found:
        check(place, Pinned())
    assert inside.main([str(place)]) == 4
    assert capsys.readouterr().out.startswith("WRONG")
    assert time.monotonic() - begin < 20
    return str(found.value)


@pytest.mark.parametrize("name", ["top/../../evil", "/etc/evil", "top//evil", "top/./evil", "evil", "top/a\\..\\evil"])
def test_names_that_lead_elsewhere(tmp_path, inside, capsys, name):
    place = tmp_path / "bag.zip"
    with zipfile.ZipFile(place, "w") as made:
        made.writestr(name, b"x")
    refused(place, inside, capsys)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bag.zip"]


def test_a_bomb(tmp_path, inside, capsys):
    place = tmp_path / "bag.zip"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("top/data/findings.json", bytes(50_000_000))
    assert "compressed" in refused(place, inside, capsys)


def test_sizes_that_are_not_there(tmp_path, inside, capsys):
    place = tmp_path / "bag.zip"
    with zipfile.ZipFile(place, "w") as made:
        made.writestr("top/data/a", b"x" * 10)
    data = place.read_bytes().replace((10).to_bytes(4, "little"), (0x7FFFFFF0).to_bytes(4, "little"))
    place.write_bytes(data)
    refused(place, inside, capsys)


def test_one_file_twice(tmp_path, inside, capsys):
    place = tmp_path / "bag.zip"
    with zipfile.ZipFile(place, "w") as made:
        made.writestr("top/a", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            made.writestr("top/a", b"2")
    assert "twice" in refused(place, inside, capsys)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 5_000, "1e999999", "null", '"text"', "{}", "", "\xff", "[]"])
def test_lists_and_json_that_are_none(make, tmp_path, inside, capsys, text):
    folder = tmp_path / "bag"
    for name in ("statement.json", "commitments.jsonl", "tagmanifest-sha256.txt"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / name).write_text(text, encoding="latin-1")
        refused(folder, inside, capsys)


def test_no_zip_at_all(tmp_path, inside, capsys):
    place = tmp_path / "bag.zip"
    place.write_bytes(b"PK\x03\x04 and nothing else")
    refused(place, inside, capsys)
    with pytest.raises((IntegrityError, UsageError)):
        check(tmp_path / "nowhere", Pinned())


def test_words_that_move_the_terminal_are_shown_harmless(bundles, tmp_path, inside, capsys):
    folder = tmp_path / "bag"
    shutil.copytree(bundles["hr"].folder, folder)
    (folder / "data" / "a\x1b[31m\u202e.txt").write_text("x")
    inside.main([str(folder)])
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "\u202e" not in told


def test_evidence_in_pages_is_text(bundles):
    for built in bundles.values():
        for page in built.folder.rglob("*.html"):
            assert "<script" not in page.read_text().lower() or page.name == "report.html"
        for page in built.folder.rglob("*.json"):
            json.loads(page.read_text())
