"""The commands that ask an examination: timeline, trace, show."""

import csv
import gzip
import io
import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from forensics.cli import main
from forensics.errors import Exit

HOSTILE = "\x1b[31mred\u202egpj.exe\u200b\x9b"
SHOWN = "\\x1b[31mred\\u202egpj.exe\\u200b\\x9b"
COMMIT = "git:train@3f2c" + "a" * 36


def ask(command: str, examined, *arguments: str, **extra: bool) -> Result:
    return CliRunner().invoke(main, [command, str(examined.out), *arguments], **extra)


def actions(found: Result) -> list[str]:
    assert found.exit_code == 0, found.stderr
    return [json.loads(row)["action"] for row in found.stdout.splitlines()]


# --- timeline ---------------------------------------------------------------------------------------------------


def test_events_come_in_order_of_time_those_without_last(examined):
    found = ask("timeline", examined, "--format", "jsonl")
    expected = ["code.commit", "code.push", "person.present", "log.message", "job.launch", "object.write", "session.ssh.open"]
    assert actions(found) == expected
    assert "7 events" in found.stderr


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--action", "code"], ["code.commit", "code.push"]),
        (["--action", "code.push"], ["code.push"]),
        (["--action", "c*.push", "--action", "job.launch"], ["code.push", "job.launch"]),
        (["--actor", "gitlab:mei"], ["code.push"]),
        (["--actor", "email:*"], ["code.commit"]),
        (["--actor", "%"], []),
        (["--object", COMMIT], ["code.commit", "code.push"]),
        (["--object", "s3://models/a?versionId=1"], ["object.write"]),
        (["--source", "logs", "--action", "job"], ["job.launch"]),
        (["--from", "2024-06-12T01:32:00Z"], ["job.launch", "object.write"]),
        (["--from", "2024-06-12T09:32:00", "--timezone", "Asia/Shanghai"], ["job.launch", "object.write"]),
        (["--to", "2024-06-12T01:30:00Z"], ["code.commit", "code.push"]),
        (["--to", "2024-06-11"], []),
        (["--from", "2024-06-12", "--to", "2024-06-12", "--limit", "1"], ["code.commit"]),
        (["--object", "git:models@3f2d*"], ["code.push"]),
        (["--object", "git:models#refs/heads/*"], ["code.push"]),
        (["--object", "' OR 1=1 --"], []),
    ],
)
def test_events_by_what_is_asked_of_them(examined, options: list[str], expected: list[str]):
    assert actions(ask("timeline", examined, "--format", "jsonl", *options)) == expected


def test_the_table_says_when_there_is_more(examined):
    found = ask("timeline", examined, "--limit", "2")
    assert len(found.stdout.splitlines()) == 4
    assert "2 of 7 events" in found.stderr
    assert ask("timeline", examined, "-q", "--limit", "2").stderr == ""


def test_each_row_has_a_reference_that_show_takes(examined):
    rows = [json.loads(row) for row in ask("timeline", examined, "--format", "jsonl").stdout.splitlines()]
    for row in rows:
        assert ask("show", examined, row["ref"]).exit_code == 0
        assert re.fullmatch("[0-9a-f]{64}", row["sha256"])


def test_hostile_text_in_a_table_and_a_spreadsheet(examined):
    table = ask("timeline", examined).stdout
    assert "\\x1b[31mred" in table
    assert "\x1b" not in table
    rows = csv.DictReader(io.StringIO(ask("timeline", examined, "--format", "csv").stdout, newline=""))
    assert ("'=1+1", SHOWN) in [(row["object"], row["actor"]) for row in rows]


def test_parquet_and_timesketch_on_stdout(examined):
    found = ask("timeline", examined, "--format", "parquet")
    assert pq.read_table(io.BytesIO(found.stdout_bytes)).num_rows == 7
    found = ask("timeline", examined, "--format", "timesketch")
    assert len(found.stdout.splitlines()) == 6
    assert "1 of them without a time" in found.stderr


@pytest.mark.parametrize("options", [["--from", "never"], ["--timezone", "Mars/Olympus"], ["--format", "xml"], ["--to", "2024-13-01"]])
def test_questions_that_make_no_sense_are_wrong_use(examined, options: list[str]):
    found = ask("timeline", examined, *options)
    assert (found.exit_code, found.stdout) == (Exit.USAGE, "")


# --- trace ------------------------------------------------------------------------------------------------------


def test_back_shows_what_led_to_it_and_forward_what_came_of_it(examined):
    found = ask("trace", examined, "slurm:gpu/1")
    assert found.exit_code == 0
    back, forward = found.stdout.split("what came of it:")
    assert f"{COMMIT}  [job-commits, inferred, 2024-06-12T01:32:00Z]  logs/a.jsonl.gz#bytes=" in back
    assert "event:0 2024-06-12T01:30:00Z code.push by gitlab:mei  [pushed-commits, recorded" in back
    assert "s3://models/a?versionId=1  [job-objects, recorded, 2 times, 2024-06-12T01:33:00Z to 2024-06-12T01:34:00Z]" in forward
    assert SHOWN in forward
    assert "\x1b" not in found.stdout


def test_one_way_alone(examined):
    assert "what came of it" not in ask("trace", examined, "--back", "slurm:gpu/1").stdout
    assert "what led to it" not in ask("trace", examined, "--forward", "slurm:gpu/1").stdout


def test_the_walk_keeps_to_time(examined):
    back = ask("trace", examined, "--back", "s3://models/a?versionId=1").stdout
    assert "slurm:gpu/1" in back
    assert "s3://models/later" not in back  # the job read it after it had written
    forward = ask("trace", examined, "--forward", "s3://models/later").stdout
    assert "slurm:gpu/1" in forward
    assert "s3://models/a" not in forward


def test_cycles_and_repeats_are_cut_with_a_note(examined):
    found = ask("trace", examined, "--back", "--depth", "20", COMMIT)
    assert found.exit_code == 0
    assert "(a cycle: it stands above)" in found.stdout


def test_depth_and_width(examined):
    found = ask("trace", examined, "--forward", "--depth", "1", "gitlab:mei")
    assert "event:1" in found.stdout
    assert COMMIT not in found.stdout
    assert "--depth goes further" in found.stderr
    assert "... and 1 more" in ask("trace", examined, "--forward", "--width", "1", "gitlab:mei").stdout


@pytest.mark.parametrize("name", ["3f2ca", "git:train@3f2ca", COMMIT])
def test_a_commit_by_the_first_digits_of_its_id(examined, name: str):
    assert ask("trace", examined, name).stdout.startswith(COMMIT)


def test_digits_that_several_commits_begin_with(examined):
    found = ask("trace", examined, "3f2")
    assert found.exit_code == Exit.FAILED
    found = ask("trace", examined, "git:train@3f2c")
    assert found.exit_code == 0


def test_an_event_and_an_account_are_objects_too(examined):
    assert "gitlab:mei" in ask("trace", examined, "event:0").stdout
    assert ask("trace", examined, "unix:mei").exit_code == 0


def test_what_nobody_names_is_1_with_the_nearest(examined):
    found = ask("trace", examined, "slurm:gpu/2")
    assert (found.exit_code, found.stdout) == (Exit.FAILED, "")
    assert "slurm:gpu/1" in found.stderr
    assert "\x1b" not in found.stderr


def test_times_in_a_zone(examined):
    assert "2024-06-12T09:30:00+08:00" in ask("trace", examined, "--timezone", "Asia/Shanghai", COMMIT).stdout


# --- show -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ref", "words"),
    [
        ("gz", '{"says": "packed two"}'),
        ("zst", '{"says": "zst one"}'),
        ("row", '"card":"c2"'),
        ("people", "p-1,Mei"),
        ("plain", f"who={SHOWN} \\xff end"),
        ("git", f"blob {SHOWN}"),
    ],
)
def test_the_bytes_behind_each_kind_of_reference(examined, ref: str, words: str):
    found = ask("show", examined, examined.refs[ref])
    assert found.exit_code == 0, found.stderr
    assert words in found.stdout
    assert f"reference: {examined.refs[ref]}\n" in found.stdout
    assert re.search("sha256:    [0-9a-f]{64}", found.stdout)
    assert "\x1b" not in found.stdout
    assert found.stderr == ""


def test_a_row_keeps_its_nanoseconds(examined):
    assert "01:30:01.000000001" in ask("show", examined, examined.refs["row"]).stdout


def test_raw_bytes_go_to_stdout_alone(examined):
    found = ask("show", examined, "--raw", examined.refs["plain"])
    assert found.stdout_bytes == b"who=" + HOSTILE.encode() + b" \xff end\n"
    assert "sha256:" in found.stderr
    assert ask("show", examined, "--raw", examined.refs["git"]).stdout_bytes == b"blob 28\x00blob " + HOSTILE.encode()
    assert ask("show", examined, "--raw", "-q", examined.refs["plain"]).stderr == ""


def test_hexadecimal(examined):
    found = ask("show", examined, "--hex", examined.refs["plain"])
    assert "00000000  77 68 6f 3d 1b 5b" in found.stdout
    assert "|who=.[31mred" in found.stdout


@pytest.mark.parametrize("ref", ["plain", "gz", "zst", "row", "people"])
def test_evidence_that_changed_is_4_and_is_not_shown(examined, ref: str):
    changed = {
        "plain": "evidence/plain.log",
        "gz": "evidence/logs/a.jsonl.gz",
        "zst": "evidence/logs/b#1.jsonl.zst",
        "row": "evidence/badge.parquet",
        "people": "people.csv",
    }
    with (examined.case / changed[ref]).open("ab") as stream:
        stream.write(b"x")
    found = ask("show", examined, examined.refs[ref])
    assert (found.exit_code, found.stdout) == (Exit.INTEGRITY, "")
    assert "SHA-256 was" in found.stderr


def test_an_object_that_its_id_does_not_cover_is_4(examined):
    _, _, object_id = examined.refs["git"].partition("=")
    path = examined.out / "work" / "train.git" / "objects" / object_id[:2] / object_id[2:]
    path.chmod(0o644)
    other = examined.out / "work" / "train.git" / "objects" / "pack"
    assert other.is_dir()
    import zlib

    path.write_bytes(zlib.compress(b"blob 1\x00x"))
    found = ask("show", examined, examined.refs["git"])
    assert found.exit_code in (Exit.FAILED, Exit.INTEGRITY)  # git may see it first
    assert found.stdout == ""


@pytest.mark.parametrize(
    "ref",
    [
        "plain",
        "plain#",
        "plain#bytes=1",
        "plain#bytes=9-3",
        "nowhere#bytes=0-1",
        "plain#git=abc",
        "#bytes=0-1",
        "plain#bytes=0-99999999999999",
    ],
)
def test_what_is_no_reference_is_wrong_use(examined, ref: str):
    found = ask("show", examined, ref)
    assert (found.exit_code, found.stdout) == (Exit.USAGE, "")


@pytest.mark.parametrize(
    "ref", ["plain#bytes=0-5000", "badge#table=badge;row=9", "logs/../plain.log#bytes=0-1", "logs/none#bytes=0-1", "train#git=" + "a" * 40]
)
def test_what_is_not_there_is_1(examined, ref: str):
    found = ask("show", examined, ref)
    assert (found.exit_code, found.stdout) == (Exit.FAILED, "")


def test_files_that_intake_did_not_see_are_never_opened(examined):
    (examined.case / "evidence" / "logs" / "secret").write_text("x")
    assert ask("show", examined, "logs/secret#bytes=0-1").exit_code == Exit.FAILED


def test_a_file_that_became_a_link_is_not_followed(examined, tmp_path: Path):
    place = examined.case / "evidence" / "logs" / "a.jsonl.gz"
    (tmp_path / "elsewhere").write_bytes(gzip.compress(b"secret"))
    place.unlink()
    place.symlink_to(tmp_path / "elsewhere")
    assert ask("show", examined, examined.refs["gz"]).exit_code == Exit.UNREADABLE


def test_a_case_that_was_moved(examined, tmp_path: Path):
    examined.case.rename(tmp_path / "moved")
    found = ask("show", examined, examined.refs["gz"])
    assert found.exit_code == Exit.UNREADABLE
    assert "--case" in found.stderr
    assert ask("show", examined, examined.refs["gz"], "--case", str(tmp_path / "moved")).exit_code == 0


def test_an_examination_that_was_not_finished_says_so(examined):
    (examined.out / "findings.json").unlink()
    found = ask("timeline", examined)
    assert found.exit_code == 0
    assert "was not finished" in found.stderr
