"""Cases for tests of the whole way through."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forensics.case.steps import Outcome, Request, investigate

SAMPLES = Path(__file__).parents[2] / "sample_cases"


@pytest.fixture(scope="session")
def samples() -> Path:
    return SAMPLES


@pytest.fixture
def examine(tmp_path: Path) -> Callable[..., Outcome]:
    """Examine a case folder into a folder of its own."""
    count = 0

    def run(case: Path, **request: Any) -> Outcome:
        nonlocal count
        count += 1
        asked = {"examiner": "tester", "time": "2024-08-01T09:00:00Z"} | request
        return investigate(case, tmp_path / f"out{count}", Request(**asked), lambda _: None)

    return run


@pytest.fixture
def copied(tmp_path: Path) -> Callable[..., Path]:
    """Copy a sample case, to be changed."""

    def run(name: str, to: str = "case") -> Path:
        shutil.copytree(SAMPLES / name, tmp_path / to, ignore=shutil.ignore_patterns("*.py", "README.md"))
        return tmp_path / to

    return run
