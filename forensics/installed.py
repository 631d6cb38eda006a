"""An installed package's own list of its files with their hashes (`*.dist-info/RECORD`).

Reference: https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

import base64
import csv
from dataclasses import dataclass

from forensics.errors import RecordError

LARGEST = 64 << 20
"""bytes of a list; the longest have some megabytes"""
ALGORITHMS = ("sha256", "sha384", "sha512")


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of a list."""

    path: str
    """below the folder that the packages lie in"""
    algorithm: str
    digest: str
    """in hexadecimal; empty where the list gives none"""
    line: int


def read_list(data: bytes) -> list[Listed]:
    """Read a RECORD; RecordError where it is none."""
    if len(data) > LARGEST:
        raise RecordError(f"limit: a list of more than {LARGEST} bytes")
    try:
        rows = list(csv.reader(data.decode("utf-8").splitlines()))
    except (ValueError, csv.Error) as error:
        raise RecordError(f"is no list of files: {error}") from error
    return [listed(row, number) for number, row in enumerate(rows, 1) if row and row[0]]


def listed(row: list[str], number: int) -> Listed:
    """Read a line that was taken apart; RecordError where its hash can't be read."""
    algorithm, _, digest = row[1].partition("=") if len(row) > 1 else ("", "", "")
    try:
        plain = base64.urlsafe_b64decode(digest + "=" * (-len(digest) % 4)).hex()
    except ValueError as error:
        raise RecordError(f"line {number} bears no hash that can be read") from error
    return Listed(row[0].replace("\\", "/"), algorithm.lower(), plain, number)


def joined(folder: str, path: str) -> str:
    """Return how a listed file is called here; lists name scripts as `../../../bin/x`."""
    steps: list[str] = []
    for step in ([] if path.startswith("/") or folder == "." else folder.split("/")) + path.split("/"):
        if step == ".." and steps and steps[-1] not in ("", ".."):
            steps.pop()
        elif step != ".":
            steps.append(step)
    return "/".join(steps)
