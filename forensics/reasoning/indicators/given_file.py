"""What somebody else had written, and the act's own process ran, copied or renamed."""

from collections.abc import Iterator

from forensics import times
from forensics.indicator import Hypothesis, Indicator, Item
from forensics.reasoning.act import Row
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.world import World


def _find(world: World, dossier: Dossier, hypotheses: tuple[Hypothesis, ...]) -> Iterator[Item]:
    for row in dossier.given:
        who = ", ".join(world.known.last_holders(row["actor"], row["time"]))
        says = (
            _unseen(row, who)
            if row["attrs"].get("unseen")
            else f"a part of it was sent by {row['actor']} ({who})"
            if row["action"].startswith("aws.UploadPart")
            else f"what it was made with, or out of, came with {row['target']}, which {row['actor']} ({who}) had pushed"
            if row["action"] == "code.push"
            else f"its process was given {row['object']}, which {row['actor']} ({who}) had written or put there"
        )
        yield Item("given_file", says, (row["source"],), (row["event"],), "change", dict.fromkeys(hypotheses, "even"))


def _unseen(row: Row, who: str) -> str:
    """Say what nothing recorded of a file, and who was there meanwhile."""
    low, high, source = row["attrs"]["unseen"]
    return f"its process was given {row['object']}, of which {source} would show the writes, and records none from {times.show(low)} to {times.show(high)}, when {row['actor']} ({who}) was, or may have been, logged in there"


INDICATOR = Indicator(
    name="given_file",
    why="who runs or copies what another has written need not know what is in it: both may have made the change",
    errs="whoever runs a script may know it well; a file may be read and not run; records of files do not show what was written",
    find=_find,
)
