"""Whatever is changed in a bundle is found by both programs: by the one in the bundle, and by `forensics verify`."""

import hashlib
import json
import random
import shutil
from pathlib import Path

import pytest

from forensics import custody
from forensics.errors import IntegrityError
from forensics.telling.handoff.bag import KINDS
from forensics.telling.handoff.checking import Pinned, check
from forensics.telling.handoff.commitments import canonical, commitment, tree
from forensics.telling.handoff.zipped import zip_bytes


@pytest.fixture
def found(inside, capsys):
    """Give a function that says what each of the two programs finds wrong; empty where it holds."""

    def both(place: Path, *, head: str | None = None) -> tuple[str, str]:
        code = inside.main([str(place), *(["--head", head] if head else [])])
        one = capsys.readouterr().out
        assert (code == 4) == one.startswith("WRONG")
        try:
            check(place, Pinned(head=head))
        except IntegrityError as error:
            return one if code else "", str(error)
        return one if code else "", ""

    return both


@pytest.fixture(scope="module")
def small(make):
    """A full bundle without originals, and a redacted one."""
    return {"court": make("court", originals=False), "hr": make("hr")}


@pytest.mark.parametrize("view", ["court", "hr"])
def test_a_flipped_bit_in_any_file(small, found, tmp_path, view):
    folder = tmp_path / "bag"
    shutil.copytree(small[view].folder, folder)
    dice = random.Random(f"flip {view}")
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        whole = path.read_bytes()
        place = dice.randrange(len(whole))
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << dice.randrange(8)]) + whole[place + 1 :])
        one, two = found(folder)
        assert one, f"{path}, byte {place}"
        assert two, f"{path}, byte {place}"
        path.write_bytes(whole)
    assert found(folder) == ("", "")


@pytest.mark.parametrize("name", ["statement.json", "signature.dsse.json", "tagmanifest-sha512.txt", "signer.pem", "bag-info.txt"])
def test_every_byte_of_what_holds_the_rest_together(small, found, tmp_path, name):
    folder = tmp_path / "bag"
    shutil.copytree(small["hr"].folder, folder)
    dice, whole = random.Random(name), (folder / name).read_bytes()
    for place in dice.sample(range(len(whole)), min(8, len(whole))):
        (folder / name).write_bytes(whole[:place] + bytes([whole[place] ^ 1 << dice.randrange(8)]) + whole[place + 1 :])
        assert all(found(folder)), place


def test_a_flipped_bit_anywhere_in_the_zip(small, found, tmp_path):
    whole, dice, place = small["hr"].zip.read_bytes(), random.Random("zip"), tmp_path / "bag.zip"
    listing = whole.rfind(b"PK\x01\x02")
    spots = [*dice.sample(range(len(whole)), 20), *dice.sample(range(listing, len(whole)), 12), *range(0, 30, 3)]
    for spot in spots:
        place.write_bytes(whole[:spot] + bytes([whole[spot] ^ 1 << dice.randrange(8)]) + whole[spot + 1 :])
        assert all(found(place)), spot
    for other in (whole[:-1], whole + b"\0", b"\0" + whole, whole[1:]):
        place.write_bytes(other)
        assert all(found(place))


def delete(folder: Path) -> None:
    (folder / "data" / "exculpatory.md").unlink()


def delete_signature(folder: Path) -> None:
    (folder / "signature.dsse.json").unlink()


def delete_a_list(folder: Path) -> None:
    (folder / "tagmanifest-sha512.txt").unlink()


def add(folder: Path) -> None:
    (folder / "data" / "more.txt").write_text("more")


def add_beside(folder: Path) -> None:
    (folder / "more.txt").write_text("more")


def add_a_folder(folder: Path) -> None:
    (folder / "data" / "more").mkdir()


def rename(folder: Path) -> None:
    (folder / "data" / "memo.html").rename(folder / "data" / "memorandum.html")


def swap(folder: Path) -> None:
    one, two = folder / "data" / "method.md", folder / "data" / "limitations.md"
    texts = one.read_bytes(), two.read_bytes()
    one.write_bytes(texts[1])
    two.write_bytes(texts[0])


def link(folder: Path) -> None:
    place = folder / "data" / "method.md"
    shutil.copy(place, folder.parent / "elsewhere")
    place.unlink()
    place.symlink_to(folder.parent / "elsewhere")


def reorder_a_list(folder: Path) -> None:
    place = folder / "manifest-sha256.txt"
    lines = place.read_text().splitlines(keepends=True)
    place.write_text("".join([lines[1], lines[0], *lines[2:]]))
    listed_anew(folder)


def reorder_commitments(folder: Path) -> None:
    place = folder / "commitments.jsonl"
    lines = place.read_text().splitlines(keepends=True)
    place.write_text("".join([lines[1], lines[0], *lines[2:]]))
    listed_anew(folder)


def change_a_list_and_all_above_it(folder: Path) -> None:
    (folder / "data" / "exculpatory.md").write_text("nothing\n")
    listed_anew(folder)


CHANGES = (delete, delete_signature, delete_a_list, add, add_beside, add_a_folder, rename, swap, link, reorder_a_list, reorder_commitments, change_a_list_and_all_above_it)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_files_that_are_not_as_they_were(small, found, tmp_path, change):
    folder = tmp_path / "bag"
    shutil.copytree(small["court"].folder, folder)
    change(folder)
    assert all(found(folder))


def test_files_in_another_order_in_the_zip(small, found, tmp_path):
    import zipfile

    place = tmp_path / "bag.zip"
    with zipfile.ZipFile(small["hr"].zip) as whole, zipfile.ZipFile(place, "w") as made:
        for info in reversed(whole.infolist()):
            made.writestr(info, whole.read(info))
    assert all(found(place))


# --- somebody makes all else fit -------------------------------------------------------------------------------------------


def listed_anew(folder: Path) -> None:
    """Write the lists anew, so that they fit the files."""
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    tags = [n for n in files if not n.startswith(("data/", "tagmanifest-", "statement", "signature", "timestamp", "manifest-"))]
    for kind in KINDS:
        if not (folder / f"manifest-{kind}.txt").exists() or kind == "sha512":
            write_list(folder, f"manifest-{kind}.txt", kind, [n for n in files if n.startswith("data/")])
    for kind in KINDS:
        write_list(folder, f"tagmanifest-{kind}.txt", kind, sorted([*tags, "manifest-sha256.txt", "manifest-sha512.txt"]))


def write_list(folder: Path, name: str, kind: str, files: list[str]) -> None:
    (folder / name).write_text("".join(f"{hashlib.new(kind, (folder / f).read_bytes()).hexdigest()}  {f}\n" for f in files))


def forged(folder: Path, *, head: str, entries: int) -> None:
    """Write the lists, roots and statement anew after data/custody.jsonl was changed, as whoever holds an unsigned bundle can."""
    (folder / "manifest-sha256.txt").unlink()
    lines = [json.loads(line) for line in (folder / "commitments.jsonl").read_text().splitlines()]
    listed_anew(folder)
    payload = {n: h for h, n in (line.split("  ") for line in (folder / "manifest-sha256.txt").read_text().splitlines())}
    from forensics.telling.handoff.checking import _document_root
    from forensics.telling.handoff.opening import document, opened

    leaves = []
    with opened(folder) as files:
        for line in lines:
            if "leaf" in line:
                leaves.append(bytes.fromhex(line["leaf"]))
                continue
            name = line["path"]
            whole = _document_root(document(files, name), name, line)[0] if "key" in line else bytes.fromhex(payload[name])
            leaves.append(commitment(bytes.fromhex(line["salt"]), name, whole))
    statement = json.loads((folder / "statement.json").read_text())
    told = statement["predicate"]
    told |= {"case_root": tree(leaves).hex(), "custody_head": head, "custody_entries": entries}
    told["content_root"] = tree(commitment(b"", n, bytes.fromhex(payload[n])) for n in sorted(payload)).hex()
    for subject in statement["subject"]:
        subject["digest"]["sha256"] = hashlib.sha256((folder / subject["name"]).read_bytes()).hexdigest()
    (folder / "statement.json").write_bytes(canonical(statement))


def cut(folder: Path) -> tuple[str, str]:
    """Take the last entries off the custody log; return the head that it had and the one that it has now."""
    log = folder / "data" / "custody.jsonl"
    before = custody.verify(log)
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:-2]))
    after = custody.verify(log)
    forged(folder, head=after, entries=len(log.read_text().splitlines()))
    return before, after


def test_a_custody_log_cut_short_in_a_signed_bundle(small, found, tmp_path):
    folder = tmp_path / "bag"
    shutil.copytree(small["court"].folder, folder)
    before, after = cut(folder)
    assert before != after
    assert all(found(folder))


def test_a_custody_log_cut_short_in_an_unsigned_bundle_is_found_by_an_outside_head_and_else_said_to_be_undetectable(
    make, found, inside, tmp_path, capsys
):
    folder = tmp_path / "bag"
    shutil.copytree(make("court", originals=False, signer=None).folder, folder)
    before, after = cut(folder)
    assert all(found(folder, head=before))
    assert found(folder, head=after) == ("", "")
    assert found(folder) == ("", "")  # nothing in the world can tell: so both say that
    inside.main([str(folder)])
    assert "could not be told" in capsys.readouterr().out
    assert any("could not be told" in note for note in check(folder, Pinned()).notes)


def test_a_custody_log_cut_short_in_the_examination_is_never_bundled(material, tmp_path):
    from forensics.case.originals import originals
    from forensics.errors import ForensicsError
    from forensics.telling.handoff.material import gather

    out = tmp_path / "out"
    shutil.copytree(material.out, out, ignore=shutil.ignore_patterns("work"))
    log = out / "custody.jsonl"
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(ForensicsError, match="did not note"):
        gather(out, material.case, originals(material.case))


def test_a_ratio_that_its_records_do_not_give(make, found, tmp_path):
    folder = tmp_path / "bag"
    shutil.copytree(make("court", originals=False, signer=None).folder, folder)
    findings = folder / "data" / "findings.json"
    text = findings.read_text()
    assert '"low": 1.63' in text
    findings.write_text(text.replace('"low": 1.63', '"low": 16.3'))
    log = folder / "data" / "custody.jsonl"
    forged(folder, head=custody.verify(log), entries=len(log.read_text().splitlines()))
    one, two = found(folder)
    assert "arithmetic gives 1.63" in one
    assert "arithmetic gives 1.63" in two


def test_a_value_behind_a_commitment_cannot_be_exchanged(small, found, tmp_path):
    folder = tmp_path / "bag"
    shutil.copytree(small["hr"].folder, folder)
    place = folder / "data" / "findings.json"
    place.write_text(place.read_text().replace('"rung": "account"', '"rung": "session"'))
    (folder / "manifest-sha256.txt").unlink()
    listed_anew(folder)
    assert all(found(folder))


def test_the_zip_of_a_changed_folder(small, found, tmp_path):
    folder, place = tmp_path / "bag", tmp_path / "bag.zip"
    shutil.copytree(small["hr"].folder, folder)
    swap(folder)
    names = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
    place.write_bytes(b"".join(zip_bytes("top", names, lambda name: [(folder / name).read_bytes()])))
    assert all(found(place))
