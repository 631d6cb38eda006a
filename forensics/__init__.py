"""Who changed what in a training system, told from its records, as far as they carry.

The way through, one room after the other (see docs/adr/0001-one-way-through.md):

- read: `evidence.py`, `sources/`: raw bytes -> events, rejected rows, an account of every byte
- link: `facts.py`, `links/`: what led to what -> edges
- reason: `reasoning/`: hypotheses, their support, flags, gaps, reach
- tell: `telling/`: findings.json, report.html, exports
"""

__version__ = "0.1.0"
