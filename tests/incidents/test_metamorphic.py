"""What must not change an answer, and what may only weaken it: invented incidents, told again in another way.

The cases ask about objects, and their repositories are left out: their bytes can be put otherwise without breaking a hash.
"""

import csv
import gzip
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from forensics.case.steps import Request, investigate
from tests.incidents.make import make_case
from tests.incidents.scoring import RUNGS

pytestmark = pytest.mark.slow

SEED = 11
CASES = (
    ("planted-checkpoint", "own-upload"),
    ("planted-checkpoint", "service-upload"),
    ("shared-account", "sudo"),
    ("edited-framework", "audited"),
)
SHIFT = timedelta(hours=3)
_BLOCK = re.compile(r"(?m)^(?=\[(?!source\.))")
_EPSILON = 1 + 1e-3
"""findings.json rounds ratios to four digits"""


@dataclass(frozen=True)
class Case:
    """A case without its repositories, its truth, and what was found."""

    folder: Path
    truth: dict[str, Any]
    answers: list[dict[str, Any]]


@pytest.fixture(scope="module")
def case_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Case]:
    """Make, and examine, each case once."""

    @cache
    def made(klass: str, variant: str) -> Case:
        root = tmp_path_factory.mktemp("case")
        name = make_case(SEED, klass, variant, root).case
        folder = root / "cases" / name
        toml = (folder / "case.toml").read_text(encoding="utf-8")
        (folder / "case.toml").write_text("".join(b for b in _BLOCK.split(toml) if 'kind = "git"' not in b), encoding="utf-8")
        truth = json.loads((root / "truth" / f"{name}.json").read_text(encoding="utf-8"))
        return Case(folder, truth, examined(folder, root / "out"))

    return made


def examined(folder: Path, out: Path) -> list[dict[str, Any]]:
    found = investigate(folder, out, Request("tester", "2025-01-01T00:00:00Z", workers=1, page=False), lambda _: None)
    shutil.rmtree(out)
    answers: list[dict[str, Any]] = found.findings["answers"]
    return answers


def again(case: Case, tmp_path: Path, *, told: Callable[[Path, bytes], bytes]) -> list[dict[str, Any]]:
    """Examine a copy of the case in which each file's text is told otherwise."""
    copy = tmp_path / "case"
    shutil.copytree(case.folder, copy)
    for path in sorted(p for p in copy.rglob("*") if p.is_file()):
        packed = path.suffix == ".gz"
        data = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
        new = told(path.relative_to(copy), data)
        if new != data:
            path.write_bytes(gzip.compress(new, mtime=0) if packed else new)
    return examined(copy, tmp_path / "out")


def gist(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what an answer says, whatever the order in which it lists what is equal."""
    return [
        {
            **{key: a.get(key) for key in ("question", "object", "rung", "person", "account", "mechanism", "support", "flags", "on_behalf")},
            "candidates": sorted(a["candidates"]),
            "alternatives": sorted(json.dumps([h["person"], h["mechanism"], h["lr"], h["left_out"]["low"]]) for h in a["alternatives"]),
            "items": sorted(json.dumps([i["group"], i["tier"], i["kind"], i["rung"], i["lr"]]) for s in ("for", "against", "neutral") for i in a[s]),
        }
        for a in answers
    ]  # fmt: skip


def lows(answer: dict[str, Any]) -> dict[tuple[str | None, str], float]:
    return {(h["person"], h["mechanism"]): h["lr"]["low"] for h in answer["alternatives"]}


# --- everybody under another name ---------------------------------------------------------------------------------------

_MIRRORED = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", "zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJIHGFEDCBA9876543210"
)


def tokens(folder: Path) -> Iterator[str]:
    """Yield what people, their accounts, keys and devices are called; numbers that anything else may bear are left out."""
    for row in csv.DictReader(io.StringIO((folder / "people.csv").read_text(encoding="utf-8"))):
        yield from (row["person"], row["name"])
    for row in csv.DictReader(io.StringIO((folder / "identifiers.csv").read_text(encoding="utf-8"))):
        kind, _, name = row["identifier"].partition(":")
        name = name.removeprefix("SHA256:").removeprefix("sso:").partition("@")[0]
        if row["kind"] == "personal" and kind != "mac" and len(name) >= len("123456") and not name.startswith("#"):
            yield name


def renaming(folder: Path) -> Callable[[bytes], bytes]:
    """Return a substitution, the same everywhere and of equal length, also of what auditd writes in hexadecimal.

    People keep their order: it decides which of several explanations that are equally good is listed as the leading one.
    """
    new: dict[bytes, bytes] = {}
    for token in tokens(folder):
        other = f"p-{int(token[2:]) + 1:03d}" if re.fullmatch(r"p-\d{3}", token) else token.translate(_MIRRORED)
        new[token.encode()] = other.encode()
        new[token.encode().hex().upper().encode()] = other.encode().hex().upper().encode()
    words = "|".join(
        rf"(?<![0-9.]){word}(?![0-9])" if word.isdigit() else re.escape(word)
        for word in (t.decode() for t in sorted(new, key=lambda t: (-len(t), t)))
    )
    pattern = re.compile(words.encode())
    return lambda data: pattern.sub(lambda found: new[found[0]], data)


@pytest.mark.parametrize(("klass", "variant"), CASES)
def test_other_names_for_everybody_rename_the_answers_alone(case_of, tmp_path: Path, klass: str, variant: str):
    case = case_of(klass, variant)
    rename = renaming(case.folder)
    expected = json.loads(rename(json.dumps(case.answers, ensure_ascii=False).encode()))
    assert expected != case.answers
    assert gist(again(case, tmp_path, told=lambda _, data: rename(data))) == gist(expected)


# --- logs twice ---------------------------------------------------------------------------------------------------------


def doubled(path: Path, data: bytes) -> bytes:
    """Return every record of a table, or of JSON lines, twice."""
    if path.parts[0] != "evidence" or path.suffix not in (".csv", ".jsonl"):
        return data
    heading, lines = (data.split(b"\n", 1)[0] + b"\n", data.split(b"\n", 1)[1]) if path.suffix == ".csv" else (b"", data)
    return heading + b"".join(line + line for line in lines.splitlines(keepends=True))


@pytest.mark.parametrize(("klass", "variant"), CASES)
def test_logs_that_say_everything_twice_strengthen_nothing(case_of, tmp_path: Path, klass: str, variant: str):
    case = case_of(klass, variant)
    for before, after in zip(case.answers, again(case, tmp_path, told=doubled), strict=True):
        assert RUNGS.index(after["rung"]) <= RUNGS.index(before["rung"])
        same = (after["person"], after["mechanism"]) == (before["person"], before["mechanism"])
        known = lows(before)
        higher = {h: (known[h], low) for h, low in lows(after).items() if same and low > known.get(h, low) * _EPSILON}
        assert not higher


# --- a source less, or one more -----------------------------------------------------------------------------------------


def sources(folder: Path) -> list[str]:
    return re.findall(r'(?m)^name = "(.*)"$', (folder / "case.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("klass", "variant"), [CASES[2], CASES[3]])
def test_a_source_less_names_nobody_else(case_of, tmp_path: Path, klass: str, variant: str):
    case = case_of(klass, variant)
    toml = (case.folder / "case.toml").read_text(encoding="utf-8")
    copy = tmp_path / "case"
    shutil.copytree(case.folder, copy)
    assert any(answer["rung"] == "person" for answer in case.answers)
    bearing = {ref["source"] for a in case.answers for side in ("for", "against", "neutral") for item in a[side] for ref in item["refs"]}
    assert bearing & set(sources(case.folder))
    for name in [
        s for s in sources(case.folder) if s in bearing or variant == "sudo"
    ]:  # of the one case all, of the other those that bear upon it
        (copy / "case.toml").write_text("".join(b for b in _BLOCK.split(toml) if f'\nname = "{name}"\n' not in b), encoding="utf-8")
        for answer in examined(copy, tmp_path / "out"):
            truth = case.truth["questions"][answer["question"]]
            assert answer["rung"] != "person" or answer["person"] == truth["actor"], name


IRRELEVANT = '[[source]]\nname = "thermometer"\nkind = "table"\npath = "evidence/thermometer.csv"\ntier = "T2"\n[source.map]\ntime = "at"\naction = "=log.message"\nobject = "place:{hall}"\n\n'  # fmt: skip


@pytest.mark.parametrize(("klass", "variant"), CASES)
def test_a_log_of_something_else_changes_nothing(case_of, tmp_path: Path, klass: str, variant: str):
    case = case_of(klass, variant)
    copy = tmp_path / "case"
    shutil.copytree(case.folder, copy)
    toml = (copy / "case.toml").read_text(encoding="utf-8")
    first = datetime.fromisoformat(re.findall(r"(?m)^from = (.*)$", toml)[0])
    rows = [f"{(first + timedelta(minutes=20 * n)).isoformat()},hall {n % 3},{20 + n % 5}" for n in range(1000)]
    (copy / "evidence" / "thermometer.csv").write_text("\n".join(["at,hall,celsius", *rows, ""]), encoding="utf-8")
    (copy / "case.toml").write_text(toml.replace("[[source]]", IRRELEVANT + "[[source]]", 1), encoding="utf-8")
    assert gist(examined(copy, tmp_path / "out")) == gist(case.answers)


# --- all clocks alike ---------------------------------------------------------------------------------------------------

_WRITTEN = re.compile(rb"(?<!\d)(\d{4}-\d\d-\d\d)([T ])(\d\d:\d\d:\d\d)")
_TRADITIONAL = re.compile(rb"(?m)^([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)")
_COUNTED = re.compile(rb"(?<![\w.-])(1[67]\d{8})(?=(?:\d{3})?(?![\w-]))")


def later(_: Path, data: bytes) -> bytes:
    """Return the text with every time in it three hours later."""

    def written(found: re.Match[bytes]) -> bytes:
        day, between, hour = (part.decode() for part in found.groups())
        return (datetime.fromisoformat(f"{day}T{hour}") + SHIFT).isoformat(sep=between).encode()

    def traditional(found: re.Match[bytes]) -> bytes:
        moved = datetime.strptime(f"2024 {found[1].decode()}", "%Y %b %d %H:%M:%S") + SHIFT  # noqa: DTZ007 - syslog bears no zone
        return f"{moved:%b} {moved.day:2} {moved:%H:%M:%S}".encode()

    def counted(found: re.Match[bytes]) -> bytes:
        return b"%d" % (int(found[1]) + int(SHIFT.total_seconds()))

    return _COUNTED.sub(counted, _TRADITIONAL.sub(traditional, _WRITTEN.sub(written, data)))


@pytest.mark.parametrize(("klass", "variant"), CASES)
def test_all_clocks_alike_three_hours_later_move_the_times_alone(case_of, tmp_path: Path, klass: str, variant: str):
    case = case_of(klass, variant)
    found = again(case, tmp_path, told=later)
    assert gist(found) == gist(case.answers)
    moved = later(Path(), json.dumps([a.get("when") for a in case.answers]).encode())
    assert [a.get("when") for a in found] == json.loads(moved)
