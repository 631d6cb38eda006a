"""The numbers of the method, read from one file and never written anywhere else."""

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from forensics.errors import UsageError
from forensics.model import Tier


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy file, checked."""

    words: dict[str, float]
    tiers: dict[Tier, float]
    factors: tuple[float, ...]
    bands: tuple[tuple[str, float], ...]
    """name and lowest ratio, ascending"""
    lowest: float
    excluded: float
    person: float
    left_out: float
    windows: dict[str, int]
    """nanoseconds"""
    gap_chance: float
    gap_beside: float
    gap_shortest: int
    gap_records: int
    clocks: dict[str, float]
    commands: dict[str, tuple[str, ...]]
    causes: dict[str, float]
    source: str
    """the file's text, for the report"""

    def band(self, ratio: float) -> str:
        """Return the verbal band of a likelihood ratio."""
        return next((name for name, low in reversed(self.bands) if ratio >= low), "none")

    def as_printed(self) -> dict[str, Any]:
        """Return the policy as the report prints it."""
        return tomllib.loads(self.source)


def read_policy(path: Path | None) -> Policy:
    """Read the shipped policy, or the one at `path`; UsageError, with file, table and remedy, where it lacks something or holds what is no number."""
    shipped = (files("forensics.reasoning") / "policy.toml").read_text(encoding="utf-8")
    where = str(path or "policy.toml")
    try:
        text = path.read_text(encoding="utf-8") if path else shipped
        raw = tomllib.loads(text)
    except ValueError as error:  # of TOML, of UTF-8
        raise UsageError(f"this policy can't be read: {error}", where=where, hint=_HINT) from error
    _whole(raw, tomllib.loads(shipped), where)
    try:
        return _policy(raw, text)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"this policy can't be used: {error}", where=where, hint=_HINT) from error


_HINT = "start from the shipped reasoning/policy.toml"
_OPEN = frozenset({"bands", "commands"})
"""tables whose keys whoever writes the policy chooses"""
_CHANCES = frozenset({"words", "tiers"})


def _policy(raw: Mapping[str, Any], text: str) -> Policy:
    return Policy(
        words={str(k): float(v) for k, v in raw["words"].items()},
        tiers={Tier(k): float(v) for k, v in raw["tiers"].items()},
        factors=tuple(float(f) for f in raw["sensitivity"]["factors"]),
        bands=tuple(sorted(((str(k), float(v)) for k, v in raw["bands"].items()), key=lambda b: b[1])),
        lowest=float(raw["naming"]["lowest"]),
        excluded=float(raw["naming"]["excluded"]),
        person=float(raw["naming"]["person"]),
        left_out=float(raw["naming"]["left_out"]),
        windows={k: int(v) * 1_000_000_000 for k, v in raw["windows"].items()},
        gap_chance=float(raw["gaps"]["chance"]),
        gap_beside=float(raw["gaps"]["beside"]),
        gap_shortest=int(raw["gaps"]["shortest"]) * 1_000_000_000,
        gap_records=int(raw["gaps"]["records"]),
        clocks={k: float(raw["clocks"][k]) for k in ("anchors", "loose_anchors", "step_anchors", "chance", "share", "step_share")},
        commands={k: tuple(v) for k, v in raw["commands"].items()},
        causes={str(k): float(v) for k, v in raw["causes"].items()},
        source=text,
    )


def _whole(raw: Mapping[str, Any], shipped: Mapping[str, Any], where: str) -> None:
    """Refuse a policy that an earlier version made, and that lacks what this one reads; and what is no number where one is read."""
    for table, settings in shipped.items():
        mine = raw.get(table)
        if not isinstance(mine, Mapping):
            raise UsageError(f"lacks the table [{table}]", where=where, hint=f"copy [{table}] from the shipped reasoning/policy.toml")
        lacking = {} if table in _OPEN else {key: value for key, value in settings.items() if key not in mine}
        if lacking:
            lines = "; ".join(f"{_key(key)} = {value}" for key, value in lacking.items())
            raise UsageError(
                f"lacks {', '.join(lacking)}",
                where=f"{where}, [{table}]",
                hint=f"add what the shipped policy has: {lines}; or, if it lies in an OUT of an earlier version, examine the case anew",
            )
        for key, value in mine.items():
            _setting(table, key, value, settings.get(key), f"{where}, [{table}]")


def _setting(table: str, key: str, value: object, shipped: object, where: str) -> None:
    """Refuse what has another form than the shipped setting: a list of commands, a list of numbers, a number."""
    if table == "commands":
        if not (isinstance(value, list) and all(isinstance(part, str) for part in value)):
            raise UsageError(f"{key} has to be a list of texts", where=where, hint=_HINT)
    elif isinstance(shipped, list):
        if not (isinstance(value, list) and value):
            raise UsageError(f"{key} has to be a list of numbers", where=where, hint=_HINT)
        for part in value:
            _number(part, where, key, chance=table in _CHANCES)
    else:
        _number(value, where, key, chance=table in _CHANCES)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else f'"{key}"'


def _number(value: object, where: str, key: str, *, chance: bool) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise UsageError(f"{key} is {value!r}, and has to be a number of 0 or more", where=where, hint=_HINT)
    if chance and not 0 < value < 1:
        raise UsageError(f"{key} is {value}: chances must lie between 0 and 1", where=where, hint=_HINT)
