"""The validation corpus: an invented lab in which incidents are planted whose truth is known, told through the real formats of its logs.

    lab/       the world: people, their days, hosts, the forge, the cluster, the store, and what is ordinary there
    formats/   writers of formats that the sample cases' own generators do not have
    plots/     one file per class of incident
    truth.py   what the records of a case really allow
    make.py    makes one case
    scoring.py compares findings with the truth
    validate.py makes, examines and scores many

Every random choice comes from a `random.Random` named after its purpose; nothing asks the clock.
"""

import sys
from pathlib import Path

_MAKING = str(Path(__file__).resolve().parents[2] / "sample_cases")
if _MAKING not in sys.path:  # the sample cases' generators are reused
    sys.path.append(_MAKING)
