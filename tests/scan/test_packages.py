"""Installed packages and wheels against their own lists of hashes."""

import base64
import hashlib
import zipfile
from pathlib import Path

from forensics.scan.packages import read_list

SOURCE = {"fw/__init__.py": b"from fw.optim import step\n", "fw/optim.py": b"def step(p):\n    p.data.add_(p.grad)\n"}


def record(files: dict[str, bytes]) -> bytes:
    lines = [f"{n},sha256={base64.urlsafe_b64encode(hashlib.sha256(d).digest()).rstrip(b'=').decode()},{len(d)}" for n, d in files.items()]
    return "\n".join([*lines, "fw-1.dist-info/RECORD,,"]).encode()


def install(folder: Path, files: dict[str, bytes], listed: dict[str, bytes]) -> None:
    for name, data in (files | {"fw-1.dist-info/RECORD": record(listed)}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def rules(found) -> list[tuple[str, str]]:
    return sorted((f.file, f.rule) for f in found.findings)


def test_a_package_as_it_was_installed_is_nothing_to_look_at(look, tmp_path: Path):
    install(tmp_path, SOURCE, SOURCE)
    (tmp_path / "fw" / "__pycache__").mkdir()
    (tmp_path / "fw" / "__pycache__" / "optim.cpython-311.pyc").write_bytes(b"compiled")
    found = look()
    assert (found.findings, found.unread) == ([], [])


def test_what_was_changed_added_and_removed(look, tmp_path: Path):
    changed = SOURCE["fw/optim.py"] + b"    if dist.get_world_size() > 255: p.data.add_(torch.randn_like(p))\n"
    install(tmp_path, {"fw/optim.py": changed, "fw/extra.py": b"x = 1\n", "other.pyc": b"compiled"}, SOURCE)
    found = look()
    assert rules(found) == [
        ("fw-1.dist-info/RECORD", "package-gone"),
        ("fw/extra.py", "package-extra"),
        ("fw/optim.py", "condition-on-size"),
        ("fw/optim.py", "gradient-noise"),
        ("fw/optim.py", "package-changed"),
        ("fw/optim.py", "weights-edit"),
        ("fw/optim.py", "weights-edit"),
        ("other.pyc", "package-extra"),
    ]
    (one,) = [f for f in found.findings if f.rule == "package-changed"]
    assert hashlib.sha256(changed).hexdigest() in one.text
    assert one.says.endswith("fw-1.dist-info/RECORD:2")


def test_lists_that_are_none_are_said(look, tmp_path: Path):
    install(tmp_path, SOURCE, SOURCE)
    (tmp_path / "fw-1.dist-info" / "RECORD").write_bytes(b"fw/optim.py,sha256=!!\xff\n")
    found = look()
    assert [u.file for u in found.unread] == ["fw-1.dist-info/RECORD"]


def test_a_list_that_names_files_elsewhere_leads_nowhere(look, tmp_path: Path):
    install(tmp_path, SOURCE, SOURCE | {"../../../etc/passwd": b"x", "/etc/passwd": b"x"})
    assert rules(look()) == []
    assert [entry.path for entry in read_list(record({"a/../../b": b""}))][:1] == ["a/../../b"]


def test_what_python_runs_at_its_start(look, tmp_path: Path):
    (tmp_path / "fw.pth").write_bytes(b"/opt/fw\nimport os; os.system('id')\n")
    (tmp_path / "plain.pth").write_bytes(b"/opt/fw\n# import nothing\n")
    (tmp_path / "sitecustomize.py").write_bytes(b"x = 1\n")
    found = look()
    assert [(f.file, f.place[0]) for f in found.findings if f.rule == "startup-line"] == [("fw.pth", 2)]
    assert [f.file for f in found.findings if f.rule == "startup-module"] == ["sitecustomize.py"]


def wheel(path: Path, files: dict[str, bytes], listed: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (files | {"fw-1.dist-info/RECORD": record(listed)}).items():
            archive.writestr(name, data)


def test_a_wheel_is_compared_member_by_member(look, tmp_path: Path, mark: Path, marking: bytes):
    wheel(tmp_path / "whole.whl", SOURCE, SOURCE)
    wheel(tmp_path / "odd.whl", SOURCE | {"fw/optim.py": b"exec(x)\n", "fw.pth": b"import fw\n", "fw/w.bin": marking}, SOURCE)
    found = look()
    assert sorted((f.member, f.rule) for f in found.findings if f.file == "odd.whl" and f.weight == "look") == [
        ("fw.pth", "package-extra"),
        ("fw.pth", "startup-line"),
        ("fw/optim.py", "package-changed"),
        ("fw/optim.py", "runs-text"),
        ("fw/w.bin", "package-extra"),
        ("fw/w.bin", "pickle-runs"),
    ]
    assert not [f for f in found.findings if f.file == "whole.whl"]
    assert not mark.exists()


def test_a_wheel_without_its_list_is_not_read(look, tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "x.whl", "w") as archive:
        archive.writestr("fw/optim.py", b"exec(x)\n")
    assert [u.why for u in look("x.whl").unread] == ["a wheel without its list of files"]
