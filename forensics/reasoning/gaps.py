"""Silences of a source that its own cadence makes very unlikely."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf, log
from typing import Any

import numpy as np
import numpy.typing as npt

from forensics import times
from forensics.model import CaseConfig
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.policy import Policy
from forensics.tables import Tables

_BURST = 5 * times.MINUTE
"""events closer than this are one burst, and count once: a loop that writes a thousand lines is no cadence"""

_TAIL = 0.01

NO_LOGS = ("git", "metrics", "mlflow", "wandb", "tensorboard", "checkpoint", "site_packages")
"""kinds of sources that hold what people made, when they made it, and have no cadence of their own: that nobody began a run for a week is no gap"""

Times = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Silence:
    """A stretch without a record of a source, in recorded time."""

    since: int
    until: int
    chance: float
    """log of how likely the source's own cadence makes it"""


_KEPT_BY = {
    "git:": ("gitlab_events", "gitlab_shell", "github_audit", "github_activity"),
    "s3:": ("cloudtrail",),
    "hdfs:": ("hdfs_audit",),
    "file:": ("auditd",),
    "k8s:": ("kubernetes_audit",),
}


def kept_by(reference: str) -> tuple[str, ...]:
    """Return the kinds of sources that record a change of such an object."""
    return next((v for k, v in _KEPT_BY.items() if reference.startswith(k)), ())


def lacking(case: CaseConfig, dossiers: Iterable[Dossier]) -> dict[str, list[tuple[int, int]]]:
    """Return, for each source, when there was an act that it would have recorded, by what others show, and of which nothing is recorded."""
    open_acts = [d for d in dossiers if d.act is None and d.when is not None and not d.disputed]
    return {s.name: [d.when for d in open_acts if d.when and s.kind in kept_by(d.objects[0])] for s in case.sources}


def gaps(
    silences: Mapping[str, list[Silence]],
    hosts: Mapping[str, str],
    policy: Policy,
    lacking: Mapping[str, list[tuple[int, int]]] | None = None,
) -> dict[str, list[tuple[int, int]]]:
    """Return each source's gaps as (from, to): silences that its cadence makes less likely than the policy's chance.

    Two logs of one host that fall silent together bear each other out: beside a gap of the one, less will do for the other. So it does where an act
    fell into the silence that the log would have shown (`lacking`).
    """
    limit, beside = log(policy.gap_chance), log(policy.gap_beside)
    sure = {name: [(s.since, s.until) for s in found if s.chance < limit] for name, found in silences.items()}
    out = {}
    for name, found in silences.items():
        mates = [g for other, gone in sure.items() if other != name and hosts.get(name) and hosts.get(other) == hosts[name] for g in gone]
        lost = (lacking or {}).get(name, [])
        told = [
            (s.since, s.until)
            for s in found
            if s.chance < limit
            or (s.chance < beside and (any(_together(s, g) for g in mates) or any(s.since <= a and b <= s.until for a, b in lost)))
        ]
        out[name] = [g for g in dict.fromkeys(told) if not any(o != g and o[0] <= g[0] and g[1] <= o[1] for o in told)]
    return out


_STOPPED = """
    SELECT time, CASE WHEN type IN ('DAEMON_END', 'DAEMON_ABORT') OR enabled = '0' THEN 'off' WHEN type IN ('SYSTEM_SHUTDOWN', 'SYSTEM_BOOT') THEN 'down' ELSE 'on' END AS what
    FROM (SELECT id, time, json_extract_string(attrs, '$.type') AS type, json_extract_string(attrs, '$.audit_enabled') AS enabled
          FROM recorded WHERE source = $s AND action = 'log.message' AND time IS NOT NULL)
    WHERE type IN ('DAEMON_END', 'DAEMON_ABORT', 'SYSTEM_SHUTDOWN', 'DAEMON_START', 'SYSTEM_BOOT') OR (type = 'CONFIG_CHANGE' AND enabled IN ('0', '1'))
    ORDER BY time, id
"""
"""what an audit daemon says of its own end and beginning (audit-userspace, lib/audit-records.h; auditctl(8), -e)"""
_RULES = """
    WITH keys AS (SELECT DISTINCT json_extract_string(attrs, '$.key') AS key FROM recorded WHERE source = $s AND action = 'file.write')
    SELECT time, CASE WHEN contains(op, 'remove') THEN 'off' ELSE 'on' END AS what
    FROM (SELECT id, time, json_extract_string(attrs, '$.op') AS op, json_extract_string(attrs, '$.key') AS key
          FROM recorded WHERE source = $s AND action = 'log.message' AND time IS NOT NULL AND json_extract_string(attrs, '$.type') = 'CONFIG_CHANGE')
    WHERE (contains(op, 'remove') OR contains(op, 'add')) AND contains(op, 'rule') AND (key IS NULL OR key = '(null)' OR key IN (SELECT key FROM keys))
    ORDER BY time, id
"""
"""rules of a watch that were taken out and put in again, by the keys that its records of files bear (auditctl(8), -d, -D, -W)"""
_RESTART = times.MINUTE
"""longest stop of a log that is merely begun anew"""


def stops(tables: Tables, source: str) -> list[Silence]:
    """Return the stretches over which a log says itself that it was switched off, however short its silence; not a mere restart, nor while its host was down."""
    return [Silence(a, b, -inf) for a, b in _stretches(tables.rows(_STOPPED, s=source))]


def unwatched(tables: Tables, source: str) -> list[tuple[int, int]]:
    """Return the stretches over which a log had no rule to watch the files that it otherwise tells of."""
    return _stretches(tables.rows(_RULES, s=source))


def _stretches(rows: list[dict[str, Any]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    off, down = None, False
    for row in rows:
        if row["what"] == "on":
            found += [(off, row["time"])] if off is not None and not down and row["time"] - off > _RESTART else []
            off, down = None, False
        elif row["what"] == "off":
            off = row["time"] if off is None else off
        else:
            down = True
    return found


_WHOLE, _WIDEST = 0.9, 4
"""share of another log's gap that a silence must hold, and how many times longer it may be"""


def _together(silence: Silence, gap: tuple[int, int]) -> bool:
    """Tell whether a silence holds another log's gap, and is not so much longer that it says little about it."""
    length = gap[1] - gap[0]
    shared = min(silence.until, gap[1]) - max(silence.since, gap[0])
    return shared >= _WHOLE * length and silence.until - silence.since <= _WIDEST * length


def _bursts(moments: Times) -> Times:
    """Return the first moment of each burst; a log that never pauses has a new one every five minutes."""
    firsts = moments[np.unique(moments // _BURST, return_index=True)[1]]
    kept: list[int] = []
    for moment in firsts.tolist():
        if not kept or moment - kept[-1] > _BURST:
            kept.append(moment)
    return np.array(kept, np.int64)


def silences(tables: Tables, source: str, timezone: str, policy: Policy) -> list[Silence]:
    """Return a source's longer silences, with how likely its cadence makes them.

    Three readings of the cadence, all estimated from the source itself, of which that counts which makes a silence least
    likely: bursts as a Poisson process by hour of the day and working day or weekend (exp of minus the bursts expected);
    how often such hours are silent at all (product over the whole hours, with half a count added); and, for sources that
    beat day and night (their pauses stay under the policy's shortest gap), how many times the pause that only one in a
    hundred exceeds goes into the silence.
    """
    column = tables.sql("SELECT DISTINCT time FROM recorded WHERE source = $s AND time IS NOT NULL ORDER BY time", s=source)["time"]
    moments: Times = column.to_numpy()
    if len(moments) < policy.gap_records:
        return []
    bursts = _bursts(moments)
    if len(bursts) < 3:
        return []
    rates, quiet = _profile(bursts, timezone)
    pause = float(np.quantile(np.diff(bursts), 1 - _TAIL))
    beats = pause <= policy.gap_shortest
    found = []
    for i in np.flatnonzero(np.diff(moments) >= policy.gap_shortest):
        a, b = int(moments[i]), int(moments[i + 1])
        beat = (b - a) // pause * log(_TAIL) if beats else 0.0
        found.append(Silence(a, b, min(-_expected(a, b, rates, timezone), _quiet(a, b, quiet, timezone), beat)))
    return found


def _classes(hours: Times, timezone: str) -> npt.NDArray[np.int64]:
    """Return the class (0 to 47) of each whole hour since 1970: hour of the day, weekend or not, in the case's zone."""
    zone = times.zone(timezone)
    first = datetime.fromtimestamp(int(hours[0]) * 3600, UTC)
    shift = int((first.astimezone(zone).utcoffset() or first - first).total_seconds()) // 3600
    local = hours + shift
    weekend = ((local // 24 + 3) % 7) >= 5  # 1970-01-01 was a Thursday
    return (local % 24 + 24 * weekend).astype(np.int64)


def _profile(bursts: Times, timezone: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return, for each class, the bursts per hour, and the log of the share of hours that are silent."""
    hours = np.arange(bursts[0] // times.HOUR, bursts[-1] // times.HOUR + 1)
    classes = _classes(hours, timezone)
    spent = np.bincount(classes, minlength=48)
    place = (bursts // times.HOUR - hours[0]).astype(np.int64)
    seen = np.bincount(classes[place], minlength=48)
    busy = np.bincount(classes[np.unique(place)], minlength=48)
    return seen / np.maximum(spent, 1), np.log((spent - busy + 0.5) / (spent + 1))


def _quiet(start: int, end: int, profile: npt.NDArray[np.float64], timezone: str) -> float:
    """Return the log chance that all whole hours between two moments are silent."""
    hours = np.arange(-(-start // times.HOUR), end // times.HOUR)
    return float(profile[_classes(hours, timezone)].sum()) if len(hours) else 0.0


def _expected(start: int, end: int, profile: npt.NDArray[np.float64], timezone: str) -> float:
    """Return how many bursts the profile expects between two moments."""
    hours = np.arange(start // times.HOUR, end // times.HOUR + 1)
    low = np.maximum(hours * times.HOUR, start)
    high = np.minimum((hours + 1) * times.HOUR, end)
    return float((profile[_classes(hours, timezone)] * (high - low) / times.HOUR).sum())
