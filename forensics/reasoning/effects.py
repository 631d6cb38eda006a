"""What code in a checkpoint can do, told from the callable and from what it is handed: its name alone says little."""

import json
import re

from forensics.pickles.callables import classify
from forensics.reasoning.act import Row

SHOWN, OPEN, NONE = "shown", "open", "none"
"""it runs what the file hands it; what it does can't be told; it only picks an attribute, as every stored method does"""

_PICKS = classify("builtins", "getattr").why
_NAME = re.compile(r"'[A-Za-z_]\w*'", re.ASCII)
_FURTHER = {
    "os", "sys", "subprocess", "builtins", "importlib", "shutil", "socket", "posix", "nt", "pty", "ctypes", "runpy", "pickle", "marshal", "eval", "exec", "execfile", "system", "popen", "spawn", "run", "call", "modules", "open", "write", "writelines", "write_text", "write_bytes", "unlink", "rmdir", "remove", "touch", "rename", "replace", "symlink_to", "hardlink_to", "chmod", "mkdir", "load", "loads",
}  # fmt: skip
"""attributes that lead to code, programs or files"""


def effect(row: Row) -> str:
    """Tell what a callable can do when its file is loaded: SHOWN, OPEN or NONE."""
    facts = json.loads(row["attrs"]) if isinstance(row["attrs"], str) else row["attrs"] or {}
    if not facts.get("called") and not facts.get("passed"):
        return NONE
    args = handed(row)
    if facts.get("why") != _PICKS:
        return SHOWN if args else OPEN
    plain = len(args) == 1 and _NAME.fullmatch(args[0]) and args[0][1:-1] not in _FURTHER and not args[0].startswith("'__")
    return NONE if plain else OPEN


_REACHES = frozenset(classify(*name).why for name in (("builtins", "exec"), ("os", "system"), ("socket", "socket"), ("builtins", "open")))
"""what is known of callables that run code or programs, or reach files or the network"""


def reaches(row: Row) -> bool:
    """Tell whether a callable is handed something that it runs, or reaches files or the network with."""
    facts = json.loads(row["attrs"]) if isinstance(row["attrs"], str) else row["attrs"] or {}
    return effect(row) == SHOWN and facts.get("why") in _REACHES


def handed(row: Row) -> tuple[str, ...]:
    """Return what the callable is called with, as far as it is known."""
    facts = json.loads(row["attrs"]) if isinstance(row["attrs"], str) else row["attrs"] or {}
    return tuple(str(a) for a in facts.get("args") or ())
