"""Where the originals of an examination lie: the case folder's own registers, and every file of every source."""

from pathlib import Path

from forensics.case import own
from forensics.errors import CaseError, EvidenceError
from forensics.evidence import collect
from forensics.model import CaseConfig, Evidence


def originals(case: CaseConfig) -> list[Evidence]:
    """Return the files of a case, not hashed; sources that can't be found are left out, as they were at intake."""
    found = [own.evidence(Path(case.root))]
    for source in sorted(case.sources, key=lambda s: s.name):
        try:
            found.append(collect(case, source))
        except (EvidenceError, CaseError):
            continue
    return found
