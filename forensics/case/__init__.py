"""A case from beginning to end: the folder (`folder.py`), and the four steps (`reading.py`, `steps.py`)."""
