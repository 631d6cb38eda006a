"""Makes, examines and scores many cases.   python -m tests.incidents.validate --count 540 --out build/validation

Writes OUT/validation.json and OUT/validation.md. Each case goes away once it is scored, unless --keep. The same code gives the same
bytes: nothing of the machine or of the hour is in them.
"""

import argparse
import json
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from forensics.case.steps import Request, investigate
from forensics.telling.validation import fingerprint, method
from tests.incidents.make import make_case, variants
from tests.incidents.plots import plots
from tests.incidents.scoring import COLUMNS, Score, score, summary, table, upper

ROOT = Path(__file__).resolve().parents[2]
BATCH = 40
ASKED = {"examiner": "validation", "time": "2025-01-01T00:00:00Z"}


@dataclass(frozen=True, slots=True)
class Task:
    seed: int
    klass: str
    variant: str
    keep: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    task: Task
    truth: dict[str, Any] | None
    score: Score | None
    error: str = ""


def tasks(count: int, first: int, keep: str = "", only: tuple[str, ...] = ()) -> list[Task]:
    """Share cases out over the classes evenly, and within a class over its variants in turn."""
    known = [name for name in plots() if not only or name in only]
    by_class = {name: [v for k, v in variants() if k == name] for name in known}
    out = []
    for n in range(count):
        name, turn = known[n % len(known)], n // len(known)
        out.append(Task(first + n, name, by_class[name][turn % len(by_class[name])], keep))
    return out


def examine(task: Task) -> Result:
    """Make, examine and score one case; whatever goes wrong is told, and counts as nothing found."""
    folder = Path(task.keep) if task.keep else Path(tempfile.mkdtemp(prefix="incident-"))
    truth: dict[str, Any] | None = None
    try:
        case = make_case(task.seed, task.klass, task.variant, folder).case
        truth = json.loads((folder / "truth" / f"{case}.json").read_text(encoding="utf-8"))
        found = investigate(
            folder / "cases" / case, folder / "out" / case, Request(workers=1, skip_unknown=True, page=False, **ASKED), lambda _: None
        )
        return Result(task, truth, score(truth, found.findings))
    except Exception as error:  # noqa: BLE001 - a failing case is counted and listed, never hidden
        place = traceback.extract_tb(error.__traceback__)[-1]
        text = f"{type(error).__name__}: {str(error)[:160]} ({Path(place.filename).name}:{place.lineno})"
        return Result(task, truth, score(truth, None) if truth else None, text)
    finally:
        if not task.keep:
            shutil.rmtree(folder, ignore_errors=True)


def run(todo: list[Task], workers: int) -> Iterator[Result]:
    if workers == 1:
        yield from map(examine, todo)
        return
    for first in range(0, len(todo), BATCH):  # fresh processes now and then, so that none keeps what a thousand examinations left behind
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            yield from pool.map(examine, todo[first : first + BATCH], chunksize=1)


def made_by() -> dict[str, str]:
    """Return the fingerprints of what makes a validation: the method, and the corpus."""
    return {
        "method_sha256": method(),
        "corpus_sha256": fingerprint(ROOT, ("tests/incidents/**/*.py", "sample_cases/making/*.py")),
    }


def report(results: list[Result]) -> dict[str, Any]:
    """Return the content of validation.json."""
    scored = [(r.truth, r.score) for r in results if r.truth is not None and r.score is not None]
    failed = [f"{r.task.klass}/{r.task.variant} seed {r.task.seed}: {r.error}" for r in results if r.error]
    return {
        "schema": "forensics/validation/1",
        "cases": len(results), "failed": sorted(failed), "failed_upper95": upper(len(failed), len(results)),
        "seeds": [min(r.task.seed for r in results), max(r.task.seed for r in results)],
        **made_by(),
        **summary(scored),
    }  # fmt: skip


# --- the page ---------------------------------------------------------------------------------------------------------


def page(found: dict[str, Any]) -> str:
    """Write what was found for people to read."""
    wrong, over = found["overall"]["false_person"], found["overall"]["overreach"]
    lines = [
        "# Validation on planted incidents", "",
        (f"{found['cases']} invented cases, {len(found['failed'])} of which failed. In {wrong['n']} questions, somebody was named wrongly {wrong['count']} times "
        f"(upper 95 % bound {_percent(wrong['upper95'])}); {over['count']} answers went further than the records allow (upper bound {_percent(over['upper95'])})."), "",
        ("**What this tests, and what it does not.** The cases come from a simulator whose authors also know the method. They test whether the method and its code do on "
        "such records what they promise. They do not test casework: real laboratories lose records that no simulator thinks of, real people behave in ways it does not "
        "draw, and the share of each class here is nobody's base rate. No figure on this page is an error rate of an examination of a real case."), "",
        f"Method `{found['method_sha256'][:16]}`, corpus `{found['corpus_sha256'][:16]}`, seeds {found['seeds'][0]} to {found['seeds'][1]}.", "",
        "## By class", "", *_table(found), "",
        ("FALSE: wrongly named. never: named somebody of whom the truth says never. over: rung above what the records allow. reach: named rightly where that was possible. "
        "abst: named nobody where it was not. cand: the true actor among the candidates; ncand: how many. mech, acct: mechanism, account. flag, fflag: flags that must be "
        "there, and must not (mean number). stmt, stbad: statements decided rightly, and wrongly. top1, top5: the cause; top1e, top5e: the same of cases that name at least three harmed and three healthy runs, or none. jobP, jobR, objP, objR, gpuh: precision and recall of the reach, "
        "GPU-hours. clock, gap: found."), "",
        "## Naive readings, scored the same way", "", *_yardsticks(found), "",
        "## Likelihood ratios", "", *_calibration(found), "",
    ]  # fmt: skip
    if found["named_wrongly"]:
        lines += ["## Named wrongly", "", *(f"- {n}" for n in found["named_wrongly"]), ""]
    if found["failed"]:
        lines += ["## Failed", "", *(f"- {n}" for n in found["failed"]), ""]
    return "\n".join(lines)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f} %"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _table(found: dict[str, Any]) -> Iterator[str]:
    show = lambda column, value: f"{value:.1f}" if column == "n_candidates" else f"{value:.2f}"  # noqa: E731 - one cell's form
    yield _row(["class", "n", *(title for _, title in COLUMNS)])
    yield _row(["---"] * (len(COLUMNS) + 2))
    rows = {**found["classes"], "**twins**": found["twins"], "**all**": found["overall"]}
    yield from (_row(cells) for cells in table(rows, show))


def _yardsticks(found: dict[str, Any]) -> Iterator[str]:
    yield _row(["whoever the record names", "questions", "named wrongly", "upper bound", "beyond the records", "right where possible"])
    yield _row(["---"] * 6)
    for name, row in found["yardsticks"].items():
        wrong, reach = row["false_person"], row["scores"].get("reached", {}).get("rate")
        title = {
            "author": "author of the commit",
            "committer": "committer",
            "pusher": "account that acted",
            "process": "owner of the process",
        }[name]
        yield _row(
            [
                title,
                str(wrong["n"]),
                str(wrong["count"]),
                _percent(wrong["upper95"]),
                str(row["overreach"]["count"]),
                "–" if reach is None else f"{reach:.2f}",
            ]
        )


def _calibration(found: dict[str, Any]) -> Iterator[str]:
    whole = found["overall"]
    cost = (
        "not defined: the leading hypothesis was never wrong, or never right"
        if whole["cllr"] is None
        else f"{whole['cllr']:.3f} bit (0 is perfect, 1 says nothing)"
    )
    yield f"Cllr of the leading hypothesis against its best alternative: {cost}. It was the true actor's in {whole['leads']['right']} of {whole['leads']['n']} answers."
    yield ""
    yield _row(["ratio against an alternative", "alternatives", "of them the true actor", "upper bound"])
    yield _row(["---"] * 4)
    for row in whole["calibration"]:
        span = f"{row['from']:g} to {row['to']:g}" if row["to"] is not None else f"from {row['from']:g}"
        yield _row([span, str(row["alternatives"]), str(row["true_actor"]), _percent(row["upper95"])])


def _write(out: Path, found: dict[str, Any]) -> None:
    (out / "validation.json").write_text(json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    (out / "validation.md").write_text(page(found), encoding="utf-8")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Makes, examines and scores many cases of the validation corpus.")
    parser.add_argument("--count", type=int, default=540)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--out", type=Path, default=Path("build/validation"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--class", dest="only", action="append", default=[], help="only this class; may be repeated")
    parser.add_argument("--keep", action="store_true", help="keep cases, truths and findings in OUT")
    asked = parser.parse_args(arguments)
    asked.out.mkdir(parents=True, exist_ok=True)
    results: list[Result] = []
    for n, r in enumerate(run(tasks(asked.count, asked.seed, str(asked.out) if asked.keep else "", tuple(asked.only)), asked.workers), 1):
        results.append(r)
        notes = "; ".join(r.score.notes) if r.score else ""
        if r.error or notes or n % 20 == 0:
            print(f"{n}/{asked.count} {r.task.klass}/{r.task.variant} seed {r.task.seed} {r.error or notes}", file=sys.stderr)
        if n % BATCH == 0:  # so that a run that is ended early leaves what it found
            _write(asked.out, report(results))
    found = report(results)
    _write(asked.out, found)
    wrong = found["overall"]["false_person"]
    print(
        f"{found['cases']} cases, {len(found['failed'])} failed; named wrongly {wrong['count']} of {wrong['n']}; see {asked.out / 'validation.md'}"
    )
    return 1 if found["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
