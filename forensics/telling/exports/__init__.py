"""One file a format: each defines `EXPORT` (see export.py), and no other line is needed anywhere. With an underscore in its name: of the whole, not of a timeline."""
