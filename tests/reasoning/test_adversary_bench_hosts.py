"""What hosts' records say of an act elsewhere: the number of an account and its name, the gateway that somebody came through, hardware that is the cause."""

import pytest

from tests.reasoning.conftest import at
from tests.reasoning.test_adversary_given import JOB, logged_in, opened, ran

# An account's number and the name that hosts' records bear beside it.

SUDO = "Jun 12 09:59:59 gpu-1 sudo[77]:     eve : TTY=pts/1 ; PWD=/home/eve ; USER=ops ; COMMAND=/usr/bin/scancel 1041\n"


def pam(name="ops", number=807, kind="sudo"):
    return f"Jun 12 09:59:59 gpu-1 {kind}[77]: pam_unix({kind}:session): session opened for user {name}(uid={number}) by eve(uid=1003)\n"


def enriched(lines, **names):
    """Write lines of auditd as with log_format = ENRICHED."""
    more = "".join(f' {key}="{name}"' for key, name in names.items()).strip()
    return "".join(f"{line}\x1d{more}\n" if line.startswith(("type=SYSCALL", "type=LOGIN")) else f"{line}\n" for line in lines.splitlines())


def cancelled(folder, sudo="", audit="", numbers=("p-vic", "p-eve"), names=("p-vic", "p-eve"), until=""):
    """A job of Kim's that the account 807 cancelled at 10:00."""
    for person in numbers:
        folder.holds("unix:#807", person, "shared")
    for person in names:
        folder.holds("unix:ops", person, "shared", until=until)
    head = "JobID|JobName|User|UID|State|ExitCode|Submit|Start|End|ElapsedRaw|NodeList|WorkDir\n"
    row = "1041|train|kim|1005|CANCELLED by 807|0:0|2024-06-12T09:00:00|2024-06-12T09:00:05|2024-06-12T10:00:00|3595|n1|/home/kim\n"
    folder.text("sacct.txt", "slurm", head + row, host="gpu", more='timezone = "UTC"')
    if sudo:
        folder.text("auth.log", "syslog", sudo, host="gpu-1", more='timezone = "UTC"\nyear = 2024')
    if audit:
        folder.text("audit.log", "auditd", audit, host="gpu-1")
    logged_in(folder)
    folder.ask(JOB, at("10:00"))
    return folder.answer()


@pytest.mark.parametrize(
    ("sudo", "audit"),
    [
        (SUDO + pam(), ""),
        (SUDO + pam(kind="su"), ""),
        (
            "",
            enriched(opened("09:31:01", "eve"), AUID="eve")
            + enriched(ran("09:59:59", "eve", ["scancel", "1041"], 807), AUID="eve", UID="ops"),
        ),
        (SUDO, enriched(opened("09:31:01", "eve").replace("auid=1003", "auid=807"), AUID="ops")),
    ],
)
def test_a_number_is_the_account_whose_name_hosts_bear_beside_it(folder, sudo, audit):
    answer = cancelled(folder, sudo, audit)
    assert (answer["person"], answer["account"], answer["mechanism"]) == ("p-eve", "unix:ops", "shared-identity")


@pytest.mark.parametrize(
    ("lines", "more"),
    [
        (SUDO, {}),  # nothing says what 807 is called
        (SUDO + pam(number=808), {}),
        (SUDO + pam() + pam("tools"), {"tools": True}),  # two names of one number
        (SUDO + pam(), {"numbers": ()}),  # a host's own list of users says nothing of the cluster's
        (SUDO + pam(), {"numbers": ("p-vic", "p-kim")}),  # another account of that cluster's
        (SUDO + pam(), {"numbers": ("p-kim",)}),
        (SUDO + pam(), {"until": "2024-06-12T09:00:00Z"}),  # not for the same time
    ],
)
def test_a_number_is_not_an_account_that_the_registers_give_to_others(folder, lines, more):
    if more.pop("tools", None):
        for person in ("p-vic", "p-eve"):
            folder.holds("unix:tools", person, "shared")
    answer = cancelled(folder, lines, **more)
    assert (answer["person"], answer["account"]) == (None, "unix:#807")
