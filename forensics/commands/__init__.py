"""Rules over commands that ran on hosts: Sigma's own rule files, read and turned into questions by pySigma (extra `code`). A hit is a reason to look, no more.

- `shipped/*.yml` the rules; `description` says why one would look, `falsepositives` what honest work it could be
- `matching.py` which commands are as a rule says

A user's own come from `rulebook.py`.
"""

from forensics.commands.matching import installed

__all__ = ["installed"]
