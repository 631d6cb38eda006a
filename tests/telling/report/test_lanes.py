"""The data of the timeline that can be searched: every event once, as small as it can be, and safe within a page."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from forensics import schema, times
from forensics.model import CaseConfig, Event, Identifier, Person
from forensics.tables import Tables
from forensics.telling.report import lanes, render
from forensics.telling.report.names import Names
from forensics.telling.report.page import _folder

BEGIN, END = times.parse("2024-06-01T00:00:00Z")[0], times.parse("2024-07-01T00:00:00Z")[0]
CASE = CaseConfig(
    "case", "c", "c", "Europe/Berlin", (BEGIN, END), (), (), (Person("p-1", "Ada", "", None, None), Person("p-2", "Mei", "", None, None)),
    (Identifier("unix:ada", "p-1", "personal", None, None), Identifier("unix:team", "p-1", "shared", None, None), Identifier("unix:team", "p-2", "shared", None, None)),
)  # fmt: skip


FILE = {
    "source": "log",
    "file": "",
    "sha256": "f" * 64,
    "stored": 9,
    "text": 9,
    "parsed": 9,
    "skipped": 0,
    "rejected": 0,
    "damage": "",
    "counted": True,
}


def tables_of(folder: Path, events: list[Event]) -> Tables:
    tables = Tables(folder)
    tables.write("events", [schema.event_batch("log", "", 0, events)])
    return tables


def told(tables: Tables, **labels: str) -> tuple[dict[str, Any], list[tuple[str, int]]]:
    text, left = lanes.lanes(tables, CASE, Names({"p-1": "Ada", "p-2": "Mei"}, labels), [], {})
    return json.loads(str(text)), left


def event(n: int, actor: str, action: str = "file.read", **more: Any) -> Event:
    return Event(10 * n, 10 * n + 10, BEGIN + n * 60 * times.SECOND, action, actor, **more)


def test_every_event_is_there_with_its_time_its_texts_and_its_place(tmp_path: Path) -> None:
    data, left = told(
        tables_of(tmp_path, [event(0, "unix:ada", object="file:///a"), event(1, "unix:team", object="file:///a"), event(2, "unix:x")])
    )
    assert left == []
    assert data["time"] == [BEGIN // 1_000_000, 60_000, 60_000]
    assert [data["texts"][n] for n in data["object"]] == ["file:///a", "file:///a", ""]
    assert [data["texts"][n] for n in data["person"]] == ["Ada (p-1)", "*", ""]  # one holder, several, nobody in the registers
    assert (data["start"], data["size"]) == ([0, 10, 20], [10, 10, 10])
    assert data["texts"].count("file:///a") == 1


def test_clocks_go_with_the_seasons(tmp_path: Path) -> None:
    data, _ = told(tables_of(tmp_path, [event(0, "unix:ada")]))
    assert [offset for _, offset in data["zone"]] == [7_200_000]


def test_labels_stand_in_the_place_of_names(tmp_path: Path) -> None:
    data, _ = told(tables_of(tmp_path, [event(0, "unix:ada")]), **{"unix:ada": "[1.1]", "p-1": "[1]"})
    assert set(data["texts"]) >= {"[1.1]", "[1]"}
    assert not {text for text in data["texts"] if "ada" in text.lower()}


def test_nothing_in_it_ends_the_element(tmp_path: Path) -> None:
    text, _ = lanes.lanes(tables_of(tmp_path, [event(0, "</script><!--<script>", object="]]>&amp;")]), CASE, Names({}), [], {})
    assert not {"<", ">", "&"} & set(str(text))
    assert "</script><!--<script>" in json.loads(str(text))["texts"]


def test_of_too_many_the_most_frequent_kinds_stay_in_the_tables_and_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "MOST", 12)
    rows = [event(n, "unix:ada") for n in range(30)] + [event(40 + n, "unix:ada", "code.push") for n in range(10)]
    data, left = told(tables_of(tmp_path, rows))
    assert left == [("file.read", 30)]
    assert len(data["time"]) == 10


def test_a_marked_act_is_never_left_in_the_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "MOST", 12)
    rows = [event(n, "unix:ada") for n in range(30)] + [event(40 + n, "unix:ada", "code.push") for n in range(10)]
    tables = tables_of(tmp_path, rows)
    one = tables.rows("SELECT id FROM events WHERE start = 70")[0]["id"]
    act = {"id": one, "number": 1, "kind": "asked", "of": [("q1", "open")]}
    text, left = lanes.lanes(tables, CASE, Names({}), [act], {})
    data = json.loads(str(text))
    assert left == [("file.read", 29)]
    assert (len(data["time"]), data["left"]) == (11, 29)
    ((place, *rest),) = data["acts"]
    assert (data["start"][place], rest) == (70, [1, "asked", [["q1", "open"]]])


def test_each_row_whose_record_is_cited_leads_there_and_every_file_has_its_hash(tmp_path: Path) -> None:
    tables = tables_of(tmp_path, [event(0, "unix:ada"), event(0, "unix:bo"), event(1, "unix:ada"), event(2, "x", locator="git=ab")])
    tables.write("files", [pa.Table.from_pylist([FILE], schema=schema.FILES)])
    text, _ = lanes.lanes(tables, CASE, Names({}), [], {}, {("log", "", 0, 10): 4, ("log", "git=ab"): 9, ("other", "", 10, 20): 5})
    data = json.loads(str(text))
    assert sorted(number for _, number in data["cited"]) == [4, 4, 9]  # two events of one record
    assert [[data["texts"][n] for n in row] for row in data["hashes"]] == [["log", "", "f" * 64]]


def test_a_page_of_a_hundred_thousand_events_stays_small(tmp_path: Path, lab_report: Any) -> None:
    text = large(tmp_path, lab_report)
    assert len(text.encode()) < 15_000_000
    assert json.loads(text.split('id="events">')[1].split("</script>")[0])["time"].__len__() == 100_000


def large(folder: Path, lab_report: Any) -> str:
    """Render a hundred thousand events, of which a third are claims, an answer rests on eighty, and forty more are cited beside."""
    findings, _, case, extra = lab_report
    begin = case.window[0]
    rows = [
        Event(90 * n, 90 * n + 90, begin + n * 50 * times.SECOND, f"file.{('read', 'write')[n % 2]}", f"unix:user{n % 80}" if n % 3 else None, f"file:///share/runs/{n}/step_{n % 977}.pt", host=f"node-{n % 40}", claimed=None if n % 3 else f"unix:user{n % 80}")
        for n in range(100_000)
    ]  # fmt: skip
    refs = [{"source": "log", "sha256": "a" * 64, "locator": f"bytes={90 * n}-{90 * n + 90}"} for n in range(7, 100_000, 830)]
    weighed = {"says": "x", "group": "log", "tier": "T2", "lr": 2.0, "refs": refs[:80]}
    answer = findings["answers"][0] | {
        "for": [weighed], "against": [], "neutral": [weighed | {"refs": refs[80:], "lr": 1.0}], "flag_items": [], "path": [], "ladder": [{"rung": "account", "reached": True, "why": "x", "refs": refs[40:42]}],
    }  # fmt: skip
    findings = findings | {"answers": [answer, *findings["answers"][1:]]}
    return render(findings, tables_of(folder / "large", rows), case, extra)


@pytest.mark.bench
@pytest.mark.browser
def test_a_hundred_thousand_events_are_painted_and_zoomed_in_time(tmp_path: Path, lab_report: Any) -> None:
    api = pytest.importorskip("playwright.sync_api")
    file = tmp_path / "report.html"
    file.write_text(large(tmp_path, lab_report), encoding="utf-8")
    with api.sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or "/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(file.as_uri())
        page.wait_for_selector("#plot canvas")
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        assert page.evaluate("globalThis.forensicsTimeline.marks().length") > 100
        zooms = []
        for factor in (0.5, 0.5, 0.5, 2, 2, 0.25, 4):
            page.wait_for_timeout(300)
            zooms.append(page.evaluate(ZOOM, factor))
        browser.close()
    print(f"{file.stat().st_size / 1e6:.1f} MB, first paint {paint:.0f} ms, zooms {', '.join(f'{z:.0f}' for z in zooms)} ms")
    assert paint < 1500
    assert sorted(zooms)[len(zooms) // 2] < 100


ZOOM = """async (factor) => {
    const before = performance.now();
    globalThis.forensicsTimeline.zoom(factor, 0);
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
    return performance.now() - before;
}"""


@pytest.mark.skipif(
    not (_folder() / "timeline" / "node_modules" / "vite").is_dir() or not shutil.which("node"),
    reason="needs node, and what `make timeline` installs in templates/timeline",
)
def test_the_built_script_is_what_its_source_gives(tmp_path: Path) -> None:
    source = _folder() / "timeline"
    subprocess.run(
        ["node", "node_modules/vite/bin/vite.js", "build", "--outDir", str(tmp_path), "--logLevel", "error"],
        cwd=source,
        check=True,
        timeout=120,
    )
    assert (tmp_path / "timeline.js").read_bytes() == (_folder() / "timeline.js").read_bytes()


def test_the_lock_names_no_place_to_fetch_from() -> None:
    lock = json.loads((_folder() / "timeline" / "package-lock.json").read_text(encoding="utf-8"))
    assert all("resolved" not in package for package in lock["packages"].values())
    assert all("integrity" in package for name, package in lock["packages"].items() if name)
