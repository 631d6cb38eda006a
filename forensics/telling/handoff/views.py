"""Who gets what, and why the rest is withheld."""

import re
from dataclasses import dataclass, field

_HASHES = (
    ("data/findings.json", r"/(.*/)?sha256|/tables/.*", "hash"),
    ("data/custody.jsonl", r"/\d+/(hash|prev|sha256|bytes)", "hash"),
    ("data/acquisition.json", r"/\d+/sha256", "hash"),
    ("data/people.json", r"/\d+/role", "third-party"),
)
_LEAST = (
    ("data/findings.json", r"/case/title|/answers/\d+/(about|path/.*)|/sources/\d+/(host|controllers.*|notes.*)", "not-needed"),
    ("data/custody.jsonl", r"/\d+/(subject|examiner)", "not-needed"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class View:
    """What one kind of reader gets."""

    name: str
    whole: bool = False
    """everything as it is: nothing is withheld, and it can be done again"""
    keeps: str = "named"
    """whose names stay: `named` (people whom an answer names), `asked` (those whom the caller names), `none`"""
    everything: bool = False
    """shared accounts and hosts get other names, too"""
    hidden: tuple[tuple[str, str, str], ...] = ()
    """(document, pointers as a pattern, reason): values that are not shown"""
    left_out: tuple[tuple[str, str], ...] = ()
    """(documents as a pattern, reason): documents that are not there at all"""
    drafts: tuple[str, ...] = ()
    form: bool = False
    """a form for the accused to answer"""

    def hides(self, document: str, pointer: str) -> str | None:
        """Return why a value of a document is not shown, or None."""
        return next((why for name, pattern, why in self.hidden if name == document and re.fullmatch(pattern, pointer)), None)

    def leaves_out(self, name: str) -> str | None:
        """Return why a file is not there, or None."""
        return next((why for pattern, why in self.left_out if re.fullmatch(pattern, name)), None)


DRAFTS = ("examiner", "fre-902-13", "fre-902-14", "china-93", "system-integrity", "answer")
_RAW = (
    (r"data/case/.*|data/case-renamed/.*", "raw-content"),
    (r"data/tables/.*", "raw-content"),
    (r"data/(originals|left-alone)\.json", "raw-content"),
    (r"data/report\.html", "rendered-anew"),
    (r"data/comparison\.json|data/notes\.jsonl|data/rules\.json", "not-needed"),
    (r"data/rerun\.json|data/requirements\.lock", "not-needed"),
)

VIEWS = {
    view.name: view
    for view in (
        View("responder", whole=True, drafts=DRAFTS),
        View("counsel", whole=True, drafts=DRAFTS),
        View("court", whole=True, drafts=DRAFTS),
        View("hr", hidden=_HASHES, left_out=_RAW, drafts=("answer",)),
        View("subject", keeps="asked", hidden=_HASHES, left_out=_RAW, drafts=("answer",), form=True),
        View(
            "partner",
            keeps="none",
            everything=True,
            hidden=(*_LEAST, *_HASHES),
            left_out=(*_RAW, (r"data/(people|mandate|acquisition)\.json", "not-needed")),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller wants withheld beside what the view withholds."""

    words: tuple[tuple[str, str], ...] = field(default=())
    """(word, why)"""
    values: tuple[tuple[str, str, str], ...] = field(default=())
    """(document, pointer, why)"""


NOTHING = Asked()
