"""What goes with the findings: how to do it again, how to check it, what was withheld, what speaks for whom, what the records do not carry."""

import re
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from forensics.errors import UsageError
from forensics.evidence import sha256_of
from forensics.telling.evidence_text import visible
from forensics.telling.handoff.commitments import Swap
from forensics.telling.handoff.exculpatory import speaking_for
from forensics.telling.handoff.material import Material
from forensics.telling.handoff.views import Asked, View
from forensics.telling.handoff.words import Words
from forensics.telling.validation import method, validation

_LONGEST = 2000
_MOST = 60
"""lines of one list of a page; findings.json has them all"""


def documents(found: Material) -> dict[str, Any]:
    """Return the rerun kit: the exact command, who ran it when, and the hashes to expect."""
    told = found.examination
    outcome = [
        "findings.json",
        "custody.jsonl",
        "report.html",
        "policy.toml",
        "rules.json",
        "comparison.json",
        *(f"tables/{name}" for name in found.tables),
    ]
    command = ["forensics", "investigate", "data/case", "--out", "OUT", "--examiner", told["examiner"], "--time", told["time"]]
    command += ["--policy", "data/policy.toml", *(["--rules", "data/rules.json"] if (found.out / "rules.json").is_file() else [])]
    return {
        "data/rerun.json": {
            "command": [*command, *(["--skip-unknown"] if told.get("skip_unknown") else [])],
            "how": "forensics rerun BUNDLE does this with the files under their own names, and compares",
            "examiner": told["examiner"],
            "time": told["time"],
            "tool": told["tool"],
            "code": told.get("code", ""),
            "skip_unknown": bool(told.get("skip_unknown")),
            "expected": {name: sha256_of(str(found.out / name)) for name in outcome if (found.out / name).is_file()},
        }
    }


def line(text: object) -> str:
    """Write a text from evidence on one line of a page: visible, cut, and never markup."""
    shown = visible(" ".join(str(text).split()))
    shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]} …"
    return re.sub(r"([<>\[\]`])", r"\\\1", shown)


def plain(text: str) -> str:
    """Return a text as a file name that every system can keep."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")[:60] or "case"


def readme(spoken: Words, told: Mapping[str, Any], view: View, payload: Collection[str]) -> bytes:
    """Return README.txt: what this is, what is in it and how to check it by hand."""
    replaced = told["replaces"]
    text = spoken.text(
        "readme.txt",
        case=visible(" ".join(str(told["case"]).split())),
        view=view.name,
        purpose=spoken.word("view", view.name),
        time=told["time"],
        examiner=visible(told["examiner"]),
        tool=told["tool"],
        key=told["key"] or "-",
        case_root=told["case_root"],
        others="" if view.whole else spoken.word("readme", "others"),
        again=spoken.word("readme", "again") if "data/rerun.json" in payload else "",
        replaces=f"{replaced['statement_sha256']} ({replaced['time']})" if replaced else "-",
    )
    here = (
        row for row in text.splitlines(keepends=True) if not row.startswith("data/") or any(n.startswith(row.split()[0]) for n in payload)
    )
    return "".join(here).encode()


def redactions(swaps: Mapping[str, Sequence[Swap]], left_out: Sequence[tuple[str, str]], asked: Asked, spoken: Words) -> dict[str, Any]:
    """Return the log of what was withheld: each place with its reason; the names of what is left out stay out, too."""
    used = sorted({s.reason for several in swaps.values() for s in several} | {why for _, why in left_out})
    return {
        "reasons": {why: spoken.word("reason", why) for why in used},
        "values": [
            {"document": name, "pointer": s.pointer, "reason": s.reason, "commitment": s.commitment}
            for name in sorted(swaps)
            for s in swaps[name]
        ],
        "files": [{"kind": kind, "reason": why} for kind, why in sorted(left_out)],
        "asked": [{"document": name, "pointer": pointer, "why": why} for name, pointer, why in asked.values]
        + [{"word": number, "why": why} for number, (_, why) in enumerate(sorted(asked.words), 1)],
    }


def pages(documents_: Mapping[str, Any], spoken: Words) -> dict[str, str]:
    """Return the pages for readers that every view has."""
    findings = documents_["data/findings.json"]
    return {
        "exculpatory.md": _speaking(findings, spoken),
        "limitations.md": spoken.text("limitations.md", found="\n".join(_limits(findings, spoken))),
        "method.md": spoken.text("method.md"),
        "validation.md": _validation(spoken) or spoken.text("validation.md"),
    }


def _validation(spoken: Words) -> str | None:
    """Return the report of `make validate` that came with this program, and whether it is about this code."""
    known = validation()
    if known is None:
        return None
    about = spoken.word("validated", "here" if known.current else "other", theirs=known.method, ours=method())
    return f"{about}\n\n{known.page}"


def _speaking(findings: Mapping[str, Any], spoken: Words) -> str:
    lines = [f"# {spoken.word('speaking', 'title')}", "", spoken.word("speaking", "intro")]
    last = None
    for about, kind, sentences in speaking_for(findings, lambda mechanism: spoken.word("mechanism", mechanism)):
        if about != last:
            lines += ["", f"## {line(about)}"] if about else [""]
            last = about
        lines += ["", f"**{spoken.word('speaking', kind)}**", ""]
        lines += [f"- {line(spoken.told(s))}" for s in dict.fromkeys(sentences)] or [f"- {spoken.table['none']}"]
    return "\n".join(lines) + "\n"


def _limits(findings: Mapping[str, Any], spoken: Words) -> Iterator[str]:
    """Yield what is known to be lacking: silences, what could not be read, what would tell more."""
    for source in findings["sources"]:
        told = [spoken.word("limit", "silences", count=len(source["gaps"]))] if source["gaps"] else []
        told += [spoken.word("limit", "rejected", count=source["rejected"])] if source["rejected"] else []
        told += [words for words in (source.get("why_not"), source.get("damage"), *(source.get("notes") or ())[:5]) if words]
        yield from (spoken.word("limit", "line", name=line(source["name"]), told=line(spoken.told(words))) for words in told)
    for answer in findings["answers"]:
        for wanted in answer["missing"][:_MOST]:
            yield spoken.word("limit", "line", name=line(answer["question"]), told=line(spoken.told(wanted)))


def prints() -> bool:
    """Tell whether WeasyPrint and what it needs are there."""
    try:
        import weasyprint  # noqa: F401, PLC0415 - an extra, and slow to import
    except (ImportError, OSError):
        return False
    return True


def pdf(page: str, _language: str) -> bytes:
    """Return a page as PDF/A-3 (archival: fonts inside, nothing from elsewhere); ForensicsError where WeasyPrint is not installed."""
    try:
        import weasyprint  # noqa: PLC0415 - an extra, and slow to import
    except (ImportError, OSError) as error:
        raise UsageError(
            f"the memo can't be made as PDF here: {error}",
            where="memo.pdf",
            hint="pip install 'training-forensics[pdf]' (it needs Pango), or --no-pdf",
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its colour profile's file to the garbage collector
        made: bytes = weasyprint.HTML(string=page, url_fetcher=_nothing, base_url=None).write_pdf(
            pdf_variant="pdf/a-3b", pdf_identifier=b"forensics"
        )
    return made


def _nothing(url: str, *_: object, **__: object) -> dict[str, Any]:
    """Fetch nothing: a page of ours needs nothing, and evidence may ask for anything."""
    raise ValueError(f"nothing is fetched: {url[:40]}")
