"""The evidence report: one HTML page made from findings, in English and Chinese, readable without a network and without JavaScript.

`page.py` puts it together (and is the only user of jinja2); `extra.py` says what the page is told beside the findings, `kept.py` what OUT keeps of that;
`again.py` makes the page anew from OUT;
`said.py` says everything in both languages, `names.py` shows people as they are to be shown, `words.py` holds the plain words;
`answers.py` puts an answer into words, `annex.py` what an opposing expert usually says; `citing.py` numbers every reference;
`ladder.py`, `ratios.py`, `paths.py`, `curves.py` and `timeline.py` work out the drawings, which the templates only print; `marks.py` numbers and tells apart the acts of the timeline;
`quoting.py` quotes what the case says itself; `coverage.py` says which sources were recording then; `supplied.py` names the kinds of evidence that nobody handed in; `showing.py` makes hostile text harmless to the eye.
"""

from forensics.telling.report.again import NOTES, again
from forensics.telling.report.extra import Extra
from forensics.telling.report.kept import Kept, keep, kept
from forensics.telling.report.page import render

__all__ = ["NOTES", "Extra", "Kept", "again", "keep", "kept", "render"]
