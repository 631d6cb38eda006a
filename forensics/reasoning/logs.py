"""Flags of the logs themselves: silent over the moment, or with a clock that is off."""

from collections.abc import Iterator

from forensics import times
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.flag import Flag
from forensics.reasoning.gaps import kept_by
from forensics.reasoning.world import World

_BEHIND = ("auditd", "syslog", "okta")
"""kinds that would show who stood behind a shared account"""


def of_logs(world: World, dossier: Dossier, gaps: dict[str, list[tuple[int, int]]]) -> Iterator[Flag]:
    """Yield the flags of the logs that an answer rests on, or would rest on."""
    yield from _gap(world, dossier, gaps)
    yield from _clock(world, dossier)


def _gap(world: World, dossier: Dossier, gaps: dict[str, list[tuple[int, int]]]) -> Iterator[Flag]:
    if dossier.when is None:
        return
    yield from _unseen(world, dossier)
    kinds = kept_by(dossier.objects[0]) if dossier.act is None else ()
    if dossier.act is not None and len(dossier.origins) != 1:
        kinds = _BEHIND
    for source in world.case.sources:
        for low, high in gaps.get(source.name, []):
            if source.kind in kinds and low <= dossier.when[0] and dossier.when[1] <= high:
                yield _silent(
                    world, source.name, low, high, f"{source.name}, which would show the act, is silent from {times.show(low)} to {times.show(high)}"
                )  # fmt: skip


def _unseen(world: World, dossier: Dossier) -> Iterator[Flag]:
    """Flag a log that was silent between the own write of what the act was made with and its use."""
    for low, high, source in sorted({tuple(r["attrs"]["unseen"]) for r in dossier.given if r["attrs"].get("unseen")})[:1]:
        yield _silent(
            world, source, low, high,
            f"{source}, which would show who wrote what the act was made with, records no writes from {times.show(low)} to {times.show(high)}",
        )  # fmt: skip


def _silent(world: World, source: str, low: int, high: int, says: str) -> Flag:
    rows = world.tables.rows(
        "SELECT r.id FROM recorded r JOIN events e ON e.id = r.id WHERE r.source = $s AND (r.time IN ($a, $b) OR e.time IN ($a, $b)) ORDER BY r.id LIMIT 2",
        s=source, a=low, b=high,
    )  # fmt: skip
    return Flag(
        "log-gap", says, ("log rotation or an outage", "records that were not collected"), tuple(r["id"] for r in rows),
    )  # fmt: skip


def _clock(world: World, dossier: Dossier) -> Iterator[Flag]:
    """Name sources that the answer rests on and whose clock is off by more than records of one act may lie apart."""
    if dossier.act is None:
        return
    used = {*dossier.act.sources, *(s for o in dossier.origins for s in (*o.sources, *(x for d in o.devices for x in d.sources)))}
    rows = world.tables.rows(
        'SELECT source, reference, "offset", low, high, events FROM clocks WHERE list_contains($s, source) AND applied AND abs("offset") > $w ORDER BY source, since',
        s=sorted(used), w=world.policy.windows["same_act"],
    )  # fmt: skip
    if rows:
        told = "; ".join(f"{r['source']} by {r['offset'] / times.SECOND:.0f} s" for r in {r["source"]: r for r in rows}.values())
        yield Flag(
            "clock-offset", f"clocks are off against that of {rows[0]['reference']}: {told}; times are corrected for it",
            ("a host without time synchronisation", "a time zone set wrong"), tuple(e for r in rows for e in r["events"][:2])[:6],
        )  # fmt: skip
