"""A bundle can be checked with what people already have, and the same case gives the same bytes."""

import base64
import hashlib
import json
import re
import shutil
import socket
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import bagit
import pytest
from click.testing import CliRunner
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from forensics.cli import main
from forensics.errors import IntegrityError, UsageError
from forensics.telling.handoff import sbom, signing
from forensics.telling.handoff.checking import Pinned, check
from forensics.telling.handoff.material import gather, sha256
from forensics.telling.handoff.statement import replaced
from forensics.telling.handoff.views import DRAFTS, VIEWS

TIME = "2024-10-02T00:00:00Z"


def test_a_bagit_tool_accepts_it(bundles):
    for built in bundles.values():
        assert bagit.Bag(str(built.folder)).is_valid()


def test_both_programs_find_that_it_holds(bundles, inside, capsys):
    for view, built in bundles.items():
        for place in (built.folder, built.zip):
            assert inside.main([str(place)]) == 0, capsys.readouterr().out
            found = check(place, Pinned())
            assert (found.told["view"], found.ratios) == (view, 9)
    assert "HOLDS" in capsys.readouterr().out


def test_the_program_inside_runs_by_itself(bundles):
    told = subprocess.run([sys.executable, "-I", bundles["hr"].folder / "verify.py"], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("HOLDS")


def test_the_program_inside_is_short_and_needs_no_library(inside):
    text = Path(inside.__file__).read_text()
    assert text.count("\n") < 300
    imports = {
        name for line in text.splitlines() if line.startswith(("import ", "from ")) for name in line.split(maxsplit=1)[1].split(", ")
    }
    assert len(imports) > 5
    assert imports <= set(sys.stdlib_module_names)
    assert not imports & {"socket", "subprocess", "urllib", "http", "ctypes", "pickle"}


def test_the_readme_says_how_and_it_works(bundles, tmp_path):
    folder = bundles["court"].folder
    text = (folder / "README.txt").read_text()
    commands = [
        line.strip().partition("   #")[0]
        for line in text.splitlines()
        if line.startswith(("    sha", "    printf", "    sed", "    openssl p"))
    ]
    assert len(commands) == 7
    script = "set -e\n" + "\n".join(commands).replace("/tmp/sign", f"{tmp_path}/sign")
    told = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=True)
    assert "Signature Verified Successfully" in told.stdout
    key = json.loads((folder / "statement.json").read_text())["predicate"]["key"]
    assert key in told.stdout
    assert key in text


def test_another_library_accepts_the_signature(bundles):
    folder = bundles["court"].folder
    envelope = json.loads((folder / "signature.dsse.json").read_text())
    found = Envelope.from_dict(json.loads(json.dumps(envelope)))
    key = SSlibKey(envelope["signatures"][0]["keyid"], "ed25519", "ed25519", {"public": raw_key(folder)})
    assert found.verify([key], 1)
    assert base64.b64decode(envelope["payload"]) == (folder / "statement.json").read_bytes()


def raw_key(folder: Path) -> str:
    return base64.b64decode("".join((folder / "signer.pem").read_text().splitlines()[1:-1]))[-32:].hex()


@pytest.mark.parametrize("view", VIEWS)
def test_the_same_case_gives_the_same_bytes_and_no_connection_is_opened(bundles, make, view, monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    again = make(view, fresh=True)
    assert again.zip.read_bytes() == bundles[view].zip.read_bytes()
    files = sorted(p.relative_to(again.folder) for p in again.folder.rglob("*") if p.is_file())
    assert all((again.folder / f).read_bytes() == (bundles[view].folder / f).read_bytes() for f in files)
    assert check(again.zip, Pinned()).told["view"] == view


def test_every_view_has_the_same_root(bundles, make):
    roots = {built.case_root for built in (*bundles.values(), make("hr", language="zh"), make("responder", originals=False))}
    assert len(roots) == 1
    assert make("responder", secret=bytes(32)).case_root not in roots


def test_the_root_outlives_a_new_version_of_the_program(bundles, make, monkeypatch):
    monkeypatch.setattr(sbom, "sbom", lambda: {"bomFormat": "CycloneDX"})
    monkeypatch.setattr(sbom, "lock", lambda: b"other==1\n")
    assert make("court", originals=False, fresh=True).case_root == bundles["hr"].case_root


def test_the_zip_is_the_folder(bundles):
    built = bundles["responder"]
    with zipfile.ZipFile(built.zip) as packed:
        held = {name.partition("/")[2]: packed.read(name) for name in packed.namelist()}
    assert held == {p.relative_to(built.folder).as_posix(): p.read_bytes() for p in built.folder.rglob("*") if p.is_file()}


def test_a_full_view_holds_the_originals_and_the_findings_as_they_were(bundles, material):
    data = bundles["court"].folder / "data"
    for name in ("findings.json", "custody.jsonl", "report.html", "policy.toml"):
        assert (data / name).read_bytes() == (material.out / name).read_bytes()
    for original in json.loads((data / "originals.json").read_text()):
        assert hashlib.sha256((bundles["court"].folder / original["bag"]).read_bytes()).hexdigest() == original["sha256"]


def test_originals_can_stay_behind(make):
    folder = make("court", originals=False).folder
    assert not (folder / "data" / "case").exists()
    assert all(len(o["sha256"]) == 64 for o in json.loads((folder / "data" / "originals.json").read_text()))
    assert check(folder, Pinned()).withheld > 10


def test_every_draft_says_that_it_is_one(make):
    for language, mark in (("en", "DRAFT FOR COUNSEL"), ("zh", "供律师使用的草稿")):
        folder = make("counsel", language=language, answer_by="2024-11-01").folder / "data" / "statements"
        assert sorted(p.stem for p in folder.iterdir()) == sorted(DRAFTS)
        assert all(mark in p.read_text().splitlines()[0] for p in folder.iterdir())
        assert "2024-11-01" in (folder / "answer.md").read_text()


def test_the_seven_factors_are_filled_for_each_source(bundles, material):
    text = (bundles["court"].folder / "data" / "statements" / "china-93.md").read_text()
    for source in material.findings["sources"]:
        part = text.partition(f"## Source: {source['name']} ")[2].partition("## Source")[0]
        assert [f"{n}. " in part for n in range(1, 8)] == [True] * 7
        assert f"{source['records']:,} records" in part


def test_the_bill_of_materials_is_of_this_program(bundles):
    told = json.loads((bundles["court"].folder / "data" / "sbom.cdx.json").read_text())
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    names = {c["name"] for c in told["components"]}
    assert {"duckdb", "pyarrow", "cryptography", "cpython", "git"} <= names
    refs = {c["bom-ref"] for c in told["components"]} | {told["metadata"]["component"]["bom-ref"]}
    assert all({d["ref"], *d["dependsOn"]} <= refs for d in told["dependencies"])


def test_a_later_bundle_names_the_earlier_one(bundles, make):
    for earlier in (bundles["hr"].folder, bundles["hr"].zip):
        later = make("hr", replaces=replaced(earlier, sha256))
        told = check(later.folder, Pinned()).told["replaces"]
        assert told["statement_sha256"] == bundles["hr"].statement_sha256
        assert bundles["hr"].statement_sha256 in (later.folder / "README.txt").read_text()


def test_keys_may_be_openssh_or_pem(key, tmp_path):
    pem = tmp_path / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", pem], check=True, capture_output=True)
    assert len(signing.read_key(pem).fingerprint) == len(signing.read_key(key).fingerprint) == 64
    (tmp_path / "none").write_text("no key")
    with pytest.raises(UsageError, match="private key"):
        signing.read_key(tmp_path / "none")


@pytest.mark.skipif(shutil.which("ssh-agent") is None, reason="no ssh-agent here")
def test_an_agent_signs_as_the_key_itself_does(key, tmp_path, monkeypatch):
    place = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", place], stdout=subprocess.DEVNULL)
    try:
        for _ in range(200):
            if (
                subprocess.run(
                    ["ssh-add", "-q", key], env={"SSH_AUTH_SOCK": str(place), "PATH": "/usr/bin:/bin"}, capture_output=True, check=False
                ).returncode
                == 0
            ):
                break
        monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
        by_agent, by_file = signing.read_key(key.with_suffix(".pub")), signing.read_key(key)
        assert signing.envelope(by_agent, b"text") == signing.envelope(by_file, b"text")
    finally:
        agent.terminate()
        agent.wait()


def test_without_an_agent_it_says_so(key, monkeypatch):
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(Exception, match="no ssh agent"):
        signing.read_key(key.with_suffix(".pub"))


def test_what_is_refused(make, bundles, material):
    with pytest.raises(UsageError, match="secret"):
        make("hr", secret=b"short")
    with pytest.raises(UsageError, match="nobody of people"):
        make("subject", people=("p-999",))
    with pytest.raises(UsageError, match="whom this bundle is for"):
        make("subject", people=())


def test_a_changed_original_ends_with_4(material, tmp_path):
    from forensics.case.folder import open_case
    from forensics.case.originals import originals

    shutil.copytree(material.case.root, tmp_path / "case")
    badge = tmp_path / "case" / "evidence" / "badge.csv"
    badge.write_bytes(badge.read_bytes().replace(b"1", b"2", 1))
    case, _ = open_case(tmp_path / "case")
    with pytest.raises(IntegrityError, match="changed since it was examined"):
        gather(material.out, case, originals(case))


def test_the_commands(material, key, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(32))
    target = tmp_path / "out"
    asked = [
        "bundle",
        str(material.out),
        "--for",
        "hr",
        "--out",
        str(target),
        "--key",
        str(key),
        "--secret",
        str(secret),
        "--no-pdf",
        "--time",
        "2024-10-02",
    ]
    told = CliRunner().invoke(main, asked)
    assert told.exit_code == 0, told.stderr
    fingerprint = signing.read_key(key).fingerprint
    for place in (target, tmp_path / "out.zip"):
        told = CliRunner().invoke(main, ["verify", str(place), "--key", fingerprint])
        assert (told.exit_code, told.stdout.splitlines()[0]) == (0, "it holds")
    assert CliRunner().invoke(main, ["verify", str(target), "--key", "0" * 64]).exit_code == 4
    assert CliRunner().invoke(main, asked).exit_code == 2  # it is there already
    (target / "data" / "findings.json").write_bytes(b"{}")
    told = CliRunner().invoke(main, ["verify", str(target)])
    assert (told.exit_code, "data/findings.json" in told.stderr) == (4, True)


def test_views_are_those_of_the_contract():
    assert set(VIEWS) == {"responder", "hr", "counsel", "court", "subject", "partner"}


def test_the_zip_with_sizes_of_64_bits(inside, tmp_path, monkeypatch):
    import io

    from forensics.telling.handoff import zipped

    texts = {"a": b"x" * 100, "b/c": b"", "b/d": bytes(range(256))}
    monkeypatch.setattr(zipped, "_SMALL", 10)
    data = b"".join(zipped.zip_bytes("top", texts, lambda name: [texts[name]]))
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert packed.testzip() is None
        assert {i.filename: packed.read(i) for i in packed.infolist()} == {f"top/{name}": text for name, text in texts.items()}
    big = {f"{n:05d}": b"" for n in range(0x10000)}
    whole = b"".join(inside.zip_of("top", dict.fromkeys(big, io.BytesIO)))
    assert whole == b"".join(zipped.zip_bytes("top", big, lambda _: []))
    with zipfile.ZipFile(io.BytesIO(whole)) as packed:
        assert len(packed.infolist()) == len(big)


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_memo_is_as_pdf_a_wants_it(make, language):
    """PDF/A-3b (ISO 19005-3) in what can be seen without a validator, of which none is to be had from a registry."""
    path = make("hr", language=language).folder / "data" / "memo.pdf"
    told = subprocess.run(["pdfinfo", "-meta", path], capture_output=True, text=True, check=True).stdout
    assert 'pdfaid:part="3" pdfaid:conformance="B"' in told
    assert f"<xmp:CreateDate>{TIME}</xmp:CreateDate>" in told
    told = subprocess.run(["pdfinfo", path], capture_output=True, text=True, check=True).stdout
    assert {"Encrypted:no", "JavaScript:no", "Form:none", "PDFversion:1.7"} <= {line.replace(" ", "") for line in told.splitlines()}
    fonts = subprocess.run(["pdffonts", path], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
    assert fonts
    assert all(re.search(r" yes yes yes +\d+ +0$", font) for font in fonts), (
        fonts
    )  # embedded, a subset, with the letters that its shapes stand for
    data = path.read_bytes()
    packed = [
        zlib.decompressobj().decompress(found) for found in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)
    ]  # whose last byte may look like the line end before it
    assert data[10:14] > b"\x80" * 4  # after the first line a comment of high bytes
    assert re.search(rb"/ID ?\[", data)
    assert any(s[36:40] == b"acsp" and s[16:20] == b"RGB " for s in packed)  # the colour profile
    words = b"\n".join([data, *(s for s in packed if s[36:40] != b"acsp" and s[:4] not in (b"OTTO", b"\0\1\0\0"))])
    assert b"/S/GTS_PDFA1" in words.replace(b" ", b"")
    for banned in (
        b"/JS",
        b"/JavaScript",
        b"/AA",
        b"/OpenAction",
        b"/Launch",
        b"/URI",
        b"/EmbeddedFile",
        b"/Encrypt",
        b"/LZWDecode",
        b"/SMask",
        b"/Ref ",
    ):
        assert banned not in words, banned


NAMES = (
    "a\x1b[31m.log",
    "\u202egpj.exe",
    "100%.csv",
    "what:is*this?",
    "trailing.",
    " blank",
    "CON",
    "x" * 150,
    "b\udcff.bin",
    "日志.txt",
    "a\\b",
    "line\nend",
)


def test_names_that_some_system_cannot_keep_get_a_number(tmp_path):
    from forensics.case.repeat import _name
    from forensics.evidence import collect
    from forensics.model import CaseConfig, SourceConfig
    from forensics.telling.handoff.material import _original, _originals

    (tmp_path / "logs").mkdir()
    for name in (*NAMES, "plain.log", "PLAIN.log"):
        (tmp_path / "logs" / name).write_bytes(name.encode("utf-8", "surrogateescape"))
    case = CaseConfig(str(tmp_path), "c", "", "UTC", (0, 1), (SourceConfig("s", "table", "logs"),))
    evidence = collect(case, case.sources[0])
    noted = {f"s/{f.file}": hashlib.sha256(Path(f.path).read_bytes()).hexdigest() for f in evidence.files}
    found = list(_originals(case, [evidence], noted))
    assert len({o.bag.lower() for o in found}) == len(NAMES) + 2
    assert sum(o.bag.startswith("data/case-renamed/") for o in found) == len(NAMES) + 1
    assert all(o.bag.isascii() and o.bag.isprintable() for o in found)
    assert sorted(str(_name(_original(o))) for o in found) == sorted(o.name for o in found)
