"""Program text by the rules of `patterns`."""

from forensics.containers import View
from forensics.patterns.apart import Apart
from forensics.patterns.matching import LARGEST, Hit, language_of
from forensics.patterns.rules import Severity
from forensics.scan.finding import Finding, Scan, Unread, Weight

_HEAD = 8192


def look_at_source(file: str, view: View, matcher: Apart, found: Scan, member: str = "") -> bool:
    """Book where a program text is as a rule says; false where it is none that rules are about."""
    language = language_of(member or file, view.read(0, _HEAD))
    if language is None:
        return False
    hits = matcher.hits(view.read(0, min(view.size, LARGEST + 1)), language)
    shown = f"{file}!{member}" if member else file
    if isinstance(hits, str):
        found.unread.append(Unread(shown, 0, hits))
    else:
        found.findings.extend(_finding(file, hit, member) for hit in hits)
    return True


def _finding(file: str, hit: Hit, member: str) -> Finding:
    rule = hit.rule
    weight = Weight.LOOK if rule.severity is Severity.WARNING else Weight.NOTE
    return Finding(file, (hit.first, hit.last), "line", rule.id, rule.says, rule.why, rule.innocent, weight, member, text=hit.text)
