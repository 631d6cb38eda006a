"""Every text of our own that the page may say: out of the templates, the code, and what the reasoning writes into findings."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import forensics
from forensics import indicator, link
from forensics.patterns import rules
from forensics.telling import report
from forensics.telling.report import words
from forensics.telling.report.page import _folder
from forensics.telling.report.supplied import KINDS

_CALL = re.compile(r"""\b(?:t|n|head)\(\s*("(?:[^"\\]|\\.)*")""")
_SPEAKERS = {"say", "count"}


def of_templates() -> Iterator[tuple[str, str]]:
    for template in sorted(_folder().rglob("*.html")):
        for found in _CALL.finditer(template.read_text(encoding="utf-8")):
            yield template.name, ast.literal_eval(found.group(1))


def of_code() -> Iterator[tuple[str, str]]:
    for module in sorted(Path(str(report.__file__)).parent.glob("*.py")):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in _SPEAKERS:
                for part in _said(node.args[0]) if node.args else ():
                    if any(sign.isalpha() for sign in part):
                        yield module.name, part


def _said(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    if isinstance(node, ast.IfExp):
        yield from (*_said(node.body), *_said(node.orelse))


def of_words() -> Iterator[tuple[str, str]]:
    tables = (
        words.RUNG_STEPS, words.RUNG_NAMES, words.STEPS_OPEN, words.SURE, words.STATED, words.TIED_ELSEWHERE, words.BEARS_NAME, words.THINGS, words.SHOWS, words.BRIEF, words.HOW_FAR, words.NOT_SHOWN, words.MECHANISMS, words.SUPPORT, words.BAND_NAMES, words.TIERS, words.FLAG_NAMES,
        words.FLAGS, words.VERDICTS, words.VERDICT_NAMES, words.SCALE_NAMES, words.SCALE_NOTE, words.SPEAK_AGAINST, words.TESTS, words.LIMITS, words.MANDATE, words.STATUS, words.CLOCK_BY, words.PARTIES, words.CONSIDERED, words.EXPLORE, ("source", "host"), words.PATH_KINDS, words.INTENT, words.RATIO_NOTE,
    )  # fmt: skip
    for table in tables:
        yield from (("words.py", text) for text in texts(table))
    for kind in KINDS:
        yield from (("supplied.py", text) for text in (kind.name, kind.could))
    annex = ast.parse((Path(str(report.__file__)).parent / "annex.py").read_text(encoding="utf-8"))
    for node in ast.walk(annex):
        if (
            isinstance(node, ast.Tuple)
            and len(node.elts) == 3
            and isinstance(node.elts[2], ast.Attribute)
            and isinstance(node.elts[1], ast.Constant)
            and isinstance(node.elts[1].value, str)
        ):
            yield "annex.py", node.elts[1].value
    for unit in ("{number} d", "{number} h", "{number} min", "{number} s"):
        yield "page.py", unit


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from texts(part)
    else:
        for part in value:
            yield from texts(part)


def ours() -> list[tuple[str, str]]:
    """Every text that must stand in the catalog."""
    return sorted({*of_templates(), *of_code(), *of_words()})


# --- what the reasoning says ------------------------------------------------------------------------------------------

_SPEAKS = re.compile(r"[a-z]{2,} .*[a-z]{2,}|[a-z]{3,} ", re.ASCII)
_NOT_OURS = re.compile(
    r"SELECT|WHERE|FROM |json_extract|list_contains|BETWEEN|starts_with|regexp|arg_m|'\$|\bAND\b|\bOR\b|IS NOT|unnest|count\(|DISTINCT|[\\^$]"
)
_SILENT = {"policy.py", "difference.py"}
"""modules whose sentences never reach the findings"""


def of_reasoning() -> Iterator[tuple[str, str]]:
    """Yield what may reach findings.json: constants and f-strings that read like words, holes as `{}`."""
    root = Path(str(forensics.__file__)).parent / "reasoning"
    for module in sorted(root.rglob("*.py")):
        if module.name in _SILENT or "clocks" in module.parts:
            continue
        tree = ast.parse(module.read_text(encoding="utf-8"))
        skipped = {id(node) for node in _not_said(tree)}
        for node in ast.walk(tree):
            if id(node) in skipped:
                continue
            text = _text(node)
            if text and _SPEAKS.search(text) and not _NOT_OURS.search(text):
                yield module.name, text


def _not_said(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield docstrings, parts of f-strings, and what is said to whoever reads an error or a query."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
        if isinstance(node, ast.JoinedStr):
            yield from (part for part in node.values)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"compile", "rows", "sql", "acts", "search", "getLogger"}:
            yield from (part for part in ast.walk(node) if isinstance(part, (ast.Constant, ast.JoinedStr)) and part is not node)


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def of_readers() -> Iterator[tuple[str, str]]:
    """Yield why a record could not be read: what the readers give as reasons, holes as `{}`."""
    root = Path(str(forensics.__file__)).parent
    for module in sorted(root.rglob("*.py")):
        if module.relative_to(root).parts[0] in {"cli", "reasoning", "scan", "telling"}:
            continue
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "RecordError":
                yield from ((module.name, text) for arg in node.args if (text := _text(arg)))


def of_rules() -> Iterator[tuple[str, str]]:
    """Yield what the shipped rules over code say; nothing where those can't be read here."""
    if rules.installed():
        for rule in rules.read_rules():
            yield from ((rule.id, text) for text in (rule.says, rule.why, *rule.innocent))


def of_methods() -> Iterator[tuple[str, str]]:
    """Yield what rules and kinds of reasoning say of themselves."""
    for one in indicator.indicators():
        yield from ((one.name, text) for text in (one.why, one.errs))
    for rule in link.rules():
        yield rule.name, rule.says
