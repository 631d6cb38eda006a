"""Who changed what in a training system, told from its records, as far as they carry.

The way through, one room after the other (see docs/adr/0001-one-way-through.md):

    evidence.py, sources/   read    raw bytes -> events, rejected rows, accounts of every byte
    links/                  link    what led to what -> edges
    reasoning/              reason  hypotheses, their support, flags, gaps, reach
    telling/                tell    findings.json, report.html, exports
"""

__version__ = "0.1.0"
