"""What one run had that another had not, as a value for programs and in words for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from forensics import times
from forensics.reasoning.difference import Difference
from forensics.telling.prose import Line, Text, cited, wrapped
from forensics.telling.references import References

Json = Mapping[str, Any]
SHOWN = 15
_TITLES = {
    "commit": "Commits whose change it ran", "object": "Checkpoints and data that it loaded", "file": "Changes of files in folders that it named", "package": "Packages",
    "image": "Image", "node": "Nodes",
}  # fmt: skip
"""kinds in the order in which they are told"""


def make(found: Difference, refs: References) -> dict[str, Any]:
    """Return the difference as a value."""
    refs.load(e for o in found.only for e in o.refs)
    return {
        "runs": [
            {
                "run": job, "start": times.show(start) if start else None, "ran": list(ran), "paths": list(paths), "refs": refs.of([fact["event"]]),
                "only": [
                    {"kind": o.kind, "object": o.object, "when": times.show(o.when) if o.when is not None else None, "through": o.through, "says": o.says, "refs": refs.of(o.refs)}
                    for o in found.only if o.run == job
                ],
            }
            for job, start, ran, paths, fact in zip(found.runs, found.starts, found.ran, found.paths, found.facts, strict=True)
        ],
        "launch": [{"kind": kind, "name": name, "values": [one, other]} for kind, name, one, other in found.launch],
    }  # fmt: skip


def lines(told: Json, columns: int, *, everything: bool) -> Iterator[Line]:
    """Yield the difference in words."""
    texts = [*_heading(told), *_launch(told)]
    for run in told["runs"]:
        texts += _only(run, None if everything else SHOWN)
    yield from wrapped(texts, columns)


def _heading(told: Json) -> Iterator[Text]:
    one, other = told["runs"]
    yield 0, "#", f"{one['run']} against {other['run']}"
    for run in told["runs"]:
        yield (
            2,
            "",
            f"{run['run']}"
            + (f" began {run['start']}" if run["start"] else "")
            + ", ran "
            + (", ".join(run["ran"]) or "a commit that no record names"),
        )
        yield from cited(run["refs"], 4)
    if not one["only"] and not other["only"] and not told["launch"]:
        yield 2, "", "No record tells them apart."
    if bare := [run["run"] for run in told["runs"] if not run["ran"]]:
        yield 2, "", f"Of {' and '.join(bare)} no record names the commit, so that commits can't be compared."


def _launch(told: Json) -> Iterator[Text]:
    if told["launch"]:
        yield 0, "#", "How they were launched"
    for row in told["launch"]:
        one, other = ("(none)" if v is None else v or "(no value)" for v in row["values"])
        yield 2, "", f"{row['kind']} {row['name']}: {one} against {other}"


def _only(run: Json, most: int | None) -> Iterator[Text]:
    for kind, title in _TITLES.items():
        items = sorted((o for o in run["only"] if o["kind"] == kind), key=lambda o: (o["when"] or "", o["object"]))
        if not items:
            continue
        yield 0, "#", f"Only {run['run']}: {title[0].lower()}{title[1:]} ({len(items)})"
        shown = items if most is None else items[-most:]
        if len(shown) < len(items):
            yield 2, "", f"... and {len(items) - len(shown)} earlier ones (--all)"
        for item in shown:
            words = [item["object"], *([item["when"]] if item["when"] else []), *([item["says"]] if item["says"] else [])]
            yield 2, "- ", ", ".join(words) + (" (through what an earlier job wrote, or by inference)" if item["through"] else "")
            yield from cited(item["refs"], 4)
        if kind == "commit" and run["paths"]:
            paths = run["paths"] if most is None else run["paths"][:most]
            more = f" and {len(run['paths']) - len(paths)} more (--all)" if len(paths) < len(run["paths"]) else ""
            yield 2, "", f"These changed {', '.join(paths)}{more}."
