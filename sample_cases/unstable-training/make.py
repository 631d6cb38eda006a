"""Makes the sample case "unstable training" from nothing but this code: the same bytes on any machine.

python sample_cases/unstable-training/make.py [OUTDIR]
"""

import sys
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.dont_write_bytecode = True

from making.folder import write_files  # noqa: E402
from making.unstable.case import case_files  # noqa: E402
from making.unstable.story import tell  # noqa: E402

if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    write_files(case_files(tell(date(2024, 6, 1), date(2024, 7, 30))), folder)
