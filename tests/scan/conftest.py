"""What the tests of the scan share: a pickle that leaves a mark if it is loaded, and a short way to scan."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.scan.finding import Scan
from forensics.scan.looking import scan


@pytest.fixture
def look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Scan]:
    """Scan what lies in the test's folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *paths, rules=(): scan([Path(p) for p in paths or (".",)], rules)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "mark"


@pytest.fixture
def marking(mark: Path) -> bytes:
    """A pickle that makes a file when it is loaded."""
    command = f"touch {mark}".encode()
    return b"\x80\x02cos\nsystem\nX" + struct.pack("<I", len(command)) + command + b"\x85R."
