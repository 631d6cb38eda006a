"""The page in a real browser: it loads nothing, complains of nothing, leads from the first page to the bytes, and is fit for a screen reader."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def started() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api")
    binary = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
    if not Path(binary).exists():
        pytest.skip("no Chromium")
    with api.sync_playwright() as play:
        found = play.chromium.launch(
            executable_path=binary, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
        )
        yield found
        found.close()


@pytest.fixture
def browser(started: Any) -> Iterator[Any]:
    """Give the browser that all share; what a test opened in it is closed, so that nothing of one reaches the next."""
    assert started.contexts == []
    yield started
    for context in started.contexts:
        context.close()


def opened(browser: Any, text: str, folder: Path, **options: Any) -> tuple[Any, list[str], list[str]]:
    """Return the page, what it complained of, and what it asked for beside itself."""
    file = folder / "report.html"
    file.write_text(text, encoding="utf-8")
    page = browser.new_page(**options)
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(file.as_uri())
    assert requests.pop(0) == file.as_uri()
    return page, complaints, requests


@pytest.mark.parametrize("which", ["lab", "hostile"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_asks_for_nothing_and_fits_the_screen(browser: Any, which: str, width: int, rendered: Any, tmp_path: Path) -> None:
    text = rendered(which)
    page, complaints, requests = opened(browser, text, tmp_path, viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("getComputedStyle(document.querySelector('.card')).borderTopWidth") == "1px"  # the stylesheet was let in
    assert not complaints
    assert not requests


def test_two_clicks_lead_from_the_first_page_to_the_bytes(browser: Any, rendered: Any, tmp_path: Path) -> None:
    page, complaints, requests = opened(browser, rendered("lab"), tmp_path, java_script_enabled=False)
    page.locator("#plain .card").first.locator(".cites a").first.click()
    anchor = page.url.partition("#")[2]
    row = page.locator(f"#{anchor}")
    assert "push-log#bytes=" in row.inner_text() or "dhcp#bytes=" in row.inner_text()
    assert '"action": "' in row.locator("pre").inner_text()
    assert row.bounding_box()["y"] < 900
    assert not complaints
    assert not requests


def test_on_a_phone_a_record_is_there_when_it_is_asked_for_and_no_drawing_scrolls(browser: Any, rendered: Any, tmp_path: Path) -> None:
    page, complaints, _ = opened(browser, rendered("lab"), tmp_path, java_script_enabled=False, viewport={"width": 390, "height": 844})
    assert page.locator(".entry:visible").count() == 0
    page.locator("#plain .card").first.locator(".cites a").first.click()
    assert [one.get_attribute("id") for one in page.locator(".entry:visible").all()] == [page.url.partition("#")[2]]
    assert page.locator(".entry:visible pre").is_visible()
    page.locator("label[for=every-entry]").click()
    assert page.locator(".entry:visible").count() == page.locator(".entry").count()
    assert [one.get_attribute("class") for one in page.locator("svg:visible").all() if one.bounding_box()["width"] > 380] == []
    assert page.locator(".stops li").first.is_visible()
    first = page.locator(".acts").first.locator("tbody tr")
    assert sum(row.is_visible() for row in first.all()) == 3
    page.locator("svg:visible a[href^='#act-']").last.click()
    assert page.locator(".acts tbody tr:target").is_visible()
    page.locator("label[for=every-act]").click()
    assert all(row.is_visible() for row in first.all())
    assert not complaints


AXE = """async part => {
    const options = {resultTypes: ['violations']};
    return (await axe.run(part || document, options)).violations.map(v => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200)]);
}"""  # what passes is not listed one by one: that takes half the time


@pytest.mark.parametrize(
    ("which", "scheme", "language"), [("lab", "light", "en"), ("lab", "dark", "zh"), ("hostile", "light", "zh"), ("hostile", "dark", "en")]
)
def test_axe_finds_nothing(browser: Any, rendered: Any, tmp_path: Path, which: str, language: str, scheme: str) -> None:
    carried = pytest.importorskip("axe_playwright_python")
    axe = (Path(carried.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    context = browser.new_context(bypass_csp=True, color_scheme=scheme)  # for axe itself, which the page would not let in
    page, complaints, requests = opened(context, rendered(which, language), tmp_path)
    page.wait_for_selector("#plot canvas")
    for summary in page.locator("#found summary").all()[:1]:  # every hostile record is cited: none of its rows unfolds
        summary.click()
        page.locator("#found details dl").wait_for()
    page.evaluate(axe)
    assert page.evaluate(AXE, "") == []
    page.locator("#by-words").fill("no such thing anywhere")
    page.locator("#told.nothing").wait_for()
    page.add_style_tag(content="main > :not(#timeline) { display: none }")  # it was looked at already, and takes long
    assert page.locator("main > :visible").count() == 1
    assert page.evaluate(AXE, "#timeline") == []
    assert (
        page.evaluate("document.querySelectorAll('img, iframe, object, embed, link, [onerror], [onload], a[href^=\"java\"]').length") == 0
    )
    assert not complaints
    assert not requests


def test_the_language_is_switched_without_a_script(browser: Any, rendered: Any, tmp_path: Path) -> None:
    page, complaints, _ = opened(browser, rendered("lab"), tmp_path, java_script_enabled=False)
    first = page.locator("#plain h2")
    assert first.inner_text() == "In plain words"
    page.locator("label[for=tongue-zh]").click()
    assert first.inner_text() == "结论摘要"
    assert "In plain words" not in page.locator("body").inner_text()
    assert not page.locator("#explore").is_visible()
    assert not complaints


def test_the_language_is_switched_by_keyboard(browser: Any, rendered: Any, tmp_path: Path) -> None:
    page, complaints, _ = opened(browser, rendered("lab"), tmp_path)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.locator("#plain h2").inner_text() == "结论摘要"
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    assert not complaints


def says(where: Any, text: str) -> None:
    """Wait until it does; the page lets in no script of the test's own."""
    pytest.importorskip("playwright.sync_api").expect(where).to_have_text(text)


def test_acts_are_searched_filtered_and_zoomed(browser: Any, rendered: Any, tmp_path: Path) -> None:
    page, complaints, requests = opened(browser, rendered("lab"), tmp_path)
    page.wait_for_selector("#plot canvas")
    told, rows = page.locator("#told"), page.locator("#found tbody tr")
    every = told.inner_text()
    assert "Acts in view:" in every
    page.locator("#by-words").fill("luzw vpn")
    says(told, "Acts in view: 1")
    assert "session.vpn.connect" in rows.first.inner_text()
    assert "vpn#bytes=" in rows.first.inner_text()
    page.locator("#by-words").fill("")
    page.locator("#by-action").select_option("job")
    says(told, "Acts in view: 37")
    page.locator("#by-lane").select_option("object")
    page.locator("#by-action").select_option("")
    says(told, every)
    page.locator("#zoom-in").click()
    page.locator("#zoom-on").click()
    pytest.importorskip("playwright.sync_api").expect(told).not_to_have_text(every)
    page.locator("#zoom-all").click()
    says(told, every)
    page.locator("label[for=tongue-zh]").click()
    assert "视野内的行为" in told.inner_text()
    link = page.locator("#found tbody a").first
    if link.count():
        assert page.locator(link.get_attribute("href") or "").count() == 1
    assert not complaints
    assert not requests


def test_where_nothing_is_found_it_is_said_and_what_no_answer_cites_opens(browser: Any, rendered: Any, tmp_path: Path) -> None:
    page, complaints, requests = opened(browser, rendered("lab"), tmp_path)
    page.wait_for_selector("#plot canvas")
    told, rows = page.locator("#told"), page.locator("#found tbody tr")
    assert told.get_attribute("aria-live") == "polite"
    page.locator("#by-words").fill("no such thing anywhere")
    says(told, "Nothing found among the 2,148 acts that this page carries.")
    assert rows.count() == 0
    page.locator("#by-words").fill("object.read")
    says(told, "Acts in view: 1,500; the first 100 are listed")
    row = rows.first
    assert row.locator("a").count() == 0  # no answer cites it
    row.locator("summary").click()
    row.locator("details dl").wait_for()
    opened_text = row.locator("details").inner_text()
    assert "No answer cites this record" in opened_text
    assert "forensics show OUT 'cloudtrail#bytes=" in opened_text
    assert page.locator(f"#evidence :text('{row.locator('summary').inner_text()}')").count() == 0
    page.locator("#by-words").fill("badge#")
    says(told, "Nothing found among the 2,148 acts that this page carries.")
    page.locator("#by-words").fill("badge:20417")
    says(told, "Acts in view: 1")
    number = rows.first.locator("a").inner_text()
    page.locator("#by-words").fill(number)
    says(told, "Acts in view: 1")
    page.locator("#zoom-all").click()
    for _ in range(9):
        page.locator("#zoom-in").click()
    says(told, "Nothing found in view; found in the whole window: 1. The button “whole window” shows them.")
    assert not complaints
    assert not requests


MARKS = "globalThis.forensicsTimeline.marks().filter((one) => one.kind === 'asked').map((one) => [one.number, one.lane])"


def test_the_act_in_question_is_marked_at_any_zoom_and_under_any_filter(browser: Any, rendered: Any, tmp_path: Path) -> None:
    page, complaints, _ = opened(browser, rendered("lab"), tmp_path)
    page.wait_for_selector("#plot canvas")
    every = page.evaluate(MARKS)
    assert len(every) == 1
    page.locator("#by-words").fill("object.read")
    says(page.locator("#told"), "Acts in view: 1,500; the first 100 are listed")
    assert [number for number, _ in page.evaluate(MARKS)] == [number for number, _ in every]
    page.locator("#by-words").fill("")
    page.locator("#by-lane").select_option("object")
    assert all(lane not in ("", "all others") for _, lane in page.evaluate(MARKS))
    page.evaluate("globalThis.forensicsTimeline.zoom(0.5, -0.5)")
    page.evaluate("globalThis.forensicsTimeline.zoom(0.5, 0)")
    assert len(page.evaluate(MARKS)) == 1
    page.evaluate("globalThis.forensicsTimeline.zoom(1, 2)")
    assert page.evaluate(MARKS) == []
    assert not complaints


def test_hostile_text_stays_text_in_what_the_script_lists(browser: Any, rendered: Any, tmp_path: Path) -> None:
    page, complaints, requests = opened(browser, rendered("hostile"), tmp_path)
    page.wait_for_selector("#plot canvas")
    page.locator("#by-words").fill("<script>")
    says(page.locator("#told"), "Acts in view: 2")
    rows = page.locator("#found tbody")
    assert "<script>alert(1)</script>" in rows.inner_text()
    assert rows.locator("script, img, svg").count() == 0
    assert not complaints
    assert not requests


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_prints_with_contents_page_numbers_and_the_case_on_each_page(browser: Any, rendered: Any, tmp_path: Path, language: str) -> None:
    page, _, _ = opened(browser, rendered("lab", language), tmp_path)
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    text = subprocess.run(["pdftotext", "-layout", tmp_path / "report.pdf", "-"], check=True, capture_output=True, text=True).stdout
    pages = text.split("\f")[:-1]
    assert len(pages) > 5
    for number, one in enumerate(pages, 1):
        assert ("Case" if language == "en" else "案件") + " 2024-06-unstable-training" in one
        assert ("Evidence report" if language == "en" else "证据报告") in one
        assert f"{number} / {len(pages)}" in one
    assert ("Contents" if language == "en" else "目录") in pages[0]
    assert ("In plain words" if language == "en" else "结论摘要") in pages[0]
    listed = re.findall(r"(?<!\S)(\d+)\. (\S+(?: \S+)*)", pages[0])
    names = page.locator(".toc a").all_inner_texts()
    assert {number: name for number, name in listed if name in names} == {str(n): name for n, name in enumerate(names, 1)}
    for number, name in enumerate(page.locator("main h2").all_inner_texts(), 1):
        assert re.search(rf"^ *{number}\. {re.escape(name[:12])}", text, re.MULTILINE), name  # the same number at its head
    assert ("结论摘要" if language == "en" else "In plain words") not in text
    heads = {re.sub(r"\s+", " ", head).strip() for head in page.locator("main :is(h2, h3, h4)").all_inner_texts()}
    lowest = [re.sub(r"\s+", " ", one.strip().split("\n")[-2]).strip() for one in pages]  # above the page's number
    assert [one for one in lowest if re.sub(r"^\d+\. ", "", one) in heads] == []
    assert "vpn#bytes=" in text  # what was weighed is printed; what only the links of a path cite is not
    assert text.count('"job.launch"') < 5
    assert ("This is a print" if language == "en" else "打印件") in pages[0]
