"""Particular to installed packages: an environment that was handed in as one archive says what the folder says, and no archive can do harm."""

import gzip
import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
import zstandard

from forensics.sources.site_packages import archives

FIXTURES = Path(__file__).parent / "fixtures" / "site_packages"
ENV = FIXTURES / "env" / "input"
FILES = {path.relative_to(ENV).as_posix(): path.read_bytes() for path in sorted(ENV.rglob("*")) if path.is_file()}
PREFIX = "file:///share/envs/train/lib/python3.11/site-packages/"
LINK = "mini_optim/linked.py"


def tar(files: dict[str, bytes], links: tuple[str, ...] = (), twice: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in [*files.items(), *([(twice, b"other")] if twice else [])]:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for name in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(info)
    return buffer.getvalue()


def packed(files: dict[str, bytes], links: tuple[str, ...] = (), compress: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in [*files.items(), *((link, b"/etc/passwd") for link in links)]:
            info = zipfile.ZipInfo(name)
            info.create_system, info.compress_type = 3, compress
            info.external_attr = ((stat.S_IFLNK if name in links else stat.S_IFREG) | 0o644) << 16
            archive.writestr(info, data)
    return buffer.getvalue()


MADE = {"tar/input.tar": tar(FILES, (LINK,)), "zip/input.zip": packed(FILES, (LINK,))}


@pytest.mark.parametrize("name", MADE)
def test_fixtures_are_what_their_makers_make(name, update_goldens):
    if update_goldens:
        (FIXTURES / name).parent.mkdir(exist_ok=True)
        (FIXTURES / name).write_bytes(MADE[name])
    if name.endswith(".tar"):  # what zlib makes of the same bytes may differ from version to version
        assert (FIXTURES / name).read_bytes() == MADE[name]


@pytest.fixture
def look(read, tmp_path, source_config, evidence_at, read_evidence):
    """Read one archive of that name."""

    def looked(name: str, data: bytes):
        root = tmp_path / name.replace(".", "-")
        root.mkdir(exist_ok=True)
        (root / name).write_bytes(data)
        found = read_evidence(evidence_at(root, source_config("site_packages", path=name, prefix=PREFIX)))
        if not name.endswith((".gz", ".zst")):
            assert found.booked.get("", 0) == len(data)
        return found

    return looked


def told(found) -> set[tuple[str, str, str, str]]:
    return {(e.action, e.object, e.target, e.name or "") for e in found.events}


def test_an_archive_says_what_the_folder_says(read, look):
    plain = told(read("site_packages", FILES, prefix=PREFIX))
    assert len(plain) > 6
    whole = tar(FILES)
    forms = {
        "env.tar": whole, "env.tar.gz": gzip.compress(whole), "env.tar.zst": zstandard.ZstdCompressor().compress(whole),
        "env.zip": packed(FILES), "stored.zip": packed(FILES, compress=zipfile.ZIP_STORED),
    }  # fmt: skip
    for name, data in forms.items():
        assert told(look(name, data)) == plain, name


def test_each_reference_is_the_bytes_of_its_file_or_line(look):
    data = MADE["tar/input.tar"]
    for event in look("env.tar", data).events:
        shown = data[event.start : event.end] if event.end > 0 else b""
        name = event.object.removeprefix(PREFIX).replace(PREFIX.removesuffix("lib/python3.11/site-packages/"), "../../../")
        if event.action == "file.content":
            assert shown == FILES[name]
        else:
            assert shown.startswith(name.encode())
            assert shown.count(b"\n") == 1


def test_links_and_paths_that_lead_elsewhere_are_told_and_not_followed(look):
    evil = {"../up.py": b"x", "/etc/x.py": b"x", "a//b.py": b"x", "ok.py": b"x"}
    for name, data in {"env.tar": tar(evil, ("l.py",)), "env.zip": packed(evil, ("l.py",))}.items():
        found = look(name, data)
        assert [e.object for e in found.events] == [f"{PREFIX}ok.py"]
        assert len(found.rejects) == 4
        assert all(r.start == r.end for r in found.rejects)


def test_of_two_files_of_one_path_the_first_counts_and_it_is_said(look):
    found = look("env.tar", tar({"a.py": b"one"}, twice="a.py"))
    assert len(found.events) == 1
    assert "second member" in found.rejects[0].reason


def test_what_grows_without_end_is_left(look, monkeypatch):
    monkeypatch.setattr(archives, "FREE_GROWTH", 1 << 16)
    found = look("env.zip", packed({"a.py": b"x", "b.py": bytes(100 << 20)}))
    assert [e.object for e in found.events] == [f"{PREFIX}a.py"]
    assert "limit" in found.rejects[0].reason


def test_a_list_that_is_longer_than_lists_are_is_left(look, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST", 10)
    found = look("env.tar", MADE["tar/input.tar"])
    assert {e.action for e in found.events} == {"file.content"}
    assert any("limit: a list" in r.reason for r in found.rejects)


def test_members_across_each_other_are_counted_once(look):
    data = bytearray(packed({"a.py": b"x" * 5000, "b.py": b"y" * 5000}, compress=zipfile.ZIP_STORED))
    place = data.rindex(b"PK\x01\x02")
    data[place + 42 : place + 46] = bytes(4)  # the directory says that the second begins where the first does
    found = look("env.zip", bytes(data))
    assert found.parsed <= len(data)


def test_a_member_that_is_not_what_its_checksum_claims_is_said(look):
    data = bytearray(packed({"a.py": b"x" * 50}, compress=zipfile.ZIP_STORED))
    data[data.index(b"xxxx")] = ord("y")
    found = look("env.zip", bytes(data))
    assert len(found.events) == 1
    assert "checksum" in found.rejects[0].reason
