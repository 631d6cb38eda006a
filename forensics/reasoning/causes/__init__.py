"""Which change sets the harmed runs apart from the healthy ones (method, Finding the change in the first place).

- `runs.py`, `curves.py`: harmed and healthy runs: named in the case, or told from their metrics
- `kinds.py`: harmed runs told by their metrics alone
- `ends.py`: harmed runs told by how they ended
- `faults.py`: what the records say of nodes' health
- `spread.py`: which runs a job's effects came to, through what it wrote and they loaded
- `candidates.py`, `commits.py`: every change that reached a run: commits, objects, files, images, nodes
- `commands.py`: commands that rules ask to look at, beside the causes
- `otherwise.py`: harmed runs that are harmed in another way than the others
- `installed.py`: installed files that are not as their package's list gives them
- `inside.py`: what such files do, by the rules over code
- `launch.py`: arguments and environment of a run
- `scoring.py`: how well each separates, also inside subsets, and how often chance would do as well
- `rating.py`: each candidate's score, how often chance reaches it, and which comes before which
- `places.py`: how far what a commit changed lies from what the harmed runs load
- `imports.py`: what the harmed runs can have imported, from their entry points on
- `lineage.py`: the first bad checkpoint along what a harmed run was continued from
- `shown.py`: the records behind what is told
- `triggers.py`: commits that ask for the date, the size of the job, or who runs it
- `ranking.py`: the order, the most telling first
"""

from forensics.reasoning.causes.ranking import Cause, Comparison, asked, causes, compare

__all__ = ["Cause", "Comparison", "asked", "causes", "compare"]
