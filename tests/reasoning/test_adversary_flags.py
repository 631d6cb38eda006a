"""Flags and statements that must not be raised or decided wrongly. Each name says what must hold."""

FILE = "file:///share/env/fused.py"


def left(folder):
    """Vic left on the 7th, with device, card and sign-on; the account was forgotten."""
    folder.people["p-vic"] = ("2020-01-01T00:00:00Z", "2024-06-07T18:00:00Z")
    folder.drop("device:vic-laptop", "badge:vic")
    for identifier in ("device:vic-laptop", "badge:vic"):
        folder.holds(identifier, "p-vic", until="2024-06-07T18:00:00Z")
    folder.says("left-before")
    folder.says("defect")
    folder.ask(FILE)


def test_what_a_schedule_runs_after_its_setter_left_is_no_act_after_departure(folder):
    left(folder)
    folder.log("watch", [{"clock": "03:00:02", "action": "file.write", "actor": "unix:vic", "object": FILE, "host": "login-1"}])
    found = folder.examine()
    assert "after-departure" not in found["answers"][0]["flags"]
    assert [s["verdict"] for s in found["statements"]] == ["not resolved", "not resolved"]


def test_an_account_signed_on_to_after_its_holder_left_is_flagged(folder):
    left(folder)
    model = "s3://models/base.pt"
    folder.questions = []
    folder.ask(model)
    folder.log("store", [{"clock": "10:00", "action": "object.write", "actor": "aws:vic", "object": model, "ip": "ip:10.0.0.9"}])
    found = folder.examine()
    assert "after-departure" in found["answers"][0]["flags"]
    assert [s["verdict"] for s in found["statements"]] == ["supported", "not resolved"]


# Dates.


def push(clock, who, target, day=12, ref="main"):
    time = f"2024-06-{day:02d}T{clock}:00Z"
    return {
        "time": time,
        "action": "code.push",
        "actor": f"gitlab:{who}",
        "object": f"git:train#refs/heads/{ref}",
        "target": f"git:train@{target}",
    }


def dated(folder, repository, parent_pushed, *more):
    parent = repository.commit("kim", "06:00", "a")
    late = repository.commit("vic", "07:00", "b", parent)
    rows = [
        push("06:05", "kim", parent, parent_pushed),
        *[push("10:00", "bob", parent, day, f"release-{day}") for day in more],
        push("09:00", "vic", late, 20),
    ]
    folder.log("forge", rows)
    folder.ask(f"git:train@{late}")
    return folder.answer()["flags"]


def test_a_branch_made_later_at_the_parent_backdates_nothing(folder, repository):
    assert "backdated" not in dated(folder, repository, 12, 18)


def test_dates_before_the_parents_first_push_are_backdated(folder, repository):
    assert "backdated" in dated(folder, repository, 16, 18)


# A laptop that changed hands.


def on_anothers(folder, user):
    model = "s3://models/base.pt"
    folder.log("store", [{"clock": "10:00", "action": "object.write", "actor": "aws:vic", "object": model, "ip": "ip:10.0.0.7"}])
    folder.log("dhcp", [{"clock": "09:30", "action": "device.lease", "device": "device:eve-laptop", "ip": "ip:10.0.0.7"}])
    folder.log("edr", [{"clock": "08:40", "action": "device.logon", "actor": f"unix:{user}", "device": "device:eve-laptop"}])
    folder.ask(model)
    return folder.answer()["flags"]


def test_a_replaced_laptop_that_its_new_user_alone_works_on_is_no_reuse(folder):
    assert "credential-reuse" not in on_anothers(folder, "vic")


def test_a_laptop_that_its_registered_owner_works_on_is_reuse(folder):
    assert "credential-reuse" in on_anothers(folder, "eve")


# An unlocked laptop.


def on_his_own(folder, **where):
    model = "s3://models/base.pt"
    folder.log("store", [{"clock": "10:00", "action": "object.write", "actor": "aws:vic", "object": model, "ip": "ip:10.0.0.7"}])
    folder.log("dhcp", [{"clock": "09:30", "action": "device.lease", "device": "device:vic-laptop", "ip": "ip:10.0.0.7"}])
    folder.log("seen", [{"actor": "badge:vic", **where}])
    folder.ask(model)
    return folder.answer()["flags"]


def test_a_laptop_left_behind_by_its_owner_who_had_left_is_an_overlap(folder):
    left = {"clock": "09:40", "action": "person.present", "object": "place:hq", "outcome": "out"}
    assert "impossible-overlap" in on_his_own(folder, **left)


def test_who_works_on_his_own_laptop_in_a_meeting_is_no_overlap(folder):
    assert "impossible-overlap" not in on_his_own(folder, clock="09:50", action="meeting.attend", object="meeting:board")


# Taken off a branch.


def taken_off(folder, repository, ref, who="vic"):
    """Vic's commit was on a branch, ran in a job of somebody's, and was taken off it."""
    base = repository.commit("kim", "06:00", "a")
    gone = repository.commit("vic", "07:00", "b", base, branch=ref)
    repository.commit("vic", "11:00", "c", base, branch=ref)
    folder.log("forge", [push("06:05", "kim", base), push("07:05", "vic", gone, ref=ref)])
    job = {"clock": "08:00", "action": "job.launch", "actor": f"unix:{who}", "object": "slurm:gpu/1", "commit": gone}
    folder.log("sched", [job])
    folder.ask(f"git:train@{gone}")
    return folder.answer()["flags"]


def test_ones_own_branch_that_only_ones_own_job_ran_was_not_rewritten(folder, repository):
    assert "rewritten-history" not in taken_off(folder, repository, "vic-wip")


def test_ones_own_branch_that_anothers_job_ran_was_rewritten(folder, repository):
    assert "rewritten-history" in taken_off(folder, repository, "vic-wip", "kim")


def test_what_was_on_everybodys_branch_and_taken_off_was_rewritten(folder, repository):
    assert "rewritten-history" in taken_off(folder, repository, "main")
