"""Looks at files that lie outside any case: checkpoints, packages, repositories, source trees. What it finds is a reason to look, and no verdict.

- `finding.py` what is handed back
- `places.py` which files there are: folders are walked, links are not followed
- `models.py` a file that may hold pickles
- `packages.py`, `wheels.py` an installed package, or a wheel, against its own list of hashes
- `repositories.py` a repository's settings and hooks, and the texts of a bare one
- `startup.py` files that Python runs at its start
- `source.py` program text, by the rules of `patterns`
- `looking.py` the order of it all
- `known.py` what an earlier scan had found already
- `telling.py` how it is said, to people and to programs
"""
