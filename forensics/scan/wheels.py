"""A wheel against its own list of hashes, member by member, unpacked in small steps and never to disk.

Reference: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

import hashlib

from forensics import containers
from forensics.containers import Allowance, Member, View
from forensics.errors import RecordError
from forensics.installed import ALGORITHMS, LARGEST, Listed, read_list
from forensics.scan.finding import Scan, Unread
from forensics.scan.packages import changed, extra
from forensics.scan.source import Matchers, look_at_source
from forensics.scan.startup import look_at_startup

_MOST = 16 << 30
"""bytes of one member that are hashed; the largest wheels have two gigabytes in all"""
_TEXT = 1 << 20


def look_at_wheel(file: str, view: View, matcher: Matchers, found: Scan) -> None:
    """Compare every member with the list, and look at those that are in none, or not as listed, as program text."""
    archive = containers.archive(view, Allowance(view.size))
    members = {m.name: m for m in archive.members if not m.name.endswith("/")} if archive else {}
    name = next((n for n in sorted(members) if n.count("/") == 1 and n.endswith(".dist-info/RECORD")), None)
    if name is None:
        found.unread.append(Unread(file, 0, "a wheel without its list of files"))
    listed = _listed(file, view, members.get(name or ""), found)
    for inner in sorted(members):
        odd = _odd(file, view, members[inner], listed.get(inner), name or "RECORD", found) if inner != name else False
        _look_inside(file, view, members[inner], matcher if odd else (), found)


def _listed(file: str, view: View, member: Member | None, found: Scan) -> dict[str, Listed]:
    if member is None:
        return {}
    try:
        content, _ = containers.unpacked(view, member, LARGEST + 1)
        return {entry.path: entry for entry in read_list(content.read(0, content.size))}
    except RecordError as error:
        found.unread.append(Unread(f"{file}!{member.name}", member.header, error.what))
        return {}


def _odd(file: str, view: View, member: Member, entry: Listed | None, where: str, found: Scan) -> bool:
    """Book a member that no list names, or that is not as listed."""
    signed = member.name.rpartition(".dist-info/")[2] in ("RECORD.jws", "RECORD.p7s")  # by the format these are in no list
    if entry is None:
        if not signed:
            found.findings.append(extra(file, member.name))
        return not signed
    if not entry.digest or entry.algorithm not in ALGORITHMS:
        return False
    digest = hashlib.new(entry.algorithm)
    try:
        for part in containers.parts(view, member, _MOST):
            digest.update(part)
    except RecordError as error:
        found.unread.append(Unread(f"{file}!{member.name}", member.header, error.what))
        return False
    if digest.hexdigest() == entry.digest:
        return False
    found.findings.append(changed(file, entry, digest.hexdigest(), f"{where}:{entry.line}", member.name))
    return True


def _look_inside(file: str, view: View, member: Member, matcher: Matchers, found: Scan) -> None:
    last = member.name.rpartition("/")[2]
    if not matcher and not last.endswith((".pth", "customize.py")):
        return
    try:
        content, _ = containers.unpacked(view, member, _TEXT)
    except RecordError:
        return  # said by the look for pickles
    found.findings.extend(look_at_startup(file, content, member.name))
    if matcher:
        look_at_source(file, content, matcher, found, member.name)
