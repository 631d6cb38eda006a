"""The opponent on addresses, devices and open sessions: what was so in the morning, what happened at the same second, who sat there."""

from types import SimpleNamespace

import pytest

from forensics.reasoning.act import Act
from forensics.reasoning.commands import on_host
from forensics.reasoning.policy import read_policy
from forensics.reasoning.spelled import of_branch
from tests.reasoning.test_adversary import MODEL, command, lease, unlock, usual, write
from tests.reasoning.test_adversary_logins import FILE, login, on_device, wrote

IP = "ip:10.0.0.7"
VPN = {"action": "session.vpn.connect", "actor": "unix:eve", "device": "device:eve-laptop", "ip": IP, "session": "vpn:1"}


def from_eves(folder, *leases, more=()):
    """Vic's account acts from an address that Eve's device had in the morning; her laptop is open, his is not watched."""
    folder.log("store", [write()])
    folder.log("dhcp", list(leases), "T4")
    folder.log("edr", [unlock(who="eve"), *more], "T4")
    folder.ask(MODEL)
    return folder.answer()


def nobody(answer):
    return answer["person"] is None and answer["rung"] == "account" and set(answer["candidates"]) == {"p-bob", "p-eve", "p-kim", "p-vic"}


def test_a_lease_in_force_ties_the_act_to_the_device(folder):
    answer = from_eves(folder, lease(who="eve"))
    assert answer["rung"] in ("session", "person")


def test_a_sign_on_that_gives_no_address_ties_it_to_a_device_for_that_moment_alone(folder):
    sso = {"clock": "02:00", "action": "session.sso.open", "actor": "unix:eve", "device": "device:eve-laptop", "ip": IP}
    assert nobody(from_eves(folder, sso))


def test_a_device_that_was_given_another_address_since_no_longer_has_the_first(folder):
    assert nobody(from_eves(folder, lease("07:00", "eve"), lease("09:00", "eve", "ip:10.0.1.7")))


@pytest.mark.parametrize(
    "end", [{"session": "vpn:1"}, {"actor": "unix:eve", "ip": IP}, {"session": "vpn:1", "device": "device:eve-laptop"}], ids=str
)
def test_a_sign_off_ends_a_sign_on_whatever_part_of_it_it_repeats(folder, end):
    assert nobody(from_eves(folder, {"clock": "08:00", **VPN}, {"clock": "09:00", "action": "session.vpn.disconnect", **end}))


def test_the_sign_off_of_another_session_ends_nothing(folder):
    other = {"clock": "09:00", "action": "session.vpn.disconnect", "session": "vpn:2", "actor": "unix:eve"}
    assert from_eves(folder, {"clock": "08:00", **VPN}, other)["rung"] in ("session", "person")


def test_a_lease_without_a_card_is_not_the_devices_that_is_signed_on_from_elsewhere(folder):
    assert nobody(from_eves(folder, {"clock": "08:00", **VPN, "ip": "ip:10.8.0.5"}, lease("09:30", "eve")))


# --- the same second ----------------------------------------------------------------------------------------------------


def behind_a_gateway(folder, *commands):
    """Vic's account acts from an address that two laptops had; of his no sensor tells."""
    folder.log("store", [write()])
    folder.log("gateway", [lease("09:30", "eve"), lease("09:59:30", "kim")], "T4")
    folder.log("edr", list(commands), "T4")
    folder.log(
        "sso",
        [{"clock": "09:55", "action": "credential.use", "actor": "unix:eve", "device": "device:eve-laptop", "ip": "ip:10.0.0.9"}],
        "T4",
    )
    folder.ask(MODEL)
    return folder.answer()


def test_a_command_on_anothers_laptop_is_a_coincidence_where_the_holders_own_is_not_watched(folder):
    answer = behind_a_gateway(folder, unlock(who="eve"), command("09:59:58", "eve"))
    assert answer["person"] is None
    assert "p-vic" in answer["candidates"]


def test_a_command_after_the_act_did_not_lead_to_it(folder):
    usual(folder, edr=[unlock(), command("10:00:26")], tier="T4")
    assert not any(item["kind"] == "device_command" for item in folder.answer()["for"])


@pytest.mark.parametrize(
    ("line", "may"),
    [
        ("git push origin main", False),
        ("git push origin trunk", True),
        ("git push origin HEAD:trunk", True),
        ("git push origin main:refs/heads/trunk", True),
        ("git push --force origin +trunk", True),
        ("git push", True),
        ("git push origin", True),
        ("git push origin HEAD", True),
    ],
)
def test_a_push_of_other_branches_alone_did_not_set_this_one(line, may):
    act = Act("code.push", "gitlab:vic", (0, 0), ({"object": "git:train#refs/heads/trunk"},), None)
    assert of_branch(line, act) is may


def test_of_two_logins_commands_the_nearer_is_not_the_acts_for_being_nearer():
    """A push is recorded when it has arrived: the one that began earlier may be the one."""
    moment = 1_718_186_400_000_000_000
    rows = [
        {
            "action": "process.exec",
            "actor": f"unix:{who}",
            "target": None,
            "host": "gpu-1",
            "time": moment - before * 1_000_000_000,
            "attrs": {"command": "git push origin main"},
        }
        for who, before in (("vic", 20), ("eve", 2))
    ]
    act = Act("code.push", "gitlab:vic", (moment, moment), ({"object": "git:train#refs/heads/main"},), None)
    people = lambda account, _: (str(account).partition(":")[2],)  # noqa: E731
    known = SimpleNamespace(kind=lambda *_: "personal", holders=people, last_holders=people)

    def run(these):
        acts = lambda where, **_: these if "process.exec" in where else []  # noqa: E731
        tables = SimpleNamespace(rows=lambda *_, **__: [])
        return on_host(SimpleNamespace(policy=read_policy(None), known=known, acts=acts, tables=tables), act, ["gpu-1"])

    assert run(rows) == [[r] for r in rows]
    assert run(rows[:1]) == [rows[:1]]


# --- somebody else at one's open session ----------------------------------------------------------------------------------


def logged_in(folder, *more):
    folder.log("host", [login("09:35", "unix:vic", IP, 1), *more, wrote()], "T3")
    folder.log("dhcp", [lease()])
    folder.log("edr", [unlock("09:31"), on_device("09:35", line="ssh gpu-1")], "T4")
    folder.ask(FILE)


def test_ones_own_login_is_ones_own(folder):
    logged_in(folder)
    assert folder.answer()["person"] == "p-vic"


@pytest.mark.parametrize(
    "borrowed",
    [{"target": "unix:vic", "object": "file://gpu-1/bin/bash"}, {"target": "unix:vic", "object": "file://gpu-1/usr/bin/tmux"}],
    ids=["shell", "terminal"],
)
def test_who_runs_a_shell_as_the_accounts_holder_just_before_may_be_behind_it(folder, borrowed):
    logged_in(folder, {"clock": "09:59", "action": "process.exec", "actor": "unix:eve", "host": "gpu-1", **borrowed})
    answer = folder.answer()
    assert answer["person"] is None
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


def test_a_program_of_ones_own_as_oneself_is_nobody_elses(folder):
    logged_in(
        folder,
        {
            "clock": "09:59",
            "action": "process.exec",
            "actor": "unix:eve",
            "target": "unix:eve",
            "host": "gpu-1",
            "object": "file://gpu-1/bin/bash",
        },
    )
    assert folder.answer()["person"] == "p-vic"


@pytest.mark.parametrize("clock", ["09:20", "09:50"])
def test_nobody_is_named_against_a_record_that_he_had_left(folder, clock):
    """However much the devices say: of two records that contradict each other one is wrong, or somebody else sat there."""
    usual(folder, edr=[unlock(), command()], tier="T4")
    folder.log("sso", [{"clock": "09:45", "action": "credential.use", "actor": "unix:vic", "device": "device:vic-laptop", "ip": IP}], "T4")
    folder.log("badge", [{"clock": clock, "action": "person.present", "actor": "badge:vic", "object": "place:hq", "outcome": "out"}])
    answer = folder.answer()
    assert (answer["rung"], answer["person"], answer["support"]) == ("session", None, "none")
    assert set(answer["candidates"]) == {"p-bob", "p-eve", "p-kim", "p-vic"}
    assert "p-vic had left" in answer["ladder"][-1]["why"]


def test_an_account_of_which_nobody_knows_whose_it_is_was_not_misused(folder):
    folder.drop("aws:vic")
    usual(folder, tier="T4")
    assert folder.answer()["mechanism"] == "unknown"
