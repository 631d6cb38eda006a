"""The handoff bundle: evidence that travels, and that nobody has to take on trust.

- `material.py`: an examination and its case folder -> what may go into a bundle, each hash checked
- `views.py`: who gets what, and why the rest is withheld
- `pseudonyms.py`, `redaction.py`, `exculpatory.py`: names taken out; what speaks for the accused, which nothing takes out
- `commitments.py`: salted commitments, and the root that a full and a redacted bundle share
- `bag.py`, `zipped.py`, `statement.py`, `signing.py`, `timestamp.py`: the bag (BagIt), the one zip, what is signed, by whom, and when
- `memo.py`, `drafts.py`, `kit.py`, `sbom.py`, `words.py` and `text/`: what is written for readers, in English and Chinese
- `build.py`: all of it in order
- `opening.py`, `checking.py`: a bundle that somebody hands in (hostile until shown otherwise), and the first thing that is wrong with it
- `comparing.py`: what changed between two examinations
- `inside/verify.py`: the same checks again, written apart, as one file that travels in the bundle
"""
