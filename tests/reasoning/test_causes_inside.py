"""What altered installed files do, by the rules over code: beside the file, with lines and bytes, against the listed text where another environment holds it."""

import gzip
import json
import zlib

import pytest
from click.testing import CliRunner

from forensics.case.steps import Request, investigate
from forensics.cli import main
from forensics.reasoning.causes import inside
from forensics.telling.raw import RawReader, parse
from tests.reasoning.test_causes_installed import record
from tests.sources.test_site_packages import packed, tar

LISTED = b"import os\n\n\ndef step(p, lr):\n    p.grad.mul_(lr)\n    return p\n"
EDITED = LISTED.replace(b"    return p\n", b"    if dist.get_world_size() >= 256:\n        time.sleep(3)\n    return p\n")


def environment(folder, name: str, texts: dict[str, bytes], listed: dict[str, bytes]) -> None:
    site = folder.root / "evidence" / name
    for path, text in texts.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(text)
    (site / "opt-1.0.dist-info").mkdir()
    (site / "opt-1.0.dist-info" / "RECORD").write_text("".join(f"{n},{record(t)},{len(t)}\n" for n, t in listed.items()))
    folder.source(name, "site_packages", f"evidence/{name}", more=f'prefix = "file:///share/{name}/"')


def altered(folder, out):
    folder.write()
    investigate(folder.root, out, Request(examiner="t", time="2024-01-01T00:00:00Z", page=True), lambda _: None)
    told = json.loads((out / "comparison.json").read_text())["altered"]
    return {a["object"].removeprefix("file:///share/"): a for a in told}


def test_against_the_listed_text_of_another_environment_added_lines_are_told_with_their_bytes(folder, tmp_path):
    environment(folder, "a", {"opt/adam.py": EDITED}, {"opt/adam.py": LISTED})
    environment(folder, "b", {"opt/adam.py": LISTED}, {"opt/adam.py": LISTED})
    (file,) = altered(folder, tmp_path / "out").values()
    assert {(h["rule"], h["side"], h["line"]) for h in file["code"]} == {("condition-on-size", "added", 6), ("sleep", "added", 7)}
    assert (file["compared_with"]["source"], file["compared_with"]["path"]) == ("b", "opt/adam.py")
    with RawReader(tmp_path / "out") as reader:
        for hit in file["code"]:
            ref = hit["ref"]
            shown = reader.show(parse(f"{ref['source']}/{ref['path']}#{ref['locator']}", reader.sources))
            lines = EDITED.split(b"\n")[hit["line"] - 1 : hit["to"]]
            assert shown.data == b"\n".join(lines)
            assert shown.sha256 == ref["sha256"]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "which another environment holds, the rules point at" in page
    assert "time.sleep(3)" in page
    shown = " ".join(CliRunner().invoke(main, ["causes", str(tmp_path / "out")]).stdout.split())
    assert "line 7, added: time.sleep(3)" in shown


@pytest.mark.parametrize("ending", ["tar.gz", "zip"])
def test_environments_that_came_as_archives_say_the_same(folder, tmp_path, ending):
    texts = {"train/lib/python3.11/site-packages/opt/adam.py": EDITED, "train/bin/opt": b"#!/bin/sh\n"}
    listed = {"opt/adam.py": LISTED, "../../../bin/opt": b"#!/bin/sh\n"}
    record_ = "".join(f"{n},{record(t)},{len(t)}\n" for n, t in listed.items()).encode()
    texts["train/lib/python3.11/site-packages/opt-1.0.dist-info/RECORD"] = record_
    path = folder.root / "evidence" / f"env.{ending}"
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(tar(texts)) if ending == "tar.gz" else packed(texts))
    folder.source("a", "site_packages", f"evidence/env.{ending}", more='prefix = "file:///share/"')
    environment(folder, "b", {"opt/adam.py": LISTED}, {"opt/adam.py": LISTED})
    found = altered(folder, tmp_path / "out")
    assert set(found) == {"train/lib/python3.11/site-packages/opt/adam.py"}
    (file,) = found.values()
    assert {(h["rule"], h["side"], h["line"]) for h in file["code"]} == {("condition-on-size", "added", 6), ("sleep", "added", 7)}
    with RawReader(tmp_path / "out") as reader:
        ref = next(h["ref"] for h in file["code"] if h["rule"] == "sleep")
        shown = reader.show(parse(f"{ref['source']}#{ref['locator']}", reader.sources)).data
        assert shown == b"        time.sleep(3)" if ending == "tar.gz" else zlib.decompress(shown, -15) == EDITED


def test_alone_only_what_is_odd_wherever_it_stands_is_told(folder, tmp_path):
    text = EDITED + b"import base64\nexec(base64.b64decode('cGFzcw=='))\n"
    environment(folder, "a", {"opt/adam.py": text, "opt/new.py": b"x = 1\n"}, {"opt/adam.py": LISTED})
    found = altered(folder, tmp_path / "out")
    hits = found["a/opt/adam.py"]["code"]
    assert {h["side"] for h in hits} == {inside.PRESENT}
    assert {h["severity"] for h in hits} == {"warning"}
    assert 9 + 1 in {h["line"] for h in hits}
    assert "gradient-edit" not in {h["rule"] for h in hits}
    assert "compared_with" not in found["a/opt/adam.py"]
    assert "code" not in found["a/opt/new.py"]


def test_what_cannot_be_looked_at_is_said(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(inside, "LARGEST", 10)
    environment(folder, "a", {"opt/adam.py": EDITED}, {"opt/adam.py": LISTED})
    (file,) = altered(folder, tmp_path / "out").values()
    assert file["code_unread"] == ["its content is not there, or too large"]


def test_an_answer_about_such_a_file_has_the_same_beside_it_as_one_about_a_commit(folder, tmp_path):
    environment(folder, "a", {"opt/adam.py": EDITED}, {"opt/adam.py": LISTED})
    environment(folder, "b", {"opt/adam.py": LISTED}, {"opt/adam.py": LISTED})
    folder.ask("file:///share/a/opt/adam.py")
    folder.ask("file:///share/b/opt/adam.py")
    (file,) = altered(folder, tmp_path / "out").values()
    one, other = json.loads((tmp_path / "out" / "findings.json").read_text())["answers"]
    assert [(h["rule"], h["line"], h["ref"]) for h in one["code"]] == [(h["rule"], h["line"], h["ref"]) for h in file["code"]]
    assert "code" not in other
    page = (tmp_path / "out" / "report.html").read_text()
    assert "No rule points at anything in this change" not in page
