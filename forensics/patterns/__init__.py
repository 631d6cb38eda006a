"""Rules over program text: what changes of training code are looked at twice for. A hit is a reason to look, never a cause by itself.

- `shipped/*.yml` the rules, in the form of ast-grep's own rule files; `metadata.innocent` says what honest code does so, too
- `rules.py` reads them; a user's own come from `rulebook.py`
- `words.py` which words a text must have for a rule to find anything
- `matching.py` where a text is as a rule says
- `apart.py`, `worker.py` the matching in a process of its own, under limits
- `changed.py` which lines of a text a change added, and which it took out

The matching is done by ast-grep (extra `code`): it parses text and runs none of it.
"""
