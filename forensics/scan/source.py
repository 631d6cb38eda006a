"""Program text by the rules of `patterns`."""

from forensics.containers import View
from forensics.patterns.apart import Apart
from forensics.patterns.matching import LARGEST, Hit, language_of
from forensics.patterns.rules import Severity
from forensics.scan.finding import Finding, Scan, Unread, Weight

_HEAD = 8192
Matchers = tuple[Apart, ...]
"""the shipped rules, and one's own; none where the rules are not installed, or the file is not to be looked at"""


def look_at_source(file: str, view: View, matchers: Matchers, found: Scan, member: str = "") -> bool:
    """Book where a program text is as a rule says; false where it is none that rules are about."""
    language = language_of(member or file, view.read(0, _HEAD))
    if language is None:
        return False
    content = view.read(0, min(view.size, LARGEST + 1))
    unread: list[str] = []
    for matcher in matchers:
        hits = matcher.hits(content, language)
        if isinstance(hits, str):
            unread.append(hits)
        else:
            found.findings.extend(_finding(file, hit, member) for hit in hits)
    found.unread.extend(Unread(f"{file}!{member}" if member else file, 0, why) for why in dict.fromkeys(unread))
    return True


def _finding(file: str, hit: Hit, member: str) -> Finding:
    rule = hit.rule
    weight = Weight.LOOK if rule.severity is Severity.WARNING else Weight.NOTE
    return Finding(file, (hit.first, hit.last), "line", rule.id, rule.says, rule.why, rule.innocent, weight, member, text=hit.text)
