"""Makes one case with its truth.   python -m tests.incidents.make --seed N --class NAME --out DIR [--variant NAME]

Writes DIR/cases/<id> and DIR/truth/<id>.json. The same seed, class and variant give the same bytes.
"""

import argparse
import hashlib
import sys
from pathlib import Path
from random import Random

from making.folder import toml_table, write_files

from tests.incidents import truth as truths
from tests.incidents.bystanders import pass_by
from tests.incidents.lab import clock, ordinary
from tests.incidents.lab.folder import Folder, case_toml, register_files
from tests.incidents.lab.world import build
from tests.incidents.plots import plots
from tests.incidents.plots.story import Story, settle

THEMES = (
    "Runs of {team} behave oddly since {month}",
    "{team}: what changed?",
    "Loss curves under review, {month}",
    "Incident review {month}",
    "Who changed what before the {team} runs went wrong",
)


def make_case(seed: int, klass: str, variant: str, out: Path) -> truths.Truth:
    """Make one case below `out`, and return its truth."""
    plot = plots()[klass]
    chosen = plot.variants[variant]
    lab = build(seed, klass, variant, chosen.needs)
    story = Story(lab, lab.rng("story"), variant, chosen.twin)
    plot.plant(story)
    lab.keep_days()
    ordinary.plan(lab)
    for act in story.later:
        act()
    lab.live()
    for act in story.endings:
        act()
    pass_by(story)
    settle(story)
    case = "v-" + hashlib.sha256(f"{seed}/{klass}/{variant}".encode()).hexdigest()[:10]
    folder = Folder(lab, story.harm)
    found = _truth(story, folder, case, seed, klass)
    _write(story, folder, case, out)
    path = out / "truth" / f"{case}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(truths.write(found, plot.number), encoding="utf-8")
    return found


def _write(story: Story, folder: Folder, case: str, out: Path) -> None:
    lab, rng = story.lab, story.lab.rng("title")
    title = rng.choice(THEMES).format(team=rng.choice(lab.people).team, month=lab.days[len(lab.days) // 2].strftime("%B %Y"))
    files = folder.files | register_files(lab)
    files["case.toml"] = case_toml(lab, case, title, folder.sources, story.questions, story.bad, story.good, rng)
    if story.statements:
        files["statements.toml"] = "\n".join(toml_table("[[statement]]", s) for s in story.statements).encode()
    write_files(files, out / "cases" / case)


def _truth(story: Story, folder: Folder, case: str, seed: int, klass: str) -> truths.Truth:
    found = truths.Truth(case, seed, klass, story.variant, story.twin, story.answers, story.verdicts, story.reaches)
    if story.harm or not story.symptoms:
        blamed = [c for c in story.causes if c.blamed]
        found.causes = [c.object() for c in blamed]
        found.cause_equivalents = {c.object(): c.equivalents() for c in blamed}
    found.cause_none, found.runs_named = story.cause_none, [len(story.bad), len(story.good)]
    for key, ahead in story.clocks.items():
        found.clock_offset_s |= dict.fromkeys(folder.kind_names.get(key, []), ahead)
    for key, (a, b) in story.gaps.items():
        found.gaps |= {name: [[clock.utc(a), clock.utc(b)]] for name in folder.kind_names.get(key, [])}
    found.when = {q: clock.utc(t) for q, t in story.when.items()}
    found.yardsticks = story.yardsticks
    return found


def variants() -> list[tuple[str, str]]:
    """Return every class with every variant, in order."""
    return [(name, v) for name, plot in plots().items() for v in plot.variants]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description="Makes one case of the validation corpus, with its truth.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--class", dest="klass", choices=list(plots()), required=True)
    parser.add_argument("--variant", default="")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args(arguments)
    known = list(plots()[asked.klass].variants)
    variant = asked.variant or Random(f"variant/{asked.seed}").choice(known)
    found = make_case(asked.seed, asked.klass, variant, asked.out)
    print(f"{asked.out / 'cases' / found.case}\t{asked.klass}/{variant}")


if __name__ == "__main__":
    main(sys.argv[1:])
