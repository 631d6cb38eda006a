"""The opponent on whose hands: all speaks for the owner of the device, and one record that somebody else made speaks against it."""

import pytest

from tests.reasoning.test_adversary import command, lease, unlock, usual

LAPTOP = "device:vic-laptop"


def session(action, clock="09:55", who="eve", **more):
    return {"clock": clock, "action": action, "actor": f"unix:{who}", **more}


def passing(who, outcome="granted", door="hq-main", clock="09:20", day=12):
    return {
        "time": f"2024-06-{day:02d}T{clock}:00Z",
        "action": "person.present",
        "actor": f"badge:{who}",
        "object": f"place:{door}",
        "outcome": outcome,
    }


def sign_on(clock, device, ip, who="vic"):
    return {"clock": clock, "action": "session.sso.open", "actor": f"unix:{who}", "device": device, "ip": ip}


def named(folder, *rows, tier="T3"):
    usual(folder)
    folder.log("more", list(rows), tier)
    return folder.answer()


AGAINST = {
    "another's remote session on the device": [session("session.remote.open", object=LAPTOP, session="r1")],
    "a remote session of an unknown account": [session("session.remote.open", who="stranger", object=LAPTOP, session="r1")],
    "another's login into the device": [session("session.ssh.open", host="vic-laptop", ip="ip:10.0.0.9", session="ssh:1")],
    "a program that lets others in": [command("09:55", line="AnyDesk.exe --incoming")],
    "a VPN from another device of his": [
        {"clock": "08:00", "action": "session.vpn.connect", "actor": "unix:vic", "device": "device:vic-home", "ip": "ip:10.8.0.2", "session": "v1"}
    ],
    "sign-ons around the moment from another device of his": [sign_on("09:58", "device:vic-home", "ip:7.7.7.7"), sign_on("10:03", "device:vic-home", "ip:7.7.7.7")],
    "the laptop given to another": [
        {"clock": "08:00", "action": "access.revoke", "actor": "unix:vic", "object": LAPTOP},
        {"clock": "08:01", "action": "access.grant", "actor": "unix:eve", "object": LAPTOP},
    ],
    "the laptop taken back": [{"clock": "08:00", "action": "access.revoke", "actor": "unix:vic", "object": LAPTOP}],
    "a reader whose name is the way out": [passing("vic", door="hq-main-exit")],
    "a way out in another language": [passing("vic", "Ausgang")],
    "a way out in Chinese": [passing("vic", "下班")],
    "out days ago and not in again, where others were": [passing("vic", "out", day=10, clock="18:00"), passing("kim", "in")],
}  # fmt: skip


@pytest.mark.parametrize("rows", AGAINST.values(), ids=AGAINST)
def test_one_record_against_the_hands_bars_the_name(folder, rows):
    folder.holds("device:vic-home", "p-vic")
    answer = named(folder, *rows)
    assert answer["person"] is None
    assert set(answer["candidates"]) == {"p-bob", "p-eve", "p-kim", "p-vic"}


HARMLESS = {
    "a remote session that was closed before": [
        session("session.remote.open", "08:00", object=LAPTOP, session="r1"),
        session("session.remote.close", "08:30", object=LAPTOP, session="r1"),
    ],
    "a remote session on another device": [session("session.remote.open", object="device:kim-laptop", session="r1")],
    "his own login into it": [session("session.ssh.open", who="vic", host="vic-laptop", ip="ip:10.0.0.7", session="ssh:1")],
    "a VPN of the other device that was closed": [
        {"clock": "07:00", "action": "session.vpn.connect", "actor": "unix:vic", "device": "device:vic-home", "ip": "ip:10.8.0.2", "session": "v1"},
        {"clock": "08:00", "action": "session.vpn.disconnect", "actor": "unix:vic", "session": "v1"},
    ],
    "a sign-on from another device, once": [sign_on("09:58", "device:vic-home", "ip:7.7.7.7")],
    "the laptop given to him again": [
        {"clock": "08:00", "action": "access.revoke", "actor": "unix:vic", "object": LAPTOP},
        {"clock": "08:01", "action": "access.grant", "actor": "unix:vic", "object": LAPTOP},
    ],
    "an outdoor gate, passed inward": [passing("vic", "granted", "outdoor-gate")],
    "an exit that was passed inward": [passing("vic", "in", "exit 3")],
    "a code that nobody explains": [passing("vic", "7")],
}  # fmt: skip


@pytest.mark.parametrize("rows", HARMLESS.values(), ids=HARMLESS)
def test_what_does_not_speak_against_them_does_not(folder, rows):
    folder.holds("device:vic-home", "p-vic")
    assert named(folder, *rows)["person"] == "p-vic"


def test_a_code_that_nobody_explains_speaks_for_nobody(folder):
    assert not [i for i in named(folder, passing("vic", "7"))["for"] if i["kind"] == "presence"]


@pytest.mark.parametrize(("others", "person"), [(("kim", "bob"), None), (("kim",), "p-vic")])  # one other's room is no site
def test_a_door_where_nobody_passes_who_is_then_on_that_network_is_another_site(folder, others, person):
    usual(folder, dhcp=[lease(), *(lease("09:35", who, f"ip:10.0.0.{n}") for n, who in enumerate(others, 30))])
    folder.log("badge", [passing("vic", "in", "berlin", "09:52"), *(passing(who, "in", "beijing") for who in others)])
    assert folder.answer()["person"] == person


def test_a_door_that_he_passes_on_other_days_before_he_is_on_that_network_is_not(folder):
    others = ("kim", "bob")
    usual(
        folder,
        dhcp=[
            lease(),
            *(lease("09:35", who, f"ip:10.0.0.{n}") for n, who in enumerate(others, 30)),
            {**lease(), "time": "2024-06-10T09:30:00Z"},
        ],
    )
    own = [passing("vic", "in", "annex", "09:20", 10), passing("vic", "in", "annex", "09:22")]
    folder.log("badge", [*own, *(passing(who, "in", "main") for who in others)])
    answer = folder.answer()
    assert answer["person"] == "p-vic"
    assert any(i["kind"] == "presence" for i in answer["for"])


def test_a_process_that_starts_every_hour_shows_nobody_at_work(folder):
    folder.holds("device:vic-tower", "p-vic")
    hourly = [{**command(f"{h:02d}:59", line="restic backup"), "device": "device:vic-tower"} for h in range(4, 12)]
    usual(folder, edr=[unlock(), command(), *hourly])
    assert folder.answer()["person"] == "p-vic"


def test_work_on_another_device_still_does(folder):
    folder.holds("device:vic-tower", "p-vic")
    usual(folder, edr=[unlock(), command(), {**command("09:59", line="make"), "device": "device:vic-tower"}])
    assert folder.answer()["person"] is None


# --- at another's device ------------------------------------------------------------------------------------------------


def at_eves(folder, *more, edr=None, tier="T3"):
    """Vic's account acts from Eve's open laptop, on which the command ran as Eve; his own is watched, too."""
    folder.log(
        "store", [{"clock": "10:00", "action": "object.write", "actor": "aws:vic", "object": "s3://models/base.pt", "ip": "ip:10.0.0.7"}]
    )
    folder.log("dhcp", [lease(who="eve")], "T4")
    rows = [unlock(who="eve"), command(who="eve"), unlock("08:00"), command("08:30", line="make")]
    folder.log("edr", edr or rows, "T4")
    folder.log(
        "sso",
        [{"clock": "09:00", "action": "session.sso.open", "actor": "unix:eve", "device": "device:eve-laptop", "ip": "ip:10.0.0.7"}],
        "T4",
    )
    if more:
        folder.log("more", list(more), tier)
    folder.ask("s3://models/base.pt")
    return folder.answer()


def test_a_credential_that_is_used_from_anothers_hands_is_that_persons_act(folder):
    assert at_eves(folder)["person"] == "p-eve"


def meeting(*names):
    return [{"clock": "09:45", "action": "meeting.attend", "actor": f"unix:{n}", "object": "meeting:pairing"} for n in names]


@pytest.mark.parametrize(
    "more",
    [
        meeting("vic", "eve"),
        [{"clock": "09:50", "action": "session.sso.open", "actor": "unix:vic", "device": "device:eve-laptop", "ip": "ip:10.0.0.7"}],
    ],
    ids=["together in a small meeting", "the account's holder signed on from it"],
)
def test_where_the_holder_may_have_sat_at_it_nobody_is_named(folder, more):
    answer = at_eves(folder, *more, tier="T4")
    assert answer["person"] is None
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


def test_a_command_that_ran_as_the_holder_of_the_account_is_not_the_owners_of_the_device(folder):
    ran = [unlock(who="eve"), {**command(), "device": "device:eve-laptop"}, unlock("08:00"), command("08:30", line="make")]
    answer = at_eves(folder, edr=ran)
    assert answer["person"] is None
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


def test_also_where_he_has_left_and_his_account_was_closed(folder):
    folder.people["p-vic"] = ("2020-01-01T00:00:00Z", "2024-06-10T00:00:00Z")
    folder.drop("unix:vic")
    folder.holds("unix:vic", "p-vic", until="2024-06-10T00:00:00Z")
    ran = [unlock(who="eve"), {**command(), "device": "device:eve-laptop"}]
    assert at_eves(folder, edr=ran)["person"] is None


# --- sessions on a host -------------------------------------------------------------------------------------------------


def test_anothers_notebook_session_under_the_holders_login_is_a_second_way_back(folder):
    path = "file:///share/loader.py"
    folder.log(
        "audit", [{"clock": "10:00", "action": "file.write", "actor": "unix:vic", "object": path, "session": "audit:5"}], host="login1"
    )
    login = {"clock": "09:30", "action": "session.ssh.open", "actor": "unix:vic", "ip": "ip:10.0.0.7", "session": "ssh:5"}
    folder.log("auth", [login], host="login1")
    hub = {"clock": "09:55", "action": "session.jupyter.open", "actor": "unix:eve", "object": "jupyter:vic@login1", "session": "j2"}
    folder.log("hub", [hub], "T4", host="login1")
    folder.log("dhcp", [lease()], "T4")
    folder.log("edr", [unlock(), command("09:30", line="ssh login1")], "T4")
    folder.ask(path)
    answer = folder.answer()
    assert answer["person"] is None
    assert "p-eve" in answer["candidates"]


def test_the_hour_that_comes_twice_may_be_either(folder):
    """In Berlin, on 27 October 2024, the clocks showed the hour from two to three twice; the log says which zone, not which hour."""
    rows = "t,a,u,d,ip\n2024-10-27T02:10:00,connect,eve,eve-laptop,10.8.0.5\n2024-10-27T02:35:00,disconnect,eve,eve-laptop,10.8.0.5\n2024-10-27T02:40:00,connect,kim,kim-laptop,10.8.0.5\n"
    path = folder.root / "evidence" / "vpn.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(rows)
    columns = 'map = { time = "t", action = "session.vpn.{a}", actor = "unix:{u}", device = "device:{d}", ip = "ip:{ip}" }'
    folder.source("vpn", "table", "evidence/vpn.csv", "T4", more=f'timezone = "Europe/Berlin"\n{columns}')
    written = {"action": "object.write", "actor": "aws:eve", "object": "s3://models/base.pt", "ip": "ip:10.8.0.5"}
    folder.log("store", [{"time": "2024-10-27T01:20:00Z", **written}], "T4")
    folder.ask("s3://models/base.pt")
    folder.window = ("2024-10-01T00:00:00Z", "2024-11-01T00:00:00Z")
    answer = folder.answer()
    assert (answer["rung"], answer["person"]) == ("account", None)  # Eve's session had ended or not, and Kim's begun or not
