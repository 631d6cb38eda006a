"""The numbers of the method, read from one file and never written anywhere else."""

import tomllib
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
    """Read the shipped policy, or the one at `path`; UsageError where it lacks something."""
    text = path.read_text(encoding="utf-8") if path else (files("forensics.reasoning") / "policy.toml").read_text(encoding="utf-8")
    try:
        raw = tomllib.loads(text)
        policy = Policy(
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
    except (KeyError, ValueError, TypeError, AttributeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"this policy can't be used: {error}", where=str(path or "policy.toml"), hint="start from the shipped reasoning/policy.toml"
        ) from error
    if missing := {"almost certain", "likely", "even", "unlikely", "very unlikely"} - set(policy.words):
        raise UsageError(
            f"words are missing: {', '.join(sorted(missing))}", where=str(path), hint="start from the shipped reasoning/policy.toml"
        )
    if any(not 0 < p < 1 for p in [*policy.words.values(), *policy.tiers.values()]):
        raise UsageError("chances must lie between 0 and 1", where=str(path), hint="start from the shipped reasoning/policy.toml")
    return policy
