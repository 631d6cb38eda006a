"""The examiner's notes: added, chained like the custody log, and shown as the examiner's words."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from forensics import __version__, custody
from forensics.telling.evidence_text import visible
from forensics.telling.report import NOTES, again

TOOL = f"training-forensics {__version__}"


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody has to say."""

    text: str
    about: str = ""
    """a question, a reference or an object"""
    tags: tuple[str, ...] = ()


def add(out: Path, note: Note, examiner: str, time: str) -> None:
    """Append a note and make the page anew. IntegrityError where earlier notes are not what they were."""
    log = out / NOTES
    if log.exists():
        custody.verify(log)
    entry: dict[str, object] = {"action": "noted", "text": note.text}
    entry |= {"about": note.about} if note.about else {}
    entry |= {"tags": list(note.tags)} if note.tags else {}
    custody.append(log, custody.Actor(examiner, time, TOOL), [entry])
    (out / "report.html").write_text(again(out), encoding="utf-8", newline="\n")


def listed(out: Path) -> Iterator[str]:
    """Yield the notes in order, a line each, hidden characters made visible."""
    log = out / NOTES
    if not log.exists():
        return
    custody.verify(log)
    for line in log.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        beside = [*(f"#{tag}" for tag in entry.get("tags", ())), *([f"({entry['about']})"] if "about" in entry else [])]
        yield visible(" ".join([entry["time"], entry["examiner"] + ":", entry["text"], *beside]))
