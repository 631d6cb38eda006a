"""Controls on a change's way: which measures that would have stopped it, or shown its author, do the records show, and which were missing.

Each is told in one of three forms (`control.Shows`): the records show it, show that it was not so, or there is no record of it. None of them names anybody,
and none moves an answer. In findings.json they are `answers[].controls`:

    {"id": "reviewed", "control": what it asks for, "object": the step, "shows": one of the three forms, "why": by which facts,
     "would_have": what it would have done here, "refs": [references]}

- `control.py` what a control is
- `writing.py` who could write, with which account, reviewed by whom
- `using.py` scanned first, the same from stage to stage, used by known people, the earlier copy removed
"""

from forensics.reasoning.code import Code
from forensics.reasoning.controls.control import Control
from forensics.reasoning.controls.using import copy_removed, same_hash, scanned_first, use_by_person
from forensics.reasoning.controls.writing import limited_access, one_person, reviewed
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.impact import Impact
from forensics.reasoning.world import World


def controls(world: World, dossier: Dossier, reach: Impact, code: Code) -> tuple[Control, ...]:
    """Return the controls on the way of an answer's change, from where it was written to where it was used; none where it does not stand in the evidence."""
    if not dossier.seen:
        return ()
    return (
        *limited_access(world, dossier),
        *one_person(dossier),
        *reviewed(world, dossier, reach, code),
        *scanned_first(world, dossier, reach),
        *same_hash(world, dossier, reach),
        *use_by_person(world, dossier, reach),
        *copy_removed(world, dossier),
    )
