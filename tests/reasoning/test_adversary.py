"""An opponent of the method: clever insiders and honest coincidences. Each name says what must hold."""

import pytest

MODEL = "s3://models/base.pt"


def write(clock="10:00", actor="aws:vic", ip="ip:10.0.0.7", **more):
    return {"clock": clock, "action": "object.write", "actor": actor, "object": MODEL, "ip": ip, **more}


def lease(clock="09:30", who="vic", ip="ip:10.0.0.7", **more):
    return {"clock": clock, "action": "device.lease", "device": f"device:{who}-laptop", "ip": ip, **more}


def unlock(clock="09:40", who="vic", **more):
    return {"clock": clock, "action": "device.unlock", "actor": f"unix:{who}", "device": f"device:{who}-laptop", **more}


def command(clock="10:00", who="vic", line="aws s3 cp base.pt s3://models/", **more):
    return {"clock": clock, "action": "device.process", "actor": f"unix:{who}", "device": f"device:{who}-laptop", "object": line, **more}


def usual(folder, *, act=None, dhcp=None, edr=None, tier="T3", asked=MODEL):
    """One's own act: the store's log, the address lease, the endpoint sensor."""
    folder.log("store", act if act is not None else [write()])
    folder.log("dhcp", dhcp if dhcp is not None else [lease()])
    folder.log("edr", edr if edr is not None else [unlock(), command()], tier)
    folder.ask(asked)


def test_ones_own_act_is_named_with_two_independent_groups(folder):
    usual(folder)
    answer = folder.answer()
    assert (answer["person"], answer["mechanism"]) == ("p-vic", "own-account")


def test_one_group_names_nobody(folder):
    usual(folder, dhcp=[], edr=[])
    answer = folder.answer()
    assert answer["person"] is None
    assert answer["candidates"] == ["p-bob", "p-eve", "p-kim", "p-vic"]


def test_an_outsider_alone_names_nobody_with_one_person_in_the_register(folder):
    folder.people = {"p-vic": folder.people["p-vic"]}
    usual(folder)
    answer = folder.answer()
    assert answer["person"] is None
    assert answer["support"] == "none"  # nothing was compared


def test_nobody_in_the_register_names_nobody(folder):
    folder.people = {}
    usual(folder)
    assert folder.answer()["person"] is None


def test_what_is_nowhere_reaches_no_rung(folder):
    usual(folder)
    folder.questions = []
    for reference in ("s3://models/other.pt", "git:train#refs/heads/none", "slurm:gpu/1", "file:///share/x", "git:train@" + "a" * 40):
        folder.ask(reference)
    for answer in folder.examine()["answers"]:
        assert (answer["rung"], answer["candidates"]) == ("none", ["p-bob", "p-eve", "p-kim", "p-vic"])


# Frames: whoever keeps a log writes into it what he likes.


def frame(folder, *controlled, controllers=("p-eve",)):
    """Records of an act with the victim's token, and those that name his device and hand; some are in Eve's reach."""
    rows = {"store": [write(credential="token:vic")], "dhcp": [lease()], "edr": [unlock(), command()]}
    for name, log in rows.items():
        folder.log(name, log, "T3", controllers=list(controllers) if name in controlled else None)
    folder.ask(MODEL)
    return folder.answer()


@pytest.mark.parametrize(
    "controlled",
    [
        "store dhcp edr",
        "store dhcp",
        "store edr",
        pytest.param(
            "dhcp edr",
        ),
    ],
)
def test_a_controller_of_two_of_three_logs_frames_nobody(folder, controlled):
    answer = frame(folder, *controlled.split())
    assert answer["person"] is None
    assert "p-eve" in answer["candidates"]


def test_two_logs_of_one_administrator_are_one_group(folder):
    folder.log("store", [write()])
    folder.log("dhcp", [lease()], controllers=["p-kim"])
    folder.log("edr", [unlock(), command()], controllers=["p-kim"])
    folder.ask(MODEL)
    assert folder.answer()["person"] is None


@pytest.mark.parametrize("hosts", [("", ""), ("lab-1", "lab-1.lab.example"), ("lab-1", "LAB-1")])
def test_one_host_under_several_names_is_one_group(folder, hosts):
    folder.log("store", [write()])
    folder.log("dhcp", [lease(host="lab-1")], host=hosts[0])
    folder.log("edr", [unlock(host="lab-1"), command(host="lab-1")], host=hosts[1])
    folder.ask(MODEL)
    assert folder.answer()["person"] is None


def test_two_records_of_one_write_that_name_two_people_name_nobody(folder):
    usual(folder, act=[write("10:00:00")])
    folder.log("proxy", [write("09:59:58", "aws:eve", "ip:10.0.0.9")])
    answer = folder.answer()
    assert answer["person"] is None
    assert "p-eve" in answer["candidates"]


# Devices: lent, left open, handed on, renamed.


def test_a_command_by_an_account_nobody_knows_does_not_speak_for_the_devices_owner(folder):
    usual(folder, edr=[command() | {"actor": "unix:guest"}], tier="T4")
    assert folder.answer()["person"] is None


def test_a_command_by_another_person_on_ones_device_does_not_name_the_owner(folder):
    usual(folder, edr=[unlock(), command() | {"actor": "unix:eve"}])
    answer = folder.answer()
    assert answer["person"] is None
    assert "p-eve" in answer["candidates"]


def test_a_logon_that_failed_opens_no_device(folder):
    usual(folder, edr=[unlock(outcome="denied")], tier="T4")
    assert folder.answer()["person"] is None


def test_a_logon_of_a_stranger_is_not_told_as_a_locked_device(folder):
    usual(folder, edr=[unlock(), unlock("09:50", actor="unix:guest") | {"actor": "unix:guest"}])
    answer = folder.answer()
    assert answer["person"] is None
    assert not any("was locked" in item["says"] for item in [*answer["for"], *answer["against"], *answer["neutral"]])


def test_a_locked_device_does_not_name_its_owner(folder):
    usual(folder, edr=[unlock(), {"clock": "09:55", "action": "device.lock", "actor": "unix:vic", "device": "device:vic-laptop"}])
    assert folder.answer()["person"] is None


def test_a_device_that_was_left_open_does_not_name_an_owner_who_had_left_the_building(folder):
    usual(folder, edr=[unlock()])
    folder.log("badge", [{"clock": "09:50", "action": "person.present", "actor": "badge:vic", "object": "place:hq", "outcome": "out"}])
    assert folder.answer()["person"] is None


def test_a_device_that_was_left_open_does_not_name_an_owner_who_sat_in_a_meeting(folder):
    usual(folder, edr=[unlock()])
    folder.log("meetings", [{"clock": "09:55", "action": "meeting.attend", "actor": "badge:vic", "object": "meeting:board"}])
    assert folder.answer()["person"] is None


def test_presence_at_another_place_does_not_speak_for_presence_at_the_act(folder):
    rows = [{"clock": "09:58", "action": "person.present", "actor": "badge:vic", "object": "place:another-town", "outcome": "in"}]
    usual(folder, edr=[unlock()])
    folder.log("badge", rows)
    assert folder.answer()["person"] is None


def test_a_device_that_two_people_own_names_neither(folder):
    folder.holds("device:vic-laptop", "p-eve")
    usual(folder, edr=[command() | {"actor": None}])
    answer = folder.answer()
    assert answer["person"] is None
    assert "p-eve" in answer["candidates"]


def test_two_logs_that_rest_on_one_row_of_the_device_register_are_not_two_reasons(folder):
    """The laptop went from Vic to Eve, the register lags, and the sensor names devices alone."""
    usual(folder, act=[write(credential="token:vic")], edr=[command() | {"actor": None}], tier="T4")
    assert folder.answer()["person"] is None


def test_a_device_reported_stolen_does_not_speak_for_its_former_owner(folder):
    folder.drop("device:vic-laptop")
    folder.holds("device:vic-laptop", "p-vic", until="2024-06-11T00:00:00Z")
    vpn = {"clock": "09:30", "action": "session.vpn.connect", "actor": "unix:vic", "device": "device:vic-laptop", "ip": "ip:10.0.0.7"}
    usual(folder, act=[write(credential="token:vic")], dhcp=[vpn], edr=[])
    assert folder.answer()["person"] is None


def test_a_stolen_laptop_with_saved_passwords_does_not_name_its_owner(folder):
    vpn = {"clock": "09:30", "action": "session.vpn.connect", "actor": "unix:vic", "device": "device:vic-laptop", "ip": "ip:10.0.0.7"}
    folder.log("store", [write(credential="token:vic")])
    folder.log("vpn", [vpn], "T4")
    folder.log("badge", [{"clock": "09:20", "action": "person.present", "actor": "badge:vic", "object": "place:hq", "outcome": "in"}])
    folder.ask(MODEL)
    assert folder.answer()["person"] is None


def test_a_local_user_named_like_the_victim_on_ones_own_device_frames_nobody(folder):
    usual(folder, act=[write(credential="token:vic")], edr=[command(device="device:eve-laptop")], tier="T4")
    answer = folder.answer()
    assert answer["person"] is None
    assert "p-eve" in answer["candidates"]


def test_a_device_unlocked_half_a_day_ago_does_not_name_its_owner_where_the_sensor_fell_silent(folder):
    usual(folder, act=[write("22:00", credential="token:vic")], dhcp=[lease("08:00")], edr=[unlock("07:30")], tier="T4")
    assert folder.answer()["person"] is None


def test_a_hostname_that_two_addresses_bear_at_once_identifies_no_device(folder):
    """Eve's laptop calls itself vic-laptop; Vic's own, open on his desk, has another address."""
    usual(
        folder,
        act=[write(ip="ip:10.0.0.9")],
        dhcp=[lease("09:58", ip="ip:10.0.0.9", object="mac:02:00:00:00:00:99"), lease("09:59", object="mac:02:00:00:00:00:07")],
        edr=[unlock()],
    )
    answer = folder.answer()
    assert answer["person"] is None
    assert "p-eve" in answer["candidates"]


def test_a_hostname_that_lies_names_nobody_where_the_sensor_saw_another_device(folder):
    usual(folder, edr=[unlock(), command(who="eve")])
    answer = folder.answer()
    assert answer["person"] is None
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


# Addresses: leases that end, overlap, or stand for many.


def test_an_address_that_is_leased_to_two_devices_at_one_moment_identifies_neither(folder):
    usual(folder, dhcp=[lease("09:58", who="eve"), lease("09:58")], edr=[unlock()])
    answer = folder.answer()
    assert answer["person"] is None
    assert "p-eve" in answer["candidates"]


def test_an_address_that_changed_hands_seconds_before_the_act_does_not_identify_the_new_device(folder):
    usual(folder, dhcp=[lease("09:00", who="eve"), lease("09:59:40")], edr=[unlock()])
    answer = folder.answer()
    assert answer["person"] is None
    assert "p-eve" in answer["candidates"]


def test_a_lease_that_was_released_does_not_identify_the_device(folder):
    usual(folder, dhcp=[lease("09:00"), lease("09:20", action="device.lease.release", outcome="released")], edr=[unlock()])
    assert folder.answer()["person"] is None


def test_a_lease_that_was_refused_does_not_identify_the_device(folder):
    usual(folder, dhcp=[lease("09:00", who="eve"), lease("09:20", outcome="denied")], edr=[unlock()])
    assert folder.answer()["person"] is None


def test_an_address_that_several_sign_ons_share_identifies_none_of_them(folder):
    """Eve and Vic sit behind one public address; Eve wrote past the tunnel with Vic's token."""
    rows = [
        {
            "clock": f"09:{m}",
            "action": "session.vpn.connect",
            "actor": f"unix:{who}",
            "device": f"device:{who}-laptop",
            "ip": "ip:203.0.113.7",
        }
        for who, m in (("eve", 20), ("kim", 25), ("vic", 30))
    ]
    usual(folder, act=[write(ip="ip:203.0.113.7", credential="token:vic")], dhcp=rows, edr=[unlock()])
    answer = folder.answer()
    assert answer["person"] is None
    assert "p-eve" in answer["candidates"]


def test_a_sign_on_that_was_refused_carries_nothing(folder):
    vpn = {
        "clock": "09:30",
        "action": "session.vpn.connect",
        "actor": "unix:vic",
        "device": "device:vic-laptop",
        "ip": "ip:10.0.0.7",
        "outcome": "denied",
    }
    usual(folder, dhcp=[vpn], edr=[unlock()])
    assert folder.answer()["person"] is None


def test_records_of_devices_outside_the_cases_window_are_not_read(folder):
    days = [{**row, "time": f"2024-05-20T{row['clock']}:00Z"} for row in (write(), lease(), unlock(), command())]
    usual(folder, act=days[:1], dhcp=days[1:2], edr=days[2:])
    assert folder.answer()["person"] is None


def test_a_status_of_success_in_numbers_is_no_failure(folder, reached):
    usual(folder, act=[write(outcome="200")])
    assert reached(folder.answer(), "account")


# Statements.


def harm(folder, repository):
    """Eve's commit, pushed by her; what follows is about what it reached."""
    base = repository.commit("kim", "07:00", "a")
    hers = repository.commit("eve", "08:00", "bad", base)
    pushed = {
        "clock": "08:30",
        "action": "code.push",
        "actor": "gitlab:eve",
        "object": "git:train#refs/heads/main",
        "target": f"git:train@{hers}",
        "prior": f"git:train@{base}",
    }
    folder.log("forge", [pushed])
    folder.ask(f"git:train@{hers}")
    return hers


def test_true_dates_and_open_answers_decide_no_statement(folder):
    folder.people["p-vic"] = ("2020-01-01T00:00:00Z", "2024-06-01T00:00:00Z")
    folder.log("store", [write()])
    folder.ask(MODEL)
    for test in ("left-before", "not-me", "someone-else", "scale", "not-affected"):
        folder.says(test, quantity="jobs", at_least=1, object="s3://models/*")
    assert {s["verdict"] for s in folder.examine()["statements"]} == {"not resolved"}


def test_records_of_another_month_do_not_show_that_nothing_was_affected(folder, repository):
    hers = harm(folder, repository)
    folder.log("slurm", [{"clock": "10:00", "action": "job.launch", "actor": "unix:vic", "object": "slurm:gpu/1041", "commit": hers}])
    folder.log("store", [{"time": "2024-06-02T10:00:00Z", "action": "object.write", "actor": "aws:kim", "object": "s3://chat/old.pt"}])
    folder.says("not-affected", object="s3://chat/*")
    assert folder.examine()["statements"][0]["verdict"] == "not resolved"


def test_jobs_whose_gpus_nobody_wrote_down_do_not_bound_a_scale(folder, repository):
    hers = harm(folder, repository)
    head = "Cluster|JobID|User|UID|Account|Partition|Submit|Start|End|State|ExitCode|NodeList|AllocTRES|ReqTRES|WorkDir|SubmitLine|Comment|Restarts\n"
    job = (
        "gpu|{}|vic|1|r|gpu|2024-06-12T10:00:00|2024-06-12T10:00:00|2024-06-12T12:00:00|COMPLETED|0:0|gp001|{}||/x|sbatch --export=ALL,GIT_COMMIT="
        + hers
        + " run.sh||0\n"
    )
    folder.text("sacct.txt", "slurm", head + job.format(1, "gres/gpu=8") + job.format(2, ""), more='timezone = "UTC"', host="gpu")
    folder.says("scale", quantity="gpus", at_least=100)
    folder.says("scale", quantity="gpu_hours", at_least=100)
    found = folder.examine()
    assert found["impact"][0]["jobs"] == ["slurm:gpu/1", "slurm:gpu/2"]
    assert [s["verdict"] for s in found["statements"]] == ["not resolved", "not resolved"]


# What is known of the others.


def test_who_had_left_the_building_is_less_likely_to_have_acted_inside(folder):
    usual(folder, act=[write(credential="token:vic")], edr=[unlock()])
    before = {h["person"]: h["lr"]["point"] for h in folder.answer()["alternatives"]}
    folder.log("badge", [{"clock": "09:50", "action": "person.present", "actor": "badge:eve", "object": "place:hq", "outcome": "out"}])
    answer = folder.answer()
    after = {h["person"]: h["lr"]["point"] for h in answer["alternatives"]}
    assert after["p-eve"] > before["p-eve"]
    assert after["p-bob"] == before["p-bob"]
    assert answer["person"] is None


def test_a_keeper_of_another_log_needs_the_account_like_anybody(folder):
    """Who could have written the lease could not have written the store's log: to act as Vic he needs Vic's token."""
    folder.log("store", [write()])
    folder.log("dhcp", [lease()], controllers=["p-kim"])
    folder.log("edr", [unlock(), command()])
    folder.ask(MODEL)
    ratios = {(h["person"], h["mechanism"]): h["lr"]["point"] for h in folder.answer()["alternatives"]}
    lease_alone = (0.9 * 0.95 + 0.05) / (0.9 * 0.05 + 0.05)
    assert ratios["p-bob", "credential-misuse"] / ratios["p-kim", "forged-record"] == pytest.approx(lease_alone, rel=0.01)
