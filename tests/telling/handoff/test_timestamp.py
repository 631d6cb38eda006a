"""Time stamps of a real authority: openssl, behind a server on the loopback."""

import hashlib
import http.server
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from forensics.errors import ForensicsError, IntegrityError, UsageError
from forensics.telling.handoff import timestamp
from forensics.telling.handoff.checking import Pinned, check

CONFIG = """
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[stamp]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
default_tsa = authority
[authority]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


@dataclass(frozen=True)
class Authority:
    url: str
    root: Path


def ssl(place: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=place, check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    place = tmp_path_factory.mktemp("authority")
    (place / "config").write_text(CONFIG)
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    ssl(
        place,
        "req",
        "-x509",
        *key,
        "-keyout",
        "root.key",
        "-out",
        "root.pem",
        "-subj",
        "/CN=Root",
        "-days",
        "30",
        "-config",
        "config",
        "-extensions",
        "ca",
    )
    ssl(place, "req", "-new", *key, "-keyout", "stamp.key", "-out", "stamp.csr", "-subj", "/CN=Stamps", "-config", "config")
    ssl(place, "x509", "-req", "-in", "stamp.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-out", "stamp.pem", "-days", "30", "-extfile", "config", "-extensions", "stamp")  # fmt: skip
    (place / "serial").write_text("01")

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            (place / "asked").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            ssl(
                place,
                "ts",
                "-reply",
                "-queryfile",
                "asked",
                "-signer",
                "stamp.pem",
                "-inkey",
                "stamp.key",
                "-config",
                "config",
                "-out",
                "answer",
            )
            data = b"no time stamp" if self.path == "/broken" else (place / "answer").read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Authority(f"http://127.0.0.1:{server.server_port}/", place / "root.pem")
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def stamped(make, authority):
    return make("hr", stamp=lambda text: timestamp.asked(authority.url, text))


def test_a_stamped_bundle_holds(stamped, authority, inside, capsys):
    for place in (stamped.folder, stamped.zip):
        assert inside.main([str(place)]) == 0, capsys.readouterr().out
        assert check(place, Pinned(authority=authority.root)).stamped
    assert any("is not checked without" in note for note in check(stamped.folder, Pinned()).notes)


def test_the_time_stands_outside_the_root(stamped, make):
    plain = make("hr")
    said, bare = (json.loads((b.folder / "statement.json").read_bytes())["predicate"] for b in (stamped, plain))
    assert (stamped.case_root, said["content_root"]) == (plain.case_root, bare["content_root"])
    assert {k for k in said if said[k] != bare[k]} == {
        "stamped"
    }  # that one was asked for is told, so that none can be put in or taken away


def test_openssl_agrees_as_the_readme_says(stamped, authority):
    told = (stamped.folder / "README.txt").read_text()
    (command,) = [line.strip() for line in told.splitlines() if line.startswith("    openssl ts")]
    run = subprocess.run(
        command.replace("AUTHORITY.pem", str(authority.root)).split(), cwd=stamped.folder, capture_output=True, text=True, check=False
    )
    assert (run.returncode, "Verification: OK" in run.stdout) == (0, True)


def test_any_change_of_the_stamp_is_found(stamped, authority, inside, capsys, tmp_path):
    folder = tmp_path / "bag"
    shutil.copytree(stamped.folder, folder)
    token = folder / "timestamp.tsr"
    whole = token.read_bytes()
    for place in range(0, len(whole), 149):
        token.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        assert inside.main([str(folder)]) == 4
        with pytest.raises(IntegrityError):
            check(folder, Pinned())
    token.unlink()
    assert inside.main([str(folder)]) == 4
    with pytest.raises(IntegrityError):
        check(folder, Pinned())
    capsys.readouterr()


def test_a_stamp_that_was_put_in_or_taken_away_is_found(stamped, make, inside, capsys, tmp_path):
    taken, put = tmp_path / "taken", tmp_path / "put"
    shutil.copytree(stamped.folder, taken)
    shutil.copytree(make("hr").folder, put)
    for name in ("timestamp.tsr", "timestamp.tsr.sha256"):
        (taken / name).unlink()
    made_up = b"made up " + hashlib.sha256((put / "statement.json").read_bytes()).digest()
    (put / "timestamp.tsr").write_bytes(made_up)
    (put / "timestamp.tsr.sha256").write_text(f"{hashlib.sha256(made_up).hexdigest()}  timestamp.tsr\n")
    for folder in (taken, put):
        assert inside.main([str(folder)]) == 4
        with pytest.raises(IntegrityError, match=r"timestamp\.tsr"):
            check(folder, Pinned())
    capsys.readouterr()


def test_another_authority_is_refused(stamped, tmp_path):
    (tmp_path / "config").write_text(CONFIG)
    ssl(tmp_path, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "k", "-out", "other.pem", "-subj", "/CN=Other", "-config", "config", "-extensions", "ca")  # fmt: skip
    with pytest.raises(IntegrityError, match="does not hold"):
        check(stamped.folder, Pinned(authority=tmp_path / "other.pem"))


def test_an_unstamped_bundle_is_not_passed_off_as_stamped(bundles, authority):
    with pytest.raises(IntegrityError, match="missing"):
        check(bundles["hr"].folder, Pinned(authority=authority.root))


def test_answers_that_are_none(authority, make):
    with pytest.raises(ForensicsError, match="gave no time stamp"):
        timestamp.asked(authority.url + "broken", b"text")
    with pytest.raises(ForensicsError, match="gave no time stamp"):
        timestamp.asked("http://127.0.0.1:9/", b"text")
    with pytest.raises(UsageError, match="no address"):
        timestamp.asked("file:///etc/passwd", b"text")
