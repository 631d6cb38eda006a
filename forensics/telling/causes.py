"""Which changes set harmed runs apart from healthy ones, in words, from findings.json and comparison.json alone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from forensics.telling.prose import Line, Text, cited, wrapped

Json = Mapping[str, Any]
SHOWN = 8
"""runs that are listed of each kind, unless all are asked for"""
_PLURALS = {"argument": "launch arguments", "environment": "environment variables"}


def causes(findings: Json, compared: Json, columns: int, *, every_run: bool) -> Iterator[Line]:
    """Yield what was compared, then the causes, the most telling first; where there is none, why, and what to collect."""
    texts = [*_heading(findings, compared), *_told(findings, compared, every_run=every_run)]
    if not findings["causes"]:
        texts += _nothing(compared)
    texts += _lines(compared.get("lines", []), every_run=every_run)
    texts += _left(compared, every_run=every_run)
    texts += _altered(compared, every_run=every_run)
    texts += _commands(compared, every_run=every_run)
    if every_run:
        texts += _runs(compared["runs"])
    yield from wrapped(texts, columns)


def as_json(findings: Json, compared: Json) -> dict[str, Any]:
    """Return the same for programs: each cause with the runs that it reached."""
    reached = {c["object"]: c for c in compared["causes"]}
    told = [{**c, "harmed": reached[c["object"]]["harmed"], "healthy": reached[c["object"]]["healthy"]} for c in findings["causes"]]
    return {**{k: v for k, v in compared.items() if k != "schema"}, "case": findings["case"]["id"], "causes": told}


def _heading(findings: Json, compared: Json) -> Iterator[Text]:
    yield 0, "#", f"{findings['case']['id']}: what sets harmed runs apart from healthy ones"
    counts = {kind: sum(r["kind"] == kind for r in compared["runs"]) for kind in ("harmed", "healthy", "looks harmed", "looks healthy")}
    if compared["runs"]:
        named = f"told by {compared['told_by']}, for the case names none" if compared["told_by"] else "named in the case"
        yield 2, "", f"{_count(counts['harmed'], 'harmed run')} and {counts['healthy']} healthy, {named}."
    if counts["looks harmed"] or counts["looks healthy"]:
        yield (
            2,
            "",
            f"Of runs that nobody named, {counts['looks harmed']} look harmed by their metrics, and {counts['looks healthy']} healthy: they decide between changes that tell the named ones apart equally well.",
        )
    if compared["considered"]:
        kinds = ", ".join(f"{n} {_PLURALS.get(kind, kind + 's')}" for kind, n in compared["considered"].items())
        yield (
            2,
            "",
            f"Considered: {kinds}, whatever reached any of these runs. Each node counts once whole, once from each of a few moments on, and once before and after each of its recorded troubles.",
        )
        yield (
            2,
            "",
            f"Who was harmed was shuffled {compared['shuffles']} times: below a score of {compared['floor']:.2f}, chance does as well too often for a cause to be told.",
        )


def _told(findings: Json, compared: Json, *, every_run: bool) -> Iterator[Text]:
    reached = {c["object"]: c for c in compared["causes"]}
    for number, cause in enumerate(findings["causes"], 1):
        yield 0, "#", f"{number}. {cause['object']}"
        yield (
            2,
            "",
            f"{cause['kind']}; score {cause['score']:.2f}; shuffled labels reach that in {100 * cause['chance']:.1f} % of the shuffles or less",
        )
        yield from ((2, "", f"{part[:1].upper()}{part[1:]}.") for part in cause["why"].split("; "))
        if cause.get("condition"):
            yield 2, "", f"It acts, or tells most, where {cause['condition']}."
        yield from _times(cause)
        for file in _files(cause["object"], compared):
            yield from _inside(file, every_hit=every_run)
        runs = reached.get(cause["object"], {"harmed": (), "healthy": ()})
        yield from _listed("harmed runs that it reached: ", runs["harmed"], every_run=every_run)
        yield from _listed("healthy runs that it reached: ", runs["healthy"], every_run=every_run)
        yield from ([(2, "", "shown by")] if cause["refs"] else [])
        yield from cited(cause["refs"], 4)


def _files(reference: str, compared: Json) -> list[Json]:
    """Return the first altered file that a cause is, or of which it is the content."""
    return [f for f in compared.get("altered", ()) if reference in (f["object"], f["found"])][:1]


def _times(cause: Json) -> Iterator[Text]:
    arrived, first = cause.get("when"), cause.get("first_harm")
    if arrived and first:
        gap = (_moment(first) - _moment(arrived)).total_seconds()
        order = (
            f"{_span(gap)} later" if gap >= 0 else f"{_span(-gap)} before that: what harmed that run was there earlier, or a clock is off"
        )
        yield 2, "", f"Arrived {arrived}; the first harmed run that it reached began {first}, {order}."
    elif first:
        yield 2, "", f"When it arrived is not recorded; the first harmed run that it reached began {first}."


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text[:19] + "+00:00")


def _span(seconds: float) -> str:
    for name, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * size or (seconds >= size and name == "minute"):
            return _count(round(seconds / size), name)
    return _count(round(seconds), "second")


def _listed(words: str, runs: Sequence[str], *, every_run: bool) -> Iterator[Text]:
    if runs:
        shown = runs if every_run else runs[:SHOWN]
        more = f" and {len(runs) - len(shown)} more (--runs)" if len(shown) < len(runs) else ""
        yield 2, "", words + ", ".join(shown) + more


def _nothing(compared: Json) -> Iterator[Text]:
    yield 0, "#", "No cause is told"
    yield 2, "", f"{compared['empty'][:1].upper()}{compared['empty'][1:]}."
    if compared["collect"]:
        yield 0, "#", "What could tell one"
        yield from ((2, "? ", wanted) for wanted in compared["collect"])


def _lines(lines: Sequence[Json], *, every_run: bool) -> Iterator[Text]:
    """Yield where along their lines of checkpoints the harm of runs began, runs of one beginning together."""
    began: dict[tuple[str | None, str, str | None], list[str]] = {}
    for line in lines:
        began.setdefault((line["last_healthy"], line["first_harmed"], line["checkpoint"]), []).append(line["run"])
    if began:
        yield 0, "#", "First bad checkpoints, along what harmed runs were continued from"
    for (good, first, checkpoint), runs in sorted(began.items(), key=lambda b: (-len(b[1]), b[0][1])):
        loaded = f", which loaded {checkpoint}" if checkpoint else ", which loaded nothing that a job wrote"
        yield 2, "- ", f"the harm shows first in {first}{loaded}; the last healthy one before it: {good or 'none that was judged'}"
        yield from _listed("  harmed runs that come of it: ", runs, every_run=every_run)


def _left(compared: Json, *, every_run: bool) -> Iterator[Text]:
    reached = {run for cause in compared["causes"] for run in cause["harmed"]}
    left = [r["run"] for r in compared["runs"] if r["kind"] == "harmed" and r["run"] not in reached]
    if left and compared["causes"]:
        yield 0, "#", "Harmed runs that none of these reached"
        yield from _listed("", left, every_run=every_run)


def _altered(compared: Json, *, every_run: bool) -> Iterator[Text]:
    """Yield the installed files that are not what was installed, whether or not they came to any run: a reason to look, and no cause by itself."""
    found = compared.get("altered", [])
    if found:
        yield 0, "#", "Installed files that are not what was installed: a reason to look, and no cause by itself"
    shown = found if every_run else found[:SHOWN]
    for file in shown:
        yield 2, "- ", f"{file['object']}: {file['says']}"
        yield from cited(file["refs"], 4)
        yield from _inside(file, every_hit=every_run)
    if len(shown) < compared.get("altered_count", 0):
        yield 2, "", f"{compared['altered_count'] - len(shown)} more (--runs, comparison.json)"


def _inside(file: Json, *, every_hit: bool) -> Iterator[Text]:
    """Yield what the rules over code point at in a file."""
    hits = file.get("code", [])
    shown = hits if every_hit else hits[:SHOWN]
    for hit in shown:
        own = f" (the examiner's own rule, in {hit['own']})" if hit.get("own") else ""
        why = f": {hit['why']}" if hit["why"] else ""
        honest = f"; it could be {' or '.join(hit['innocent'])}" if hit["innocent"] else ""
        yield 4, "", f"line {hit['line']}, {hit['side']}: {hit['text']}"
        yield 6, "", f"{hit['says']}{own}{why}{honest}"
        yield from cited([hit["ref"]], 6)
    if len(shown) < len(hits):
        yield 4, "", f"{len(hits) - len(shown)} more (--runs)"
    yield from ((4, "", f"not looked at by the rules: {why}") for why in file.get("code_unread", ()))


def _commands(compared: Json, *, every_run: bool) -> Iterator[Text]:
    found = compared.get("commands", [])
    if found:
        yield 0, "#", "Commands that rules ask to look at: a reason to look, and no cause by itself"
    shown = found if every_run else found[:SHOWN]
    for command in shown:
        beside = f"; beside {command['beside']}" if command["beside"] else ""
        yield 2, "- ", f"{command['time'] or 'at no recorded time'}, {command['host'] or 'no host'}: {command['line']}"
        own = f" (the examiner's own rule, in {command['own']})" if command.get("own") else ""
        why = f": {command['why']}" if command["why"] else ""
        honest = f"; it could be {' or '.join(command['innocent'])}" if command["innocent"] else ""
        yield 4, "", f"{command['says']}{own}{why}{honest}{beside}"
        yield from cited(command["refs"], 4)
    if len(shown) < len(found):
        yield 2, "", f"{len(found) - len(shown)} more (--runs)"
    yield from (
        (2, "", f"Of the examiner's own rule {one['rule']} nothing is told: {one['why']}.") for one in compared.get("commands_left", ())
    )


def _runs(runs: Iterable[Json]) -> Iterator[Text]:
    yield 0, "#", "The runs, each with its first record"
    for run in runs:
        yield 2, "", f"{run['run']} {run['kind']}" + (f", began {run['started']}" if run["started"] else "")
        yield from cited(run["refs"], 4)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
