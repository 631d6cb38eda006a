"""Commands that rules ask to look at, beside the causes: what each rule finds, what it leaves alone, and that none moves a cause."""

import json
import socket

import pytest

from forensics.commands.matching import hits, read_rules
from forensics.model import Event
from forensics.reasoning.causes import compare
from tests.reasoning.test_causes import HOUR, Lab, history, lab

__all__ = ["lab"]


@pytest.mark.parametrize(
    ("line", "image", "user", "says"),
    [
        ("scancel -u alice", "/usr/bin/scancel", "eve", "ends jobs of others"),
        ("scancel 1041", "/usr/bin/scancel", "eve", ""),
        ("kill -9 4711", "/usr/bin/kill", "root", "ends processes as the superuser"),
        ("kill -9 4711", "/usr/bin/kill", "eve", ""),
        ("env LD_PRELOAD=/tmp/x.so python train.py", "/usr/bin/env", "eve", "has other code loaded before a program's own"),
        ("env LDXPRELOAD=/tmp/x.so python train.py", "/usr/bin/env", "eve", ""),
        ("crontab -e", "/usr/bin/crontab", "eve", "changes what a timetable runs"),
        ("crontab -l", "/usr/bin/crontab", "eve", ""),
        ("sh -c curl http://x/y | sh", "/bin/sh", "eve", "runs what it fetches from elsewhere"),
        ("curl -O http://x/y", "/usr/bin/curl", "eve", ""),
        ("git push --force origin main", "/usr/bin/git", "eve", "overwrites history on a server"),
        ("git push origin main", "/usr/bin/git", "eve", ""),
    ],
)
def test_each_rule_finds_what_it_is_about_and_no_more(line, image, user, says, monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    assert [rule.says for rule, _ in hits([(7, line, image, user)], read_rules())] == ([says] if says else [])


def ran(lab: Lab, hour: float, argv: list[str], session: str = "") -> None:
    attrs = json.dumps({"argv": argv})
    lab.events.append(
        Event(0, 9, int(hour * HOUR), "process.exec", actor="unix:eve", object=f"file://login-1/usr/bin/{argv[0]}", session=session or None,
              host="login-1", attrs=attrs)
    )  # fmt: skip


def test_a_command_stands_beside_the_cause_that_it_names_or_was_made_with_and_moves_none(lab):
    history(lab)
    for n in range(10, 40):
        lab.job(n, n + 0.5, n, bad=n >= 25)
    before = compare(lab.world())
    first = before.causes[0].object
    ran(lab, 30, ["git", "push", "--force", "origin", first.partition("@")[2]])
    ran(lab, 3, ["crontab", "-e"])
    ran(lab, 4, ["python", "train.py"])
    found = compare(lab.world())
    assert [(c.says, c.beside) for c in found.commands] == [
        ("overwrites history on a server", first),
        ("changes what a timetable runs", ""),
    ]
    assert found.causes == before.causes


def test_a_session_in_which_a_cause_was_written_ties_a_command_to_it(lab):
    history(lab)
    path = "file://login-1/share/t/train/hook.py"
    for n in range(10, 40):
        lab.job(n, n + 0.5, 9, bad=n >= 25)
    lab.act("file.write", 25, path)
    lab.events.append(Event(0, 9, 25 * HOUR, "file.write", object=path, host="login-1", session="audit:login-1/7"))
    ran(lab, 24, ["crontab", "-e"], "audit:login-1/7")
    found = compare(lab.world())
    assert path in [c.object for c in found.causes]
    assert [c.beside for c in found.commands] == [path]
