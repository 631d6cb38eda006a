"""What hosts' logs say, and in which year."""

import datetime as dt
import json

import pytest

from forensics import times
from forensics.sources.syslog import years

HEAD = b"2024-06-12T09:30:00+08:00 login-1 "


def _one(read, message: bytes, **keys):
    found = read("syslog", HEAD + message + b"\n", **keys)
    assert not found.rejects
    (event,) = found.events
    return event


@pytest.mark.parametrize("program", [b"sshd[7]", b"sshd-session[7]"])
def test_who_came_in(read, program):
    event = _one(read, program + b": Accepted publickey for mei from 10.0.0.9 port 5 ssh2: ED25519 SHA256:abc")
    assert (event.action, event.actor, event.credential, event.ip) == ("session.ssh.open", "unix:mei", "ssh-key:SHA256:abc", "ip:10.0.0.9")
    assert event.session == "ssh:login-1/7"


def test_the_declared_host_comes_first(read):
    event = _one(read, b"sshd[7]: Accepted password for mei from 10.0.0.9 port 5 ssh2", host="gate.lab.example")
    assert (event.host, event.session) == ("gate.lab.example", "ssh:gate.lab.example/7")


@pytest.mark.parametrize(
    "message",
    [
        b"sshd[7]: Invalid user mei from 10.0.0.1 port 22 ssh2: RSA SHA256:abc from 203.0.113.9 port 5",
        b"sshd[7]: Failed password for invalid user Accepted publickey for mei from 10.0.0.1 port 22 from 203.0.113.9 port 5 ssh2",
        b"sshd[7]: Invalid user Accepted publickey for root from 10.0.0.1 from 203.0.113.9 port 5",
    ],
)
def test_a_name_that_imitates_a_login_is_a_name(read, message):
    event = _one(read, message)
    assert (event.action, event.actor, event.credential, event.ip) == ("session.ssh.fail", None, None, "ip:203.0.113.9")
    assert event.claimed


def test_a_sudo_that_was_refused_did_not_run(read):
    event = _one(read, b"sudo: kai : command not allowed ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh")
    assert (event.action, event.actor, event.target, event.outcome) == ("process.exec", "unix:kai", "unix:root", "failed")
    assert json.loads(event.attrs)["success"] is False


@pytest.mark.parametrize("size", [1, 50, 200_000])
def test_hostile_messages_take_no_time(read, size):
    for part in (b" from ", b" ; A=1", b"tty=", b" by (uid=", b" user x 1 port "):
        for start in (
            b"sshd[7]: Failed x for ",
            b"sudo: x : TTY=1",
            b"sshd[7]: pam_unix(sshd:auth): authentication failure; ",
            b"sshd[7]: Disconnected from user ",
        ):
            assert len(read("syslog", HEAD + start + part * (size // len(part) + 1) + b"\n").events) == 1


# --- years ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "month", "year"),
    [
        ((2023, 12), 1, 2024),
        ((2024, 1), 12, 2023),
        ((2023, 12), 12, 2023),
        ((2023, 3), 2, 2023),
        ((2023, 11), 2, 2024),
        ((2023, 1), 7, 2023),
        ((2023, 10), 1, 2024),
    ],
)
def test_the_year_that_is_closest(before, month, year):
    assert years.next_year(before, month) == year


def _log(days: int, first: dt.datetime, lines: int) -> bytes:
    """Make a log of so many days, that many lines a day."""
    found = []
    for n in range(days * lines):
        when = first + dt.timedelta(seconds=n * 86400 // lines)
        found.append(f"{when:%b} {when.day:2d} {when:%H:%M:%S} gpu-1 app[{n}]: line\n")
    return "".join(found).encode()


@pytest.mark.parametrize("size", [1 << 10, 1 << 14, 1 << 20])
def test_the_year_goes_on_from_piece_to_piece(read, monkeypatch, size):
    monkeypatch.setattr("forensics.records.PIECE", size)
    monkeypatch.setattr(years, "SAMPLE", 1 << 10)
    first = dt.datetime(2022, 11, 3, tzinfo=dt.UTC)
    found = read("syslog", _log(800, first, 5), year=2022, timezone="UTC")
    assert not found.rejects
    assert [e.time for e in found.events] == [times.of(first) + n * 17280 * times.SECOND for n in range(4000)]


def test_a_rotated_log_goes_through_its_files(read):
    files = {
        "auth.log": b"Feb  3 10:00:00 h cron[1]: x\n",
        "auth.log.1": b"Dec  3 10:00:00 h cron[1]: x\nJan 20 10:00:00 h cron[1]: x\n",
        "auth.log.2": b"Oct  3 10:00:00 h cron[1]: x\n",
        "auth.log.11": b"Mar  3 10:00:00 h cron[1]: x\n",
        "notes.txt": b"\n",
    }
    found = read("syslog", files, year=2023, timezone="UTC")
    shown = {(name, times.show(row.time)[:7]) for name, row in found.rows}
    assert shown == {
        ("auth.log.11", "2023-03"),
        ("auth.log.2", "2022-10"),
        ("auth.log.1", "2022-12"),
        ("auth.log.1", "2023-01"),
        ("auth.log", "2023-02"),
    }


def test_no_year_is_guessed(read):
    found = read("syslog", b"Jun 12 09:30:00 h sshd[1]: x\n", timezone="UTC")
    assert "no year is declared" in found.rejects[0].reason


@pytest.mark.parametrize(
    ("message", "command"),
    [
        (b"CRON[992]: (svc) CMD (/opt/svc/sync.sh (all))", "/opt/svc/sync.sh (all)"),
        (b"CRON[991]: pam_unix(cron:session): session opened for user svc(uid=900) by (uid=0)", None),
        (b"CROND[7]: (svc) CMD (sync)", "sync"),
    ],
)
def test_what_a_timetable_started_and_under_whose_account(read, message, command):
    event = _one(read, message)
    assert (event.action, event.actor, event.target) == ("process.timer", None, "unix:svc")
    assert json.loads(event.attrs or "{}").get("command") == command


def test_what_cron_says_of_itself_started_nothing(read):
    assert _one(read, b"cron[7]: (CRON) INFO (Running @reboot jobs)").action == "log.message"


@pytest.mark.parametrize(
    ("window", "first", "year"), [((2024, 1), "Dec 30", 2023), ((2024, 1), "Feb  2", 2024), ((2023, 11), "Jan  3", 2024)]
)
def test_where_none_is_declared_the_cases_window_tells_the_year(read, window, first, year):
    found = read(
        "syslog", f"{first} 10:00:00 gpu-1 sshd[7]: Server listening on 0.0.0.0 port 22.\n".encode(), window=window, timezone="UTC"
    )
    assert (len(found.rejects), times.show(found.events[0].time)[:4]) == (0, str(year))
