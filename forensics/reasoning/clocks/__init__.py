"""How far each source's clock was off, told from what two sources both recorded; and the table that corrects their times.

- `anchors.py`: acts that two sources may both have recorded, under a key that both bear
- `pairs.py`: by how much one source's clock runs ahead of another's: constant, in steps, or drifting
- `chain.py`: from pairs to one offset a source, against the case's reference clock
"""

from forensics.reasoning.clocks.chain import Clock, clocks, clocks_table

__all__ = ["Clock", "clocks", "clocks_table"]
