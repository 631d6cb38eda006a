"""What this program is made of, with versions, as CycloneDX 1.6 JSON; the same installation gives the same bytes.

https://cyclonedx.org/docs/1.6/json/
"""

import hashlib
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import forensics

_ROOT = "training-forensics"
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def sbom() -> dict[str, Any]:
    """Return the bill of materials: the program, what it needs, Python and git."""
    parts = dict(sorted(_closure().items()))
    tools = [("cpython", platform.python_version()), ("git", _git())]
    components = [_component(name, version) for name, (version, _) in parts.items() if name != _ROOT]
    components += [{"type": "application", "bom-ref": f"{name}@{version}", "name": name, "version": version} for name, version in tools]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {**_component(_ROOT, parts[_ROOT][0]), "type": "application", "hashes": [{"alg": "SHA-256", "content": code()}]}
        },
        "components": components,
        "dependencies": [
            {"ref": _ref(name, version), "dependsOn": [_ref(n, parts[n][0]) for n in needed]} for name, (version, needed) in parts.items()
        ],
    }


@cache
def code() -> str:
    """Return one SHA-256 over the program's own files and their names: two versions of one number are told apart by it."""
    package = Path(str(forensics.__file__)).parent
    found = hashlib.sha256()
    for path in sorted(p for p in package.rglob("*") if p.suffix in (".py", ".toml") and "_templates" not in p.parts):
        found.update(f"{path.relative_to(package).as_posix()}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()


def lock() -> bytes:
    """Return the exact versions as pip takes them."""
    return "".join(f"{name}=={version}\n" for name, (version, _) in sorted(_closure().items()) if name != _ROOT).encode()


def _component(name: str, version: str) -> dict[str, str]:
    return {"type": "library", "bom-ref": _ref(name, version), "name": name, "version": version, "purl": _ref(name, version)}


def _ref(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


@cache
def _closure() -> dict[str, tuple[str, list[str]]]:
    """Return every installed distribution that the program needs, by its normal name: (version, what it needs)."""
    found: dict[str, tuple[str, list[str]]] = {}
    waiting = [_ROOT]
    while waiting:
        name = waiting.pop()
        if name not in found:
            try:
                distribution = metadata.distribution(name)
            except metadata.PackageNotFoundError:  # for another system or Python
                continue
            needed = sorted(set(_needs(distribution)))
            found[name] = (distribution.version, needed)
            waiting += needed
    return {name: (version, [n for n in needed if n in found]) for name, (version, needed) in found.items()}


def _needs(distribution: metadata.Distribution) -> Iterator[str]:
    for line in distribution.requires or ():
        match = _NAME.match(line)
        if match and "extra ==" not in line:
            yield re.sub(r"[-_.]+", "-", match.group()).lower()


def _git() -> str:
    if shutil.which("git") is None:
        return "none"
    told = subprocess.run(["git", "--version"], capture_output=True, text=True, check=False)
    return told.stdout.strip().removeprefix("git version ")
