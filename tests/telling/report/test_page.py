"""The page as a whole: its law, its links, its sameness."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from forensics.telling.report import Extra, render
from forensics.telling.report.page import _folder
from forensics.telling.report.showing import SENTENCE

VOID = {"meta", "br", "img", "link", "input", "hr", "wbr", "base", "source", "col"}
ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "a", "header", "p", "h1", "h2", "h3", "h4", "dl", "div", "dt", "dd", "nav", "ol", "ul", "li", "main",
    "section", "article", "span", "br", "b", "q", "blockquote", "table", "caption", "thead", "tbody", "tr", "th", "td", "abbr", "details", "summary", "pre",
    "footer", "script", "button", "select", "option", "fieldset", "legend", "input", "label", "tspan", "svg", "desc", "rect", "text", "path", "circle", "defs", "pattern",
}  # fmt: skip


class Page(HTMLParser):
    """Everything that a browser would make of the page, as lists."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.headings: list[int] = []
        self.comments: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else at {self.getpos()}"

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in {"style", "script"}:
            self.words.append(data)

    def all(self, attribute: str) -> list[str]:
        return [attrs[attribute] or "" for _, attrs in self.tags if attribute in attrs]


@pytest.fixture(params=["lab", "hostile"])
def page(request: pytest.FixtureRequest, rendered: Any) -> str:
    return rendered(request.param)


def digest_of(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_policy_forbids_everything_but_its_own_stylesheet_and_script(page: str) -> None:
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert (len(styles), len(scripts)) == (1, 1)
    assert scripts[0] == (_folder() / "timeline.js").read_text(encoding="utf-8")
    digest, script = digest_of(styles[0]), digest_of(scripts[0])
    metas = [attrs for tag, attrs in Page(page).tags if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"]
    assert [meta["content"] for meta in metas] == [
        f"default-src 'none'; style-src 'sha256-{digest}'; script-src 'sha256-{script}'; img-src data:; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ]
    assert page.index("Content-Security-Policy") < page.index("<style>")
    assert "url(" not in styles[0]
    assert "@import" not in styles[0]


def test_nothing_loads_and_nothing_runs(page: str) -> None:
    made = Page(page)
    assert {tag for tag, _ in made.tags} <= ALLOWED
    assert not made.comments
    assert [attrs for tag, attrs in made.tags if tag == "script"] == [{"type": "application/json", "id": "events"}, {}]
    names = {name for _, attrs in made.tags for name in attrs}
    assert not {name for name in names if name.startswith("on")} | (names & {"style", "src", "srcset", "action", "xlink:href"})
    assert all(re.fullmatch(r"#[a-z0-9-]+", href) for href in made.all("href"))
    assert set(made.all("fill")) <= {"none", "url(#hatch-broad-only)", "url(#hatch-narrow-only)"}


def test_every_link_leads_to_one_place(page: str) -> None:
    made = Page(page)
    ids = made.all("id")
    assert len(ids) == len(set(ids))
    assert {href[1:] for href in made.all("href")} <= set(ids)
    assert {part for value in made.all("aria-labelledby") for part in value.split()} <= set(ids)


def test_headings_are_in_order_and_tables_have_headed_columns(page: str) -> None:
    made = Page(page)
    assert made.headings[0] == 1
    assert made.headings.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(made.headings, made.headings[1:], strict=False))
    assert all(attrs.get("scope") in {"col", "row"} for tag, attrs in made.tags if tag == "th")
    assert dict(made.tags)["html"] == {"lang": "en", "data-first": "en"}
    drawings = [attrs for tag, attrs in made.tags if tag == "svg"]
    assert all("aria-labelledby" in attrs or attrs.get("aria-hidden") == "true" for attrs in drawings)


def refs_of(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value] if "locator" in value else [ref for key in sorted(value) for ref in refs_of(value[key])]
    return [ref for part in value for ref in refs_of(part)] if isinstance(value, list) else []


def test_every_reference_of_an_answer_has_its_row_with_its_bytes(lab_report: Any, rendered: Any) -> None:
    findings, _, _, extra = lab_report
    text = rendered("lab")
    rows = re.findall(r'<article id="e\d+" class="entry(?: folded)?">.*?</article>', text, re.DOTALL)
    refs = refs_of(findings["answers"]) + refs_of(findings["statements"])
    assert len(refs) > 60
    for ref in refs:
        mine = [row for row in rows if f">{ref['source']}#{ref['locator']}<" in row and ref["sha256"] in row]
        assert len(mine) == 1
        words = "".join(Page(mine[0]).words)
        assert extra.raw(ref).decode().strip() in words


def test_a_record_is_shown_up_to_two_kilobytes_with_the_rest_counted(lab_report: Any) -> None:
    findings, tables, case, extra = lab_report
    long = Extra(extra.tool, extra.examiner, extra.time, raw=lambda _: b"\xffA\x00" + b"y" * 5000)
    text = render(findings, tables, case, long)
    assert "\\xffA\\x00" + "y" * 2045 + "</pre>" in text
    assert "2,955 more bytes are not shown." in text


def test_bytes_that_are_not_at_hand_are_said_to_be_missing(lab_report: Any) -> None:
    findings, tables, case, extra = lab_report
    text = render(findings, tables, case, Extra(extra.tool, extra.examiner, extra.time))
    assert "<pre" not in text
    assert "The bytes could not be read here" in text


def shuffled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shuffled(value[key]) for key in reversed(list(value))}
    return [shuffled(part) for part in value] if isinstance(value, list) else value


def test_the_same_findings_give_the_same_bytes_whatever_the_order_of_keys(lab_report: Any) -> None:
    findings, tables, case, extra = lab_report
    text = render(findings, tables, case, extra)
    assert render(json.loads(json.dumps(findings)), tables, case, extra) == text
    turned = Extra(
        extra.tool,
        extra.examiner,
        extra.time,
        extra.custody_head,
        tuple(shuffled(e) for e in extra.custody),
        shuffled(extra.policy),
        raw=extra.raw,
    )
    assert render(shuffled(findings), tables, case, turned) == text


def test_it_says_which_sources_were_recording_when_the_act_was_done(rendered: Any) -> None:
    part = re.sub(r"<[^>]+>", "", rendered("lab"))
    assert "Question q1: of 10 sources, 9 have records from before and after the act and no gap over it." in part
    assert "Not so: metrics. That these show nothing of that moment says nothing." in part
    assert "Question q3: of 10" not in part  # its act has no time


def test_no_path_of_this_machine_stands_in_the_page(lab_report: Any, rendered: Any) -> None:
    text = rendered("lab")
    assert str(lab_report[1].folder.parent) not in text
    assert str(Path.home()) not in text or str(Path.home()) == "/"
    assert str(Path(__file__).parents[3]) not in text


def test_findings_with_no_answers_make_a_page(lab_report: Any) -> None:
    findings, tables, case, extra = lab_report
    bare = {"schema": findings["schema"], "case": {"id": "x", "from": findings["case"]["from"], "to": findings["case"]["to"]}}
    bare |= {key: [] for key in ("answers", "statements", "causes", "impact", "sources")}
    text = render(bare, tables, case, extra)
    assert "There is no answer to report." in text
    Page(text)


def test_hostile_text_stays_text(rendered: Any) -> None:
    text = rendered("hostile")
    words = "".join(Page(text).words)
    for shown in (
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "javascript:alert(1)",
        "{{ 7*7 }}",
        "\\u202egnp.exe\\u2066\\u200b",
        "\\x1b[31mred\\x1b]0;title\\x07\\x00",
    ):
        assert shown in words
    text.encode()  # no lone surrogate is left
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff\u3164\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
    assert "x" * (SENTENCE + 1) not in re.sub(r"<pre.*?</pre>", "", text, flags=re.DOTALL)
    assert "more characters)" in text
