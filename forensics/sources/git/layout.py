"""Says which file of a repository is what, by its name (https://git-scm.com/docs/gitrepository-layout)."""

import re
from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    """What a file of a repository is to us."""

    OBJECT = "object"
    """a loose object, a pack or its index: copied to where git finds it"""
    REFLOG = "reflog"
    REF = "ref"
    PACKED_REFS = "packed-refs"
    SETTING = "setting"
    """something that would change what git does or shows: reported, and never where git finds it"""
    OTHER = "other"


_OBJECT = re.compile(r"objects/(?:[0-9a-f]{2}/(?:[0-9a-f]{38}|[0-9a-f]{62})|pack/[\w.-]{1,128}\.(?:pack|idx))", re.ASCII)
_TREE = r"(?:worktrees/[^/]+/)?"
_REFLOG = re.compile(rf"{_TREE}logs/.+", re.DOTALL)
_REF = re.compile(rf"{_TREE}(?:refs/.+|[A-Z_]*HEAD)", re.DOTALL)
_SETTING = re.compile(
    r"(?:modules/.+/)?(?:config|config\.worktree|hooks/.+(?<!\.sample)|info/(?:attributes|grafts|sparse-checkout)|objects/info/(?:http-)?alternates)"
    r"|shallow|commondir|worktrees/[^/]+/(?:gitdir|config\.worktree)",
    re.DOTALL,
)


def role_of(name: str) -> Role:
    """Tell what a file is, by its path below the git folder."""
    if _OBJECT.fullmatch(name):
        return Role.OBJECT
    if name.endswith(".lock"):
        return Role.OTHER
    if _REFLOG.fullmatch(name):
        return Role.REFLOG
    if _REF.fullmatch(name):
        return Role.REF
    if name == "packed-refs":
        return Role.PACKED_REFS
    return Role.SETTING if _SETTING.fullmatch(name) else Role.OTHER


def git_folders(names: Iterable[str]) -> list[str]:
    """Find the git folders among file names, outermost first, each with its `/` (empty: the top itself)."""
    heads, marks = set(), set()
    for name in names:
        folder, slash, last = name.rpartition("/")
        prefix = folder + slash
        if last == "HEAD" and not re.search(r"(?:^|/)(?:logs|refs|worktrees)/", prefix):
            heads.add(prefix)
        elif last in {"config", "packed-refs"}:
            marks.add(prefix)
        elif found := re.match(r"(.*?/)??(?:objects/(?:pack|[0-9a-f]{2})/[^/]+|refs/heads/.+)$", name, re.DOTALL):
            marks.add(found.group(1) or "")
    return sorted(heads & marks, key=lambda p: (p.count("/"), p))


def reference_of(name: str) -> tuple[str, str]:
    """Return (ref, linked work tree's id) of a ref's or reflog's path below the git folder."""
    found = re.fullmatch(r"(?:worktrees/([^/]+)/)?(?:logs/)?(.+)", name, re.DOTALL)
    assert found is not None
    return found.group(2), found.group(1) or ""
