"""Controls over who wrote: who could, with which account, and whether somebody else looked at it first."""

import json
from collections.abc import Iterator

from forensics.reasoning.code import Code
from forensics.reasoning.controls.control import Control, Shows
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.impact import Impact
from forensics.reasoning.opportunity import may_write, opportunity
from forensics.reasoning.review import handling
from forensics.reasoning.world import World

_REFS = 6
_LIMITED = "most people could not write there"
_ONE = "the account that wrote belongs to one person"
_REVIEWED = "somebody else reviewed it before it was used"
_SHARED = ("main", "master", "trunk", "develop", "production", "release")
"""branches that everybody builds on"""
_ASKED = ("code.review", "code.merge", "code.request")


def limited_access(world: World, dossier: Dossier) -> Iterator[Control]:
    """Yield how many people held the right to write where the change was written, of all who were there."""
    act = dossier.act
    moment = act.time[0] if act else dossier.when[0] if dossier.when else None
    places = [str(r["object"]) for r in act.rows if r["object"]] if act else [dossier.objects[0]]
    place = next((p for p in places if any(a.covers(p) for a in world.case.access)), places[0])
    would = "fewer people to ask, and fewer credentials to misuse"
    if moment is None:
        yield Control("limited-access", _LIMITED, place, Shows.NOTHING, "no record tells when it was written", would)
        return
    covered = [a for a in world.case.access if a.covers(place)]
    if not covered:
        why = "no right to that place stands in access.csv" if world.case.access else "the case has no access.csv"
        yield Control("limited-access", _LIMITED, place, Shows.NOTHING, why, would, _events(act))
        return
    people, everybody = may_write(world.case, place, moment) or (), opportunity(world.case, world.known, (moment, moment))
    count = len(set(people) & set(everybody))
    shows = Shows.YES if 2 * count < len(everybody) else Shows.NO
    why = f"{count} of the {len(everybody)} people who were there then held the right to write there"
    yield Control("limited-access", _LIMITED, place, shows, why, would, _events(act))


def one_person(dossier: Dossier) -> Iterator[Control]:
    """Yield whether the account of the act is one person's."""
    act = dossier.act
    would = "the record of the act would lead to one person's account"
    if act is None or not act.account:
        yield Control(
            "one-person", _ONE, dossier.objects[0], Shows.NOTHING, "no record shows which account wrote it", would, dossier.seen[:_REFS]
        )
        return
    kinds = {
        "personal": (Shows.YES, f"{act.account} is personal in identifiers.csv"),
        "shared": (Shows.NO, f"{act.account} is shared by several people"),
        "service": (Shows.NO, f"{act.account} is a service's account"),
    }
    shows, why = kinds.get(dossier.account_kind, (Shows.NOTHING, f"{act.account} does not stand in identifiers.csv"))
    yield Control("one-person", _ONE, str(act.rows[0]["object"]), shows, why, would, _events(act))


def reviewed(world: World, dossier: Dossier, reach: Impact, code: Code) -> Iterator[Control]:
    """Yield whether a commit was reviewed by somebody else before its first use, with its size and what the rules over code found in it."""
    act = dossier.act
    if not dossier.objects[0].startswith("git:") or act is None or act.kind != "code.push":
        return
    would = _seen(world, dossier, code)
    shows, why, refs = _reviews(world, dossier, reach)
    yield Control("reviewed", _REVIEWED, dossier.objects[0], shows, why, would, (*_events(act), *refs[:_REFS]))


def _reviews(world: World, dossier: Dossier, reach: Impact) -> tuple[Shows, str, tuple[int, ...]]:
    """Tell by the request that bears the commit's subject as its title; one that merely came next may be about something else."""
    act = dossier.act
    assert act is not None
    if not world.tables.rows("SELECT 1 AS x FROM acts WHERE list_contains($a, action) LIMIT 1", a=list(_ASKED)):
        return Shows.NOTHING, "no record of any review was supplied", ()
    subject = str(json.loads((dossier.claimed or {}).get("attrs") or "{}").get("subject") or "")
    done = handling(world, dossier)
    asked = [r for r in done.requests if r["attrs"].get("title") and subject.startswith(str(r["attrs"]["title"]))]
    if not asked:
        place = str(act.rows[0]["object"]).partition("#")[2]
        if place.rpartition("/")[2] in _SHARED:
            return Shows.NO, f"it was pushed straight to {place}, and no request of its title is recorded", ()
        return Shows.NOTHING, "no record ties a review to it", ()
    people = [r for r in done.reviews if world.known.kind(r["actor"], r["time"]) != "service"]
    first = min((e["time"] for e in reach.edges if e["time"] is not None and e["dst"] in reach.jobs), default=None)
    early = [r for r in people if first is None or r["time"] <= first]
    names = ", ".join(dict.fromkeys(str(r["actor"]) for r in early or people))
    if early:
        return Shows.YES, f"{names} reviewed or merged it", tuple(r["event"] for r in early)
    if people:
        return Shows.NO, f"{names} reviewed or merged it, and it had been used before", tuple(r["event"] for r in people)
    return Shows.NO, "a request was opened, and nobody else reviewed or merged it", tuple(r["event"] for r in asked)


def _seen(world: World, dossier: Dossier, code: Code) -> str:
    """Say what a review would have seen: how much, and what the rules over code found in it."""
    rows = world.tables.rows(
        """
        SELECT coalesce(sum(added + removed), 0)::BIGINT AS lines
        FROM (SELECT DISTINCT path, added, removed FROM changes WHERE "commit" = $c AND added IS NOT NULL)
        """,
        c=dossier.objects[0].partition("@")[2],
    )[0]
    lines = rows["lines"]
    groups = ", ".join(sorted({h.hit.rule.group for h in code.hits if not h.hit.rule.own}))
    if groups:
        return f"somebody else would have seen its {lines} changed lines (they touch: {groups}) before they were used"
    return f"somebody else would have seen its {lines} changed lines before they were used"


def _events(act: object) -> tuple[int, ...]:
    return tuple(getattr(act, "events", ()))[:_REFS]
