"""Reads any in-house log that is a table, without code: CSV, JSON lines or Parquet, by the mapping in case.toml.

- mapping.py: a row's cells -> an event, by [source.map]
- formats.py: CSV, JSON and Parquet -> rows that know their place
"""

from forensics.model import Tier
from forensics.source import Source
from forensics.sources.table.formats import read, split

SOURCE = Source(
    name="table",
    reads="CSV (comma, semicolon, tab or bar, with a heading), JSON lines or Parquet of any system, by the mapping in [source.map]",
    collect=(
        "export the log with a heading, with times that bear their offset, and with every column that it has",
        'say in case.toml what its columns mean: [source.map] time = "<column>", action = "=<word of the contract>", actor = "<namespace>:{column}"',
    ),
    reference="https://www.rfc-editor.org/rfc/rfc4180, https://jsonlines.org, https://parquet.apache.org/docs/file-format",
    tier=Tier.T2,
    keeps="whoever runs the system that it comes from",
    split=split,
    read=read,
)
