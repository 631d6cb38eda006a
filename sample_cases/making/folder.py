"""Files of a case folder, in the formats that its page fixes."""

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Any

Files = dict[str, bytes]
"""Path below the case folder to content."""


def json_line(record: dict[str, Any]) -> str:
    """Write one record on one line."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def json_lines(records: list[dict[str, Any]]) -> bytes:
    """Write records one a line."""
    return "".join(json_line(r) + "\n" for r in records).encode()


def json_page(value: Any) -> bytes:
    """Write a value to be read by people as well."""
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def csv_file(header: list[str], rows: list[list[Any]]) -> bytes:
    """Write rows under a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def toml_value(value: Any) -> str:
    """Write a TOML value; a text that begins with `@` is a time and stands without quotes."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {toml_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(toml_value(v) for v in value) + "]"
    if isinstance(value, str) and value.startswith("@"):
        return value[1:]
    return json.dumps(value, ensure_ascii=False)


def toml_table(title: str, values: dict[str, Any]) -> str:
    """Write one table with its sub-tables, `[[title]]` where the title says so."""
    plain = [f"{k} = {toml_value(v)}" for k, v in values.items() if not (isinstance(v, dict) and k in ("map", "runs"))]
    below = [toml_table(f"[{title.strip('[]')}.{k}]", v) for k, v in values.items() if isinstance(v, dict) and k in ("map", "runs")]
    return "\n".join([title, *plain, *(b.rstrip("\n") for b in below)]) + "\n"


def sha256(data: bytes) -> str:
    """Return the fingerprint of a file."""
    return hashlib.sha256(data).hexdigest()


def write_files(files: Files, folder: Path) -> None:
    """Write all files below a folder; evidence of an earlier making that is no longer made goes away."""
    if (folder / "expected.json").exists():
        for path in sorted((folder / "evidence").rglob("*"), reverse=True):
            _drop(path, files, folder)
    for name in sorted(files):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[name])


def _drop(path: Path, files: Files, folder: Path) -> None:
    """Remove a file that is not to be written, or a folder that has become empty."""
    if path.is_dir() and not any(path.iterdir()):
        path.rmdir()
    elif path.is_file() and path.relative_to(folder).as_posix() not in files:
        path.unlink()
