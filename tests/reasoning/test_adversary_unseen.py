"""What nothing recorded excludes nobody: a watch that was switched off between a file's own write and its use; a card that was passed inward and a sign-on from outside."""

import pytest

from tests.reasoning.test_adversary import command, unlock, usual
from tests.reasoning.test_adversary_given import ran, stamp, touched
from tests.reasoning.test_adversary_hands import passing
from tests.reasoning.test_adversary_shared import MODEL, sign_on
from tests.reasoning.test_adversary_shown import STAGED, UP, both
from tests.reasoning.test_adversary_ties import at_the_host

OWN = touched("09:52:00", "vic", (STAGED, "NORMAL"))


def told(clock, kind, more=""):
    return f"type={kind} msg=audit({stamp(clock)}.100:{stamp(clock) % 10_000}9): op=x ver=3.0 auid=4294967295 pid=700 uid=0 ses=4294967295 res=success {more}\n"


def off(since, until, kind="DAEMON"):
    if kind == "DAEMON":
        return told(since, "DAEMON_END") + told(until, "DAEMON_START")
    if kind.startswith("RULE"):
        rule = f'list=4 key="{kind[4:]}"' if kind[4:] else "list=4 key=(null)"
        return told(since, "CONFIG_CHANGE", rule).replace("op=x", "op=remove_rule") + told(until, "CONFIG_CHANGE", rule).replace(
            "op=x", "op=add_rule"
        )
    return told(since, "CONFIG_CHANGE", "audit_enabled=0 old=1") + told(until, "CONFIG_CHANGE", "audit_enabled=1 old=0")


@pytest.mark.parametrize("kind", ["DAEMON", "CONFIG", "RULEx", "RULE"])
def test_who_was_there_while_the_watch_was_off_stays_a_candidate(folder, kind):
    answer = at_the_host(folder, OWN + off("09:54:00", "09:58:00", kind) + UP)
    assert both(answer)
    assert "log-gap" in answer["flags"]
    assert any("records none from 2024-06-12T09:54:00" in i["says"] for i in answer["neutral"])


def test_so_it_is_where_no_record_shows_who_wrote_the_file_in_a_watched_folder(folder):
    beside = touched("09:52:00", "vic", (STAGED + ".old", "NORMAL"))
    assert both(at_the_host(folder, beside + off("09:54:00", "09:58:00") + UP))


@pytest.mark.parametrize(
    "lines",
    [
        OWN + off("09:54:00", "09:54:20"),  # begun anew
        off("09:46:00", "09:51:00") + OWN,
        OWN + UP + off("10:10:00", "10:20:00"),
        OWN + off("09:54:00", "09:58:00", "RULEother"),
        OWN + off("09:54:00", "09:58:00") + touched("09:59:00", "vic", (STAGED, "NORMAL")),
    ],
)
def test_a_stop_at_another_time_says_nothing(folder, lines):
    answer = at_the_host(folder, lines if UP in lines else lines + UP)
    assert (answer["person"], "log-gap" in answer["flags"]) == ("p-vic", False)


def test_no_login_outlasts_a_reboot_and_nobody_wrote_while_the_host_was_down(folder):
    down = (
        told("09:54:00", "SYSTEM_SHUTDOWN")
        + told("09:54:01", "DAEMON_END")
        + told("09:58:00", "DAEMON_START")
        + told("09:58:01", "SYSTEM_BOOT")
    )
    assert at_the_host(folder, OWN + down + UP)["person"] == "p-vic"


SYNC = ran("10:00:00", "vic", ["aws", "s3", "sync", "/share/stage", MODEL.rpartition("/")[0]])
IN_IT = f"/share/stage/{MODEL.rpartition('/')[2]}"


@pytest.mark.parametrize(("clock", "person"), [("09:52:00", None), ("09:59:00", "p-vic")])
def test_of_a_folder_it_is_asked_of_the_file_that_went_with_it(folder, clock, person):
    beside = touched("09:47:00", "vic", ("/share/stage/other.pt", "NORMAL"))
    lines = beside + off("09:54:00", "09:58:00") + touched(clock, "vic", (IN_IT, "NORMAL")) + SYNC
    assert at_the_host(folder, lines)["person"] == person


def test_what_lies_in_ones_own_home_others_do_not_write(folder):
    mine = "/home/vic/new.pt"
    lines = touched("09:52:00", "vic", (mine, "NORMAL")) + off("09:54:00", "09:58:00")
    assert at_the_host(folder, lines + ran("10:00:00", "vic", ["aws", "s3", "cp", mine, MODEL]))["person"] == "p-vic"


VPN = {"clock": "09:30", "action": "session.vpn.connect", "actor": "unix:vic", "device": "device:vic-laptop", "ip": "ip:10.0.0.7"}
IN = passing("vic", "in", clock="07:20")


def by_card(folder, *passages, led=()):
    usual(folder, dhcp=[VPN], edr=[unlock(), *led])
    folder.log("web", [sign_on("vic", "ip:10.0.0.7", "09:31")], "T4")
    folder.log("badge", [*passages, IN])
    return folder.answer()


def in_and_out(*days):
    return [passing("vic", way, clock=clock, day=day) for day in days for way, clock in (("in", "07:30"), ("out", "17:30"))]


@pytest.mark.parametrize("days", [(10, 11), (5, 10, 11)])
def test_who_came_in_and_did_not_go_out_did_not_sign_on_from_outside(folder, days):
    answer = by_card(folder, *in_and_out(*days))
    assert answer["person"] is None
    assert [i["kind"] for i in (*answer["for"], *answer["against"], *answer["neutral"]) if "a sign-on from outside" in i["says"]] == [
        "presence"
    ]


def test_where_the_command_ran_on_the_very_device_it_was_that_device(folder):
    assert by_card(folder, *in_and_out(10, 11), led=[command()])["person"] == "p-vic"


@pytest.mark.parametrize(
    "passages",
    [
        [],
        [passing("vic", "in", clock="07:30", day=day) for day in (10, 11)],  # nobody passes a card on the way out
        in_and_out(11),  # one day is no habit
    ],
)
def test_where_cards_are_not_passed_on_the_way_out_who_came_in_may_have_left(folder, passages):
    answer = by_card(folder, *passages)
    assert not [i for i in (*answer["for"], *answer["against"], *answer["neutral"]) if "a sign-on from outside" in i["says"]]
