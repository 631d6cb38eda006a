"""The evidence report: one HTML page made from findings, readable without a network and without JavaScript.

`page.py` puts it together (and is the only user of jinja2); `extra.py` says what the page is told beside the findings;
`answers.py` and `words.py` hold the plain words of an answer; `citing.py` numbers every reference and fetches its bytes;
`ladder.py`, `ratios.py`, `paths.py` and `timeline.py` work out the drawings, which the templates only print;
`supplied.py` names the kinds of evidence that nobody handed in; `showing.py` makes hostile text harmless to the eye.
"""

from forensics.telling.report.extra import Extra
from forensics.telling.report.page import write

__all__ = ["Extra", "write"]
