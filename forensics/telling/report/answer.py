"""The shape of an answer as the page tells it; `answers.py` fills it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from forensics.telling.report import ladder, paths, ratios, sums
from forensics.telling.report.extra import Ref
from forensics.telling.report.first import Point
from forensics.telling.report.said import Said


@dataclass(frozen=True, slots=True)
class Flag:
    """A fact that has innocent explanations."""

    name: str
    label: Said
    says: Said
    innocent: tuple[Said, ...]
    refs: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Other:
    """Another explanation, or several people's that fare alike, and how it fares."""

    who: Said
    people: int
    how: Said
    lr: Mapping[str, float]
    left_out: tuple[float, Said] | None
    """lowest ratio where this group of records is left out"""
    dropped: tuple[float, str] | None
    """the same for a whole source"""


@dataclass(frozen=True, slots=True)
class Answer:
    """One question, as the page tells it."""

    anchor: str
    data: Mapping[str, Any]
    about: str
    thing: Said | None
    """what kind of thing was changed, where that can be said"""
    when: tuple[Said, ...]
    """first and last moment; once where they are the same"""
    brief: Said
    """the answer in a few words"""
    how: Said | None
    """the leading explanation, where one leads"""
    sure: Said
    """how well it is supported, in a few words"""
    doubts: tuple[Said, ...]
    """what speaks against it, in a few words"""
    shows: tuple[Point, ...]
    how_far: tuple[Said, ...]
    """how far the answer goes, and how well that is supported"""
    not_shown: tuple[Said, ...]
    candidates: tuple[str, ...]
    left_out: tuple[str, ...]
    """whom the registers give the account, and whom the records exclude"""
    speaks_for: Said
    """whom the next points speak for"""
    speaks: tuple[Point, ...]
    odd: tuple[Point, ...]
    """facts that are odd and have ordinary explanations: for or against nobody"""
    holder: Said | None
    """who holds the account, where nobody is named"""
    for_holder: tuple[Point, ...]
    """what stands for them"""
    people: tuple[str, ...]
    """ids of whom the answer names, or who holds the account"""
    surely: Said
    """how sure it is, in words of its own beside the steps"""
    support: Said
    """how well the answer is supported, in the words of the scale"""
    compared: Said | None
    """whose explanation the alternatives are compared with, so that nobody is told by being absent"""
    alternatives: tuple[Other, ...]
    """closest first"""
    missing: tuple[Said, ...]
    """the first records that would settle what is open, long lists cut short"""
    arithmetic: tuple[sums.Sum, ...]
    """how the closest comparison comes about, for each weighing"""
    naming: tuple[sums.Condition, ...]
    """what naming a person takes, and what there is"""
    held_back: Said | None
    """why no person is named, where the findings tell of a comparison that is not what held it back"""
    scale: ratios.Scale
    flags: tuple[Flag, ...]
    ladder: ladder.Ladder
    edges: tuple[Mapping[str, Any], ...]
    more_edges: int
    path: paths.Drawing | None
    impact: Mapping[str, Any] | None
    reached: Mapping[str, tuple[Ref, ...]]
    """jobs and objects that the path leads to, each with what shows it"""


def departed(item: Mapping[str, Any], held: list[str]) -> bool:
    """Tell whether a record says that somebody of `held` had left."""
    return item.get("kind") == "departed" and str(item["says"]).startswith(tuple(f"{person} " for person in held))


def clears(item: Mapping[str, Any]) -> bool:
    """Tell whether a fact is of those that somebody would first say for himself, though it weighs nothing: who had left, or a device that was locked; not one that was open."""
    return item.get("kind") in ("departed", "device_locked") or (
        item.get("kind") == "device_session" and " was locked " in str(item["says"])
    )


def reached(edges: Iterable[Mapping[str, Any]]) -> dict[str, tuple[Ref, ...]]:
    """Return the first references of what each thing is reached by."""
    found: dict[str, tuple[Ref, ...]] = {}
    for edge in edges:
        found[edge["dst"]] = (*found.get(edge["dst"], ()), *edge["refs"])[:SHOWN]
    return found


SHOWN = 3
"""references that stand beside each job or object that was reached"""
