"""Compares findings with the truth: what was named, what was kept open, and how far its likelihood ratios can be trusted.

Naming somebody who did not do it is the worst that can happen, so it stands first, with an upper bound: by the rule of three where it
never happened, else by Wilson's interval. Ratios are judged by Cllr (Brümmer and du Preez 2006) and by a table of how often the
leading hypothesis was right where the ratio said so.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]
RUNGS = ("none", "change", "account", "session", "person")
YARDSTICKS = ("author", "committer", "pusher", "process")
COLUMNS = (
    ("false_person", "FALSE"), ("never_named", "never"), ("overreach", "over"), ("reached", "reach"), ("abstained", "abst"), ("candidates", "cand"),
    ("n_candidates", "ncand"), ("mechanism", "mech"), ("account", "acct"), ("flag_recall", "flag"), ("false_flags", "fflag"), ("statements", "stmt"),
    ("statement_wrong", "stbad"), ("cause_top1", "top1"), ("cause_top5", "top5"), ("enough_top1", "top1e"), ("enough_top5", "top5e"), ("impact_jobs_p", "jobP"), ("impact_jobs_r", "jobR"),
    ("impact_objects_p", "objP"), ("impact_objects_r", "objR"), ("impact_gpu_hours", "gpuh"), ("clock_found", "clock"), ("gap_found", "gap"),
)  # fmt: skip
ENOUGH = 3
"""harmed, and healthy runs that a case has to name for a cause to be told from chance; or none, where they are told by their metrics"""
LR_BINS = ((0.0, 0.1), (0.1, 0.5), (0.5, 2.0), (2.0, 10.0), (10.0, 100.0), (100.0, math.inf))


@dataclass(slots=True)
class Tally:
    """Counts and sums by column."""

    n: dict[str, int] = field(default_factory=dict)
    x: dict[str, float] = field(default_factory=dict)

    def add(self, column: str, value: float) -> None:
        self.n[column] = self.n.get(column, 0) + 1
        self.x[column] = self.x.get(column, 0.0) + float(value)

    def merge(self, other: "Tally") -> None:
        for column in other.n:
            self.n[column] = self.n.get(column, 0) + other.n[column]
            self.x[column] = self.x.get(column, 0.0) + other.x[column]

    def rate(self, column: str) -> float | None:
        return self.x[column] / self.n[column] if self.n.get(column) else None

    def page(self) -> Json:
        return {c: {"n": self.n[c], "sum": round(self.x[c], 4), "rate": round(self.x[c] / self.n[c], 4)} for c in sorted(self.n)}


@dataclass(slots=True)
class Score:
    """What came of one case."""

    tally: Tally = field(default_factory=Tally)
    naive: dict[str, Tally] = field(default_factory=lambda: {y: Tally() for y in YARDSTICKS})
    pairs: list[tuple[float, bool]] = field(default_factory=list)
    """(ratio of the leader against an alternative, whether the alternative is the true actor): one for each alternative"""
    leads: list[tuple[float, bool]] = field(default_factory=list)
    """(lowest ratio of the leader against the others, whether the leader is the true actor): one for each answer"""
    notes: list[str] = field(default_factory=list)


def score(truth: Json, findings: Json | None) -> Score:
    """Score one case; findings that could not be made count as nothing found."""
    out = Score()
    answers = {a.get("question"): a for a in (findings or {}).get("answers", [])}
    for q, t in sorted(truth["questions"].items()):
        a = answers.get(q)
        _answer(out, truth, q, t, a) if a else _missing(out.tally, t)
        _naive(out, t, truth["yardsticks"].get(q, {}))
    _statements(out.tally, truth["statements"], {s["id"]: s["verdict"] for s in (findings or {}).get("statements", [])})
    _causes(out.tally, truth, (findings or {}).get("causes", []))
    _impact(out.tally, truth["impact"], {i["question"]: i for i in (findings or {}).get("impact", [])})
    sources = {s["name"]: s for s in (findings or {}).get("sources", [])}
    _clocks(out.tally, truth["clock_offset_s"], sources)
    _gaps(out.tally, truth["gaps"], sources)
    return out


# --- answers ----------------------------------------------------------------------------------------------------------


def _missing(tally: Tally, t: Json) -> None:
    for column in ("false_person", "overreach", "candidates", "mechanism", "account"):
        tally.add(column, value=0)
    tally.add("reached" if t["rung"] == "person" else "abstained", value=0)
    for _ in t["flags"]:
        tally.add("flag_recall", value=0)


def _answer(out: Score, truth: Json, q: str, t: Json, a: Json) -> None:
    tally, rung, person = out.tally, a.get("rung", "none"), a.get("person")
    wrong = rung == "person" and person != t["actor"]
    tally.add("false_person", wrong)
    if wrong:
        out.notes.append(f"{truth['case']} {truth['class']}/{truth['variant']} {q}: named {person}, truth {t['actor']} (rung {t['rung']})")
    tally.add("never_named", rung == "person" and person in t["never"])
    tally.add("overreach", RUNGS.index(rung) > RUNGS.index(t["rung"]))
    if t["rung"] == "person":
        tally.add("reached", rung == "person" and person == t["person"])
    else:
        tally.add("abstained", rung != "person")
        tally.add("rung_exact", rung == t["rung"])
    candidates = a.get("candidates") or []
    tally.add("candidates", person == t["actor"] if rung == "person" else t["actor"] in candidates)
    if rung != "person":
        tally.add("n_candidates", len(candidates))
    tally.add("mechanism", a.get("mechanism") in [t["mechanism"], *t["mechanism_also"]])
    tally.add("account", a.get("account") in [t["account"], *t["account_also"]])
    flags = set(a.get("flags") or [])
    for flag in t["flags"]:
        tally.add("flag_recall", flag in flags)
    tally.add("false_flags", len(flags & set(t["not_flags"])))
    _ratios(out, t, a)


def _ratios(out: Score, t: Json, a: Json) -> None:
    """Note the ratios: each is of the leading hypothesis against one alternative."""
    by_person: dict[str, float] = {}
    for x in a.get("alternatives") or []:
        point = x["lr"].get("point", x["lr"]["low"])
        if x.get("person") and point > 0:
            by_person[x["person"]] = min(point, by_person.get(x["person"], math.inf))
    leader = a.get("person") or a.get("leading") or next((c for c in a.get("candidates") or [] if c not in by_person), None)
    out.pairs += [(lr, person == t["actor"]) for person, lr in sorted(by_person.items()) if person != leader]
    against = [lr for person, lr in by_person.items() if person != leader]
    if leader and against:
        out.leads.append((min(against), leader == t["actor"]))


def _naive(out: Score, t: Json, named: dict[str, str | None]) -> None:
    """Score the readings that take one record at its word: they name whom it names, always."""
    for name in YARDSTICKS:
        if name not in named:
            continue
        person, tally = named[name], out.naive[name]
        tally.add("false_person", person is not None and person != t["actor"])
        tally.add("overreach", person is not None and t["rung"] != "person")
        tally.add("reached" if t["rung"] == "person" else "abstained", (person == t["person"]) if t["rung"] == "person" else person is None)


# --- the rest ---------------------------------------------------------------------------------------------------------


def _statements(tally: Tally, truth: dict[str, str], found: dict[str, str]) -> None:
    for s, verdict in truth.items():
        tally.add("statements", found.get(s) == verdict)
        tally.add("statement_wrong", found.get(s) not in (verdict, "not resolved", None))


def bare(reference: str) -> str:
    return re.sub(r"\?versionId=.*$", "", reference.strip())


def _same(found: str, wanted: set[str]) -> bool:
    return found in wanted or (found.startswith("s3://") and "?" not in found and found in {bare(w) for w in wanted})


def _causes(tally: Tally, truth: Json, found: list[Json]) -> None:
    ranked = [c.get("object", "") for c in sorted(found, key=lambda c: -c.get("score", 0))]
    for cause in truth["causes"]:
        wanted = {cause, *truth["cause_equivalents"].get(cause, [])}
        first, among = (any(_same(o, wanted) for o in ranked[:most]) for most in (len(truth["causes"]), 5))
        tally.add("cause_top1", first)
        tally.add("cause_top5", among)
        if not any(named := truth.get("runs_named", [0, 0])) or min(named) >= ENOUGH:
            tally.add("enough_top1", first)
            tally.add("enough_top5", among)
    if truth["cause_none"]:
        tally.add(
            "cause_false",
            any(c.get("score", 0) >= 0.8 and c.get("object", "").startswith(("git:", "s3:", "hdfs:", "file:")) for c in found),
        )


def _shares(found: Iterable[str], sure: Iterable[str], possible: Iterable[str]) -> tuple[float, float]:
    """Return precision and recall; what is only possible counts neither way."""
    have, want = set(found), set(sure)
    judged = have - set(possible)
    precision = len(judged & want) / len(judged) if judged else float(not want)
    return precision, len(have & want) / len(want) if want else 1.0


def _impact(tally: Tally, truth: Json, found: dict[str, Json]) -> None:
    for q, t in truth.items():
        i = found.get(q) or {}
        for name, clean in (("jobs", str.strip), ("objects", bare)):
            p, r = _shares(map(clean, i.get(name, [])), map(clean, t[name]), map(clean, t[f"{name}_possible"]))
            tally.add(f"impact_{name}_p", p)
            tally.add(f"impact_{name}_r", r)
        hours = i.get("gpu_hours")
        low, high = t["gpu_hours"] * 0.98 - 0.5, t["gpu_hours_possible"] * 1.02 + 0.5
        tally.add("impact_gpu_hours", bool(hours) and hours["low"] <= high and hours["high"] >= low and hours["high"] <= 4 * high + 10)


def _clocks(tally: Tally, truth: dict[str, float], sources: dict[str, Json]) -> None:
    for name, ahead in truth.items():
        found = sources.get(name, {}).get("clock_offset_s")
        point = found.get("point", (found["low"] + found["high"]) / 2) if found else None
        tally.add("clock_found", point is not None and abs(point - ahead) <= max(60.0, abs(ahead) * 0.02))
        if found:
            tally.add("clock_in_interval", found["low"] - 1 <= ahead <= found["high"] + 1)


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _gaps(tally: Tally, truth: dict[str, list[list[str]]], sources: dict[str, Json]) -> None:
    for name, spans in truth.items():
        for a, b in ((_moment(x), _moment(y)) for x, y in spans):
            found = [(_moment(g["from"]), _moment(g["to"])) for g in sources.get(name, {}).get("gaps", [])]
            tally.add("gap_found", any(min(b, y) - max(a, x) >= 0.5 * (b - a) and y - x <= 6 * (b - a) for x, y in found))


# --- many cases -------------------------------------------------------------------------------------------------------


def upper(count: float, n: int) -> float | None:
    """Return the upper 95 % bound of a rate: the rule of three at zero, else Wilson's (one-sided)."""
    if not n:
        return None
    if not count:
        return min(1.0, 3 / n)
    z, p = 1.6449, count / n
    return min(1.0, (p + z * z / (2 * n) + z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n))


def cllr(leads: list[tuple[float, bool]]) -> float | None:
    """Return the log-likelihood-ratio cost of the leader's ratios, in bits: 0 is perfect, 1 says nothing."""
    right = [math.log2(1 + 1 / lr) for lr, ok in leads if ok]
    wrong = [math.log2(1 + lr) for lr, ok in leads if not ok]
    if not right or not wrong:
        return None
    return (sum(right) / len(right) + sum(wrong) / len(wrong)) / 2


def calibration(pairs: list[tuple[float, bool]]) -> list[Json]:
    """Tell, by size of the ratio against an alternative, how often that alternative was the true actor after all."""
    rows = []
    for low, high in LR_BINS:
        inside = [true for lr, true in pairs if low <= lr < high]
        rows.append(
            {
                "from": low,
                "to": None if high == math.inf else high,
                "alternatives": len(inside),
                "true_actor": sum(inside),
                "upper95": _rounded(upper(sum(inside), len(inside))),
            }
        )
    return rows


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 5)


def summary(scores: list[tuple[Json, Score]]) -> Json:
    """Put the scores of many cases together, overall, by class, and for the twins alone."""
    groups: dict[str, list[Score]] = {}
    for truth, s in scores:
        groups.setdefault(truth["class"], []).append(s)
    return {
        "overall": part([s for _, s in scores]),
        "twins": part([s for t, s in scores if t["twin"]]),
        "classes": {name: part(found) for name, found in sorted(groups.items())},
        "yardsticks": {y: _naive_part([s.naive[y] for _, s in scores]) for y in YARDSTICKS},
        "named_wrongly": sorted(note for _, s in scores for note in s.notes),
    }


def part(found: list[Score]) -> Json:
    total = Tally()
    for s in found:
        total.merge(s.tally)
    pairs, leads = [p for s in found for p in s.pairs], [x for s in found for x in s.leads]
    out = {
        "cases": len(found),
        "scores": total.page(),
        "false_person": _count(total, "false_person"),
        "overreach": _count(total, "overreach"),
    }
    return out | {
        "cllr": _rounded(cllr(leads)),
        "leads": {"right": sum(ok for _, ok in leads), "n": len(leads)},
        "calibration": calibration(pairs),
    }


def _count(tally: Tally, column: str) -> Json:
    n, x = tally.n.get(column, 0), tally.x.get(column, 0.0)
    return {"count": int(x), "n": n, "upper95": _rounded(upper(x, n))}


def _naive_part(tallies: list[Tally]) -> Json:
    total = Tally()
    for t in tallies:
        total.merge(t)
    return {"scores": total.page(), "false_person": _count(total, "false_person"), "overreach": _count(total, "overreach")}


def table(classes: dict[str, Json], show: Callable[[str, float], str]) -> Iterator[list[str]]:
    """Yield the rows of the table by class: name, cases, and a cell for each column."""
    for name, row in classes.items():
        cells = [row["scores"].get(column, {}).get("rate") for column, _ in COLUMNS]
        yield [name, str(row["cases"]), *("" if c is None else show(column, c) for c, (column, _) in zip(cells, COLUMNS, strict=True))]
