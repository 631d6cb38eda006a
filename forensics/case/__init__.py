"""A case from beginning to end.

- `folder.py`, `registers.py`, `problems.py`: the case folder -> a frozen config, and everything that is wrong with it
- `inspection.py`: the same without an examination (`forensics check`)
- `own.py`: the registers as records that findings can refer to
- `reading.py`, `steps.py`: read, link, reason, tell
"""
