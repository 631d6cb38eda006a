"""One examination of a sample case, and the bundles that are made from it."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from forensics.case import steps
from forensics.case.folder import open_case
from forensics.case.originals import originals
from forensics.telling.handoff import build as room
from forensics.telling.handoff import kit, signing
from forensics.telling.handoff.material import Material, gather
from forensics.telling.handoff.views import VIEWS

ROOT = Path(__file__).parents[3]
CASE = ROOT / "sample_cases" / "shared-login"
TIME = "2024-10-02T00:00:00Z"
SECRET = bytes(range(32))
SUBJECT = "p-002"

Make = Callable[..., room.Built]


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    out = tmp_path_factory.mktemp("handoff") / "out"
    steps.investigate(CASE, out, steps.Request("examiner", "2024-10-01T09:00:00Z"), lambda _: None)
    case, _ = open_case(CASE)
    return gather(out, case, originals(case))


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "key"
    made = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    path.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    path.chmod(0o600)
    path.with_suffix(".pub").write_bytes(made.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))
    return path


@pytest.fixture(scope="session")
def make(material: Material, key: Path, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Give a function that writes a bundle, once for the same words: `make("hr", language="zh")`; signed, and a plain redacted one with a PDF."""
    place = tmp_path_factory.mktemp("bundles")
    count = 0
    made: dict[str, room.Built] = {}

    def maker(view: str, *, fresh: bool = False, **asked: Any) -> room.Built:
        nonlocal count
        words = f"{view} {sorted(asked.items())}"
        if words in made and not fresh:
            return made[words]
        count += 1
        plain = not set(asked) - {"language", "stamp"} and not VIEWS[view].whole
        told = {"examiner": "examiner", "secret": SECRET, "signer": signing.read_key(key), "pdf": plain and kit.prints()} | asked
        if view == "subject":
            told.setdefault("people", (SUBJECT,))
        request = room.Request(VIEWS[view], TIME, tool="training-forensics test", **told)
        made[words] = room.build(material, request, place / f"{count}-{view}")
        return made[words]

    return maker


@pytest.fixture(scope="session")
def bundles(make: Make) -> dict[str, room.Built]:
    """One bundle of each view."""
    return {view: make(view) for view in VIEWS}


@pytest.fixture(scope="session")
def inside() -> ModuleType:
    """The program that travels in the bundle, as somebody would have it by another way."""
    spec = importlib.util.spec_from_file_location("inside_verify", ROOT / "forensics/telling/handoff/inside/verify.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
