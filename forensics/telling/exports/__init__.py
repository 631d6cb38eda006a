"""One file a format: each defines `EXPORT` (see export.py), and no other line is needed anywhere."""
