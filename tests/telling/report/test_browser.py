"""The page in a real browser: it loads nothing, complains of nothing, and leads from the first page to the bytes."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from forensics.telling.report import render

pytestmark = pytest.mark.browser


@pytest.fixture
def browser() -> Iterator[Any]:
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
def test_it_asks_for_nothing_and_fits_the_screen(
    browser: Any, which: str, width: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    text = render(*request.getfixturevalue(f"{which}_report"))
    page, complaints, requests = opened(browser, text, tmp_path, viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("getComputedStyle(document.querySelector('.card')).borderTopWidth") == "1px"  # the stylesheet was let in
    assert not complaints
    assert not requests


def test_two_clicks_lead_from_the_first_page_to_the_bytes(browser: Any, lab_report: Any, tmp_path: Path) -> None:
    page, complaints, requests = opened(browser, render(*lab_report), tmp_path, java_script_enabled=False)
    page.locator("#plain .card").first.locator(".cites a").first.click()
    anchor = page.url.partition("#")[2]
    row = page.locator(f"#{anchor}")
    assert "push-log#bytes=" in row.inner_text() or "dhcp#bytes=" in row.inner_text()
    assert '"action": "' in row.locator("pre").inner_text()
    assert row.bounding_box()["y"] < 900
    assert not complaints
    assert not requests
