"""Incidents of another laboratory's making: ways that were taken for one another, clocks that nothing measures, robots that somebody set up, records that were made up."""

import json
import random

import numpy as np
import pytest

from forensics import times
from forensics.reasoning.clocks.anchors import Kept
from forensics.reasoning.clocks.pairs import Limits, offset
from forensics.reasoning.policy import read_policy
from tests.reasoning.test_adversary import command, lease, unlock, usual, write
from tests.reasoning.test_adversary_given import INDEX, UIDS, logged_in, opened, ran, stamp, touched
from tests.reasoning.test_adversary_pushes import on_device, push, watched
from tests.reasoning.test_adversary_shared import MODEL, laptops, login, sign_on

# Others' ways into a shared account are no ways into this login.

SVC = 990


def as_svc(clock, who, *paths):
    return touched(clock, who, *paths).replace(f"uid={UIDS[who]} euid", f"uid={SVC} euid").replace(f"auid={SVC}", f"auid={UIDS[who]}")


def su(clock, who):
    return f"Jun 12 {clock} gpu-1 sudo[77]:     {who} : TTY=pts/1 ; PWD=/home/{who} ; USER=root ; COMMAND=/usr/bin/su - svc\n"


@pytest.mark.parametrize(("into", "person"), [("svc", "p-vic"), ("vic", None)])
def test_a_colleague_who_entered_a_shared_account_is_not_in_this_login(folder, into, person):
    for who, uid in UIDS.items():
        folder.holds(f"unix:#{uid}", f"p-{who}")
        for account in ("unix:svc", f"unix:#{SVC}"):
            folder.holds(account, f"p-{who}", "shared")
    logged_in(folder)
    lines = opened("09:20:01", "vic") + opened("09:31:01", "eve") + as_svc("10:00:00", "vic", ("/share/data/train.idx", "NORMAL"))
    folder.text("audit.log", "auditd", lines, host="gpu-1")
    rows = su("09:58:00", "vic") + su("09:57:00", "eve").replace("su - svc", f"su - {into}")
    folder.text("auth.log", "syslog", rows, host="gpu-1", more='timezone = "UTC"\nyear = 2024')
    folder.ask(INDEX)
    assert folder.answer()["person"] == person


# An address that changed hands, by a clock that nothing measures.


def changing(folder, *leases, watched_too=()):
    folder.log("store", [write()])
    folder.log("dhcp", [lease("08:00"), *leases])
    folder.log("edr", [unlock(), command(), *(on_device("09:00", who, action="device.unlock") for who in watched_too)], "T4")
    folder.log("web", [sign_on("vic", "ip:10.0.0.7", "09:12")], "T4")
    folder.ask(MODEL)
    return folder.answer()["person"]


def test_a_lease_near_a_change_of_hands_leaves_both(folder):
    assert changing(folder, lease("10:12", "eve")) is None


def test_one_long_after_does_not(folder):
    assert changing(folder, lease("10:45", "eve")) == "p-vic"


def test_nor_does_it_where_every_device_of_the_address_is_watched_and_one_ran_the_command(folder):
    assert changing(folder, lease("10:12", "eve"), watched_too=["eve"]) == "p-vic"


@pytest.mark.parametrize("rate", [0, 70, 400, -300])
def test_a_clock_that_drifts_is_measured(rate):
    """`rate`: seconds a day, over ten days of a login each two hours."""
    chance = random.Random(7)
    true = sorted(chance.randrange(10 * times.DAY) for _ in range(120))
    told = [t + round(rate * times.SECOND * t / times.DAY) for t in true]

    def kept(moments):
        return Kept("near", {"vic": np.array(moments, np.int64)}, {})

    found = offset(kept(told), kept(true), Limits.of(read_policy(None)))
    for t, seen in zip(true, told, strict=True):
        part = next(s for s in reversed(found) if s.since <= seen or s is found[0])
        assert abs(part.offset + part.rate * (seen - part.since) - (seen - t)) < 20 * times.SECOND


# What a timetable ran, somebody set up.


def by_cron(clock, who):
    head = f"msg=audit({stamp(clock)}.000:77"
    ids = f"uid=0 auid={UIDS[who]} ses={SESSIONS_OF_CRON[who]}"
    login = f"type=LOGIN {head}1): pid=9 uid=0 old-auid=4294967295 auid={UIDS[who]} tty=(none) old-ses=4294967295 ses={SESSIONS_OF_CRON[who]} res=1\n"
    return (
        login
        + f'type=USER_START {head}2): pid=9 {ids} msg=\'op=PAM:session_open acct="{who}" exe="/usr/sbin/cron" hostname=? addr=? terminal=cron res=success\'\n'
    )


SESSIONS_OF_CRON = {"vic": 95, "eve": 97}
LINE = "/home/vic/.cache/sync.sh"


def in_cron(lines):
    return lines.replace("ses=5", f"ses={SESSIONS_OF_CRON['vic']}").replace("tty=pts1 ", "")


def timetable(folder, planting, *, statement=True):
    """Vic's timetable writes the index at 03:30 of the 15th; he left on the 13th. `planting`: what the host's audit holds of the 12th."""
    folder.people["p-vic"] = ("2020-01-01T00:00:00Z", "2024-06-13T18:00:00Z")
    for who, uid in UIDS.items():
        folder.holds(f"unix:#{uid}", f"p-{who}")
    logged_in(folder)
    run = by_cron("15T03:30:00", "vic") + in_cron(
        ran("15T03:30:01", "vic", ["sh", LINE], pid=9)
        + touched("15T03:30:02", "vic", ("/share/data/train.idx", "NORMAL"), program="dd", pid=9)
    )
    folder.text("audit.log", "auditd", opened("09:20:01", "vic") + opened("09:31:01", "eve") + planting + run, host="gpu-1")
    folder.text(
        "cron.log", "syslog", f"Jun 15 03:30:00 gpu-1 CRON[9]: (vic) CMD (sh {LINE})\n", host="gpu-1", more='timezone = "UTC"\nyear = 2024'
    )
    folder.ask(INDEX)
    folder.says("left-before")
    found = folder.examine()
    return found["answers"][0], found["statements"][0]["verdict"]


def planted(who, *extra):
    table = ["crontab", "-e"] if who == "vic" else ["crontab", "-u", "vic", "/tmp/ct"]
    return (
        touched("09:40:00", who, (LINE, "NORMAL"))
        + ran("09:41:00", who, table, uid=0 if who != "vic" else None)
        + touched("09:41:05", who, ("/var/spool/cron/crontabs/vic", "CREATE"), program="crontab")
        + "".join(extra)
    )


HERS = ran("09:50:00", "eve", ["crontab", "-e"])
"""her own"""


@pytest.mark.parametrize(("who", "verdict"), [("vic", "contradicted"), ("eve", "supported")])
def test_what_a_timetable_did_after_its_account_closed_is_his_who_set_it_up(folder, who, verdict):
    answer, said = timetable(folder, planted(who, HERS))
    assert (answer["person"], said) == (f"p-{who}", verdict)
    assert "after-departure" not in answer["flags"]


@pytest.mark.parametrize(
    "planting",
    [
        "",
        planted("vic", ran("09:50:00", "eve", ["crontab", "-u", "vic", "/tmp/ct"], uid=0)),  # two set the table
        planted("vic", touched("09:50:00", "eve", (LINE, "NORMAL"))),  # another wrote last what it runs
        ran("09:41:00", "vic", ["crontab", "-e"]),  # nobody on record wrote what it runs
        touched("09:40:00", "vic", (LINE, "NORMAL")) + ran("09:41:00", "vic", ["crontab", "-l"]),
        touched("09:40:00", "vic", (LINE, "NORMAL")) + ran("09:41:00", "vic", ["crontab", "-u", "bob", "/tmp/ct"], uid=0),
    ],
)
def test_where_the_records_do_not_show_one_hand_in_both_nobody_is_named(folder, planting):
    answer, said = timetable(folder, planting)
    assert (answer["person"], said) == (None, "not resolved")
    assert "p-vic" in answer["candidates"]  # that he had left says nothing of what he set up before


# One command opens one login.


def over_the_jump_host(folder, logins, *commands):
    """Write a file as the shared account, in a login of 10:00 over the jump host; return who is named."""
    for who in ("vic", "eve"):
        folder.holds("unix:svc", f"p-{who}", "shared")
    folder.holds("ssh-key:team", "p-vic", "shared")
    jump = [login(clock, f"unix:{who}", "ip:10.9.9.9", n) for clock, who, n in (("08:30", "eve", 91), ("08:40", "vic", 92))]
    folder.log("sshd", [*jump, *logins, {**login("10:00", "unix:svc", "ip:10.9.9.9", 99), "credential": "ssh-key:team"}], "T4")
    laptops(folder, *commands)
    folder.log("web", [sign_on("vic", "ip:10.0.0.7")])
    written = {"action": "file.write", "actor": "unix:svc", "object": "file://gpu-1/share/x.py", "host": "gpu-1", "session": "ssh:gpu-1/99"}
    folder.log("files", [{"clock": "10:00:30", **written}])
    folder.ask("file://gpu-1/share/x.py")
    return folder.answer()["person"]


@pytest.mark.parametrize(
    ("line", "tried", "person"),
    [
        ("ssh gpu-1", [login("09:59:58", "unix:vic", "ip:10.0.0.7", 3)], None),
        ("ssh svc@gpu-1", [{**login("09:59:58", None, "ip:10.0.0.7", 4), "action": "session.ssh.fail", "outcome": "failed"}], None),
        ("ssh -J jump svc@gpu-1", [login("09:59:58", "unix:vic", "ip:10.9.9.9", 3)], "p-vic"),
    ],
)
def test_a_login_command_that_another_record_explains_led_to_no_other_login(folder, line, tried, person):
    assert over_the_jump_host(folder, tried, on_device("09:59:57", line=line)) == person


# A locked device is in nobody's hands.


@pytest.mark.parametrize(("clock", "person"), [(None, "p-vic"), ("09:55", "p-vic"), ("08:50", None)])
def test_what_a_program_did_on_a_device_that_was_locked_for_longer_than_a_break_names_nobody(folder, clock, person):
    lock = [{"clock": clock, "action": "device.lock", "actor": "unix:vic", "device": "device:vic-laptop"}] if clock else []
    usual(folder, dhcp=[lease("08:00")], edr=[unlock("08:40"), *lock, command()], tier="T4")
    folder.log("web", [sign_on("vic", "ip:10.0.0.7", "08:45")], "T4")
    answer = folder.answer()
    assert answer["person"] == person
    assert answer["candidates"] == (["p-vic"] if person else ["p-bob", "p-eve", "p-kim", "p-vic"])


# Entries of a forge's log, and their copies.


def audit(actor, ip, number="d1"):
    facts = {
        "@timestamp": 1718186400000,
        "_document_id": number,
        "action": "git.push",
        "actor": actor,
        "actor_ip": ip,
        "repo": "lab/train",
        "transport_protocol_name": "ssh",
    }
    return json.dumps({**facts, "created_at": 1718186400000}) + "\n"


@pytest.mark.parametrize(
    ("number", "tier", "account", "conflict"),
    [("d1", "T4", "github:eve", True), ("d1", "T3", "github:eve", True), ("d2", "T4", "github:vic", False)],
)
def test_an_entry_that_its_own_copy_out_of_reach_contradicts_is_set_aside(folder, repository, number, tier, account, conflict):
    for who in ("vic", "eve"):
        folder.holds(f"github:{who}", f"p-{who}")
    base = repository.commit("kim", "08:00", "a")
    mine = repository.commit("vic", "09:50", "b", base)
    folder.log("activity", [push("10:00", mine, base, actor="github:vic")], controllers=["p-eve"])
    folder.text("audit.json", "github_audit", audit("vic", "10.0.0.7"), controllers=["p-eve"])
    folder.text("stream.json", "github_audit", audit("eve", "10.0.0.9", number), tier=tier)
    folder.log("dhcp", [lease(), lease("09:31", "eve", "ip:10.0.0.9")])
    folder.log("edr", watched(on_device("09:40", "eve", action="device.unlock"), on_device("09:59:59", "eve")), "T4")
    folder.ask(f"git:train@{mine}")
    answer = folder.answer()
    assert (answer["account"], "record-conflict" in answer["flags"]) == (account, conflict)
    assert answer["person"] in (None, "p-eve")


def test_what_a_copy_does_not_tell_is_no_contradiction(folder, repository):
    folder.holds("github:vic", "p-vic")
    base = repository.commit("kim", "08:00", "a")
    mine = repository.commit("vic", "09:50", "b", base)
    folder.log("activity", [push("10:00", mine, base, actor="github:vic")])
    folder.text("audit.json", "github_audit", audit("vic", "10.0.0.7"))
    folder.text("stream.json", "github_audit", audit("vic", "10.0.0.7").replace('"actor_ip": "10.0.0.7", ', ""), tier="T4")
    folder.ask(f"git:train@{mine}")
    answer = folder.answer()
    assert (answer["account"], "record-conflict" in answer["flags"]) == ("github:vic", False)


# Whoever has an account may use it twice.


@pytest.mark.parametrize("line", ["git push https://git.lab.example/train.git HEAD:eve/fix", "git push origin HEAD:eve/fix"])
def test_a_push_names_its_branch_whatever_it_calls_the_repository(folder, repository, line):
    base = repository.commit("kim", "08:00", "a")
    mine = repository.commit("vic", "09:50", "b", base, branch="eve/fix")
    folder.log("forge", [push("10:00", mine, base, ref="eve/fix", credential="token:vic", ip="ip:10.0.0.9")])
    folder.log("dhcp", [lease("09:31", "eve", "ip:10.0.0.9")])
    folder.log("edr", watched(on_device("09:40", "eve", action="device.unlock"), on_device("09:59:59", "eve", line)), "T4")
    folder.ask(f"git:train@{mine}")
    answer = folder.answer()
    assert answer["person"] == "p-eve"
    assert any(i["kind"] == "device_command" for i in (*answer["for"], *answer["against"], *answer["neutral"]))


# A shared account behind a gateway's address.


def through_the_gateway(folder, repository, kind, *, watch=("vic", "eve"), also=(), pushed=()):
    for who in ("vic", "eve"):
        folder.holds("gitlab:team", f"p-{who}", kind)
    base = repository.commit("kim", "08:00", "a")
    mine = repository.commit("vic", "09:50", "b", base)
    gateway = "ip:198.51.100.7"
    others = [
        push("09:10", "1" * 40, actor="gitlab:kim", ref="k", ip=gateway),
        push("09:20", "2" * 40, actor="gitlab:bob", ref="b", ip=gateway),
    ]
    folder.log("forge", [*others, *pushed, push("10:00", mine, base, actor="gitlab:team", ip=gateway)])
    folder.log(
        "edr",
        [
            *(on_device("09:40", who, action="device.unlock") for who in watch),
            on_device("09:59:58"),
            *also,
            on_device("11:00", action="device.process", line="ls"),
        ],
        "T4",
    )
    folder.log("web", [sign_on("vic", gateway, "09:45")], "T4")
    folder.ask(f"git:train@{mine}")
    return folder.answer()["person"]


def test_of_those_who_share_an_account_the_one_command_tells(folder, repository):
    assert through_the_gateway(folder, repository, "shared") == "p-vic"


@pytest.mark.parametrize(
    ("kind", "watch", "also"),
    [
        ("service", ("vic", "eve"), ()),  # the robot did it itself
        ("shared", ("vic",), ()),  # nobody watches Eve's device
        ("shared", ("vic", "eve"), (on_device("09:59:59", "eve"),)),
    ],
)
def test_it_does_not_where_another_hand_may_have_done_it(folder, repository, kind, watch, also):
    assert through_the_gateway(folder, repository, kind, watch=watch, also=also) is None


# A table of many devices bears each one's own clock.


@pytest.mark.parametrize(("fast", "person"), [(0, "p-vic"), (37, None)])
def test_a_device_whose_own_clock_is_wrong_ties_nobody(folder, fast, person):
    """`fast`: minutes by which the laptop's clock is ahead."""
    own = [{**login(f"09:{n:02d}", "unix:vic", "ip:10.9.9.9", n), "time": f"2024-06-{n:02d}T09:{n:02d}:00Z"} for n in range(3, 10)]
    typed = [{**on_device("09:00", line="ssh gpu-1"), "time": f"2024-06-{n:02d}T09:{n + fast - 1:02d}:57Z"} for n in range(3, 10)]
    assert over_the_jump_host(folder, own, *typed, on_device("09:59:57", line="ssh svc@gpu-1")) == person


def test_ones_own_push_explains_ones_own_command(folder, repository):
    own = push("09:59:59", "3" * 40, actor="gitlab:vic", ref="vic/x", ip="ip:10.0.0.7")
    assert through_the_gateway(folder, repository, "shared", pushed=[own]) is None
