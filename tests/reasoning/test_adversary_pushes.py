"""The opponent once more: pushes, and copies, names and clocks of logs."""

import pytest

MODEL = "s3://models/base.pt"
MAIN = "git:train#refs/heads/main"


def push(clock, sha, prior=None, actor="gitlab:vic", ref="main", repo="train", **more):
    before = {"prior": f"git:{repo}@{prior}"} if prior else {}
    return {
        "clock": clock,
        "action": "code.push",
        "actor": actor,
        "object": f"git:{repo}#refs/heads/{ref}",
        "target": f"git:{repo}@{sha}",
        "ip": "ip:10.0.0.7",
        **before,
        **more,
    }


def lease(clock="09:30", who="vic", ip="ip:10.0.0.7"):
    return {"clock": clock, "action": "device.lease", "device": f"device:{who}-laptop", "ip": ip}


def on_device(clock, who="vic", line="git push origin main", action="device.process"):
    return {"clock": clock, "action": action, "actor": f"unix:{who}", "device": f"device:{who}-laptop", "object": line}


def watched(*rows):
    """The sensor on everybody's devices: it would have seen a command there."""
    return [*(on_device("08:30", who, action="device.unlock") for who in ("bob", "eve", "kim", "vic")), *rows]


# Pushes.


def of_vics_device(folder, *rows):
    folder.log("dhcp", [lease()])
    folder.log("edr", [on_device("09:40", action="device.unlock"), on_device("10:00"), *rows], "T4")


def test_ones_own_push_is_named(folder, repository):
    base = repository.commit("kim", "08:00", "a")
    mine = repository.commit("vic", "09:50", "b", base)
    folder.log("forge", [push("10:00", mine, base)])
    of_vics_device(folder)
    folder.ask(f"git:train@{mine}")
    assert folder.answer()["person"] == "p-vic"


@pytest.mark.parametrize("prior", ["0" * 40, None])
def test_a_push_of_a_new_branch_does_not_take_over_what_lay_below_it(folder, repository, prior):
    """Eve's push is not in the log; Vic's new branch stands on her commit."""
    base = repository.commit("kim", "08:00", "a")
    hers = repository.commit("eve", "08:30", "bad", base)
    mine = repository.commit("vic", "09:50", "b", hers, branch="vic")
    folder.log("forge", [push("10:00", mine, prior, ref="vic")])
    of_vics_device(folder)
    folder.ask(f"git:train@{hers}")
    answer = folder.answer()
    assert answer["person"] is None
    assert "p-eve" in answer["candidates"]


def test_who_merges_a_forks_commit_did_not_make_it(folder, repository):
    base = repository.commit("kim", "08:00", "a")
    hers = repository.commit("eve", "08:30", "bad", base)
    folder.log("forge", [push("09:00", hers, base, actor="gitlab:eve", repo="eve-train", ip="ip:10.0.0.9"), push("10:00", hers, base)])
    of_vics_device(folder)
    folder.ask(f"git:train@{hers}")
    answer = folder.answer()
    assert answer["person"] != "p-vic"
    assert "p-eve" in answer["candidates"]


def test_two_records_of_one_push_that_name_two_people_name_nobody(folder, repository):
    base = repository.commit("kim", "08:00", "a")
    made = repository.commit("eve", "09:50", "b", base)
    folder.log("events", [push("09:59:59", made, base)])
    folder.log("shell", [push("10:00:00", made, base, actor="gitlab:eve", ip="ip:10.0.0.9")])
    of_vics_device(folder)
    folder.ask(f"git:train@{made}")
    answer = folder.answer()
    assert answer["person"] is None
    assert "p-eve" in answer["candidates"]


def test_two_records_of_one_push_hours_apart_name_nobody_by_the_wrong_clock(folder, repository):
    """One log is eight hours behind on every push; at that hour the address was Vic's."""
    shas = [repository.commit("kim", "07:00", "0")]
    for number in range(1, 5):
        shas.append(repository.commit("eve", f"07:0{number}", str(number), shas[-1]))
    folder.log("behind", [push(f"10:0{n}", shas[n], shas[n - 1]) for n in range(1, 5)])
    folder.log("right", [push(f"18:0{n}", shas[n], shas[n - 1]) for n in range(1, 5)])
    folder.log("dhcp", [lease(), lease("17:00", who="eve")])
    folder.log("edr", [on_device("09:40", action="device.unlock"), on_device("18:04", "eve")])
    folder.ask(f"git:train@{shas[4]}")
    answer = folder.answer()
    assert answer["person"] != "p-vic"
    assert "p-eve" in answer["candidates"]


def test_an_account_that_was_handed_on_does_not_name_its_later_holder(folder):
    folder.drop("gitlab:vic")
    folder.holds("gitlab:vic", "p-eve", until="2024-06-12T11:00:00Z")
    folder.holds("gitlab:vic", "p-vic", since="2024-06-12T11:00:00Z")
    folder.log("forge", [push("10:00", "a" * 40)])
    folder.log("dhcp", [lease(who="eve")])
    folder.log("edr", watched(on_device("10:00", "eve"), on_device("11:30")), "T4")
    folder.ask(MAIN)
    assert folder.answer()["person"] == "p-eve"


@pytest.mark.parametrize("tier", ["T4", "T5"])
def test_a_push_of_ones_own_in_the_same_minutes_is_no_reason_where_the_sensor_covers_no_other_device(folder, tier):
    folder.log("forge", [push("10:00", "a" * 40, credential="token:vic")])
    folder.log("edr", [on_device("10:02:30", line="git push other")], tier)
    folder.ask(MAIN)
    assert folder.answer()["person"] is None


def test_several_people_who_push_in_the_same_minutes_are_not_told_apart(folder):
    folder.log("forge", [push("10:00", "a" * 40, credential="token:vic")])
    folder.log("edr", [on_device("10:00"), on_device("10:01", "eve"), on_device("09:59", "kim")], "T4")
    folder.ask(MAIN)
    assert folder.answer()["person"] is None


def test_a_message_that_bears_the_word_push_is_no_push(folder):
    folder.log("forge", [push("10:00", "a" * 40)])
    folder.log("dhcp", [lease()])
    folder.log("edr", [on_device("10:00", line="git commit -m 'we push it tomorrow'")])
    folder.ask(MAIN)
    assert folder.answer()["person"] is None


def test_an_account_of_somebody_who_left_names_the_colleague_who_used_it(folder):
    folder.people["p-vic"] = ("2020-01-01T00:00:00Z", "2024-06-01T00:00:00Z")
    folder.log("forge", [push("10:00", "a" * 40)])
    folder.log("dhcp", [lease(who="eve")])
    folder.log("edr", watched(on_device("10:00", "eve")), "T4")
    folder.ask(MAIN)
    answer = folder.answer()
    assert (answer["person"], answer["flags"]) == ("p-eve", ["after-departure", "credential-reuse"])


def test_misuse_from_ones_own_device_names_the_one_at_that_device(folder):
    folder.log("forge", [push("10:00", "a" * 40, credential="token:vic")])
    folder.log("dhcp", [lease(who="eve")])
    folder.log("edr", watched(on_device("10:00", "eve")), "T4")
    folder.ask(MAIN)
    answer = folder.answer()
    assert (answer["person"], answer["mechanism"]) == ("p-eve", "credential-misuse")


# Copies, names, order.


@pytest.mark.parametrize(
    "form",
    [
        "same",
        "part",
        pytest.param(
            "whole seconds",
        ),
        pytest.param("fewer columns"),
    ],
)
def test_a_copy_of_a_log_corroborates_nothing(folder, form):
    rows = [on_device("09:40:10.600", action="device.unlock"), on_device("10:00:00.600")]
    whole = [row | {"clock": clock} for row, clock in zip(rows, ("09:40:11", "10:00:01"), strict=True)]
    copy = {
        "same": rows,
        "part": rows[:1],
        "whole seconds": whole,
        "fewer columns": [{k: v for k, v in row.items() if k != "object"} for row in rows],
    }[form]
    folder.log("forge", [push("10:00", "a" * 40, credential="token:vic")])
    folder.log("edr", rows)
    folder.log("dhcp", [lease()])
    folder.ask(MAIN)
    alone = folder.answer()
    folder.log("siem", copy)
    assert folder.answer()["alternatives"] == alone["alternatives"]


def test_two_writes_at_one_time_give_one_answer_whatever_their_logs_are_called(folder):
    seen = []
    for one, other in (("a", "b"), ("b", "a")):
        folder.sources, folder.questions = [], []
        folder.log(one, [{"clock": "10:00", "action": "object.write", "actor": "aws:vic", "object": MODEL, "ip": "ip:10.0.0.7"}])
        folder.log(other, [{"clock": "10:00", "action": "object.write", "actor": "aws:eve", "object": MODEL, "ip": "ip:10.0.0.9"}])
        folder.ask(MODEL)
        answer = folder.answer()
        seen.append((answer["rung"], answer["account"], answer["candidates"]))
    assert seen[0] == seen[1]


def test_zones_and_order_of_rows_change_no_answer(folder):
    rows = [on_device("09:40", action="device.unlock"), on_device("10:00"), on_device("10:00", "eve", "ls")]
    seen = []
    for again in (False, True):
        folder.sources, folder.questions = [], []
        log = (
            [
                {**{k: v for k, v in r.items() if k != "clock"}, "time": f"2024-06-12T{int(r['clock'][:2]) + 8}{r['clock'][2:]}:00+08:00"}
                for r in reversed(rows)
            ]
            if again
            else rows
        )
        folder.log("edr", log)
        folder.log("forge", [push("10:00", "a" * 40, credential="token:vic")])
        folder.log("dhcp", [lease()])
        folder.ask(MAIN)
        answer = folder.answer()
        seen.append((answer["rung"], answer["person"], answer["support"], [(x["person"], x["lr"]) for x in answer["alternatives"]]))
    assert seen[0] == seen[1]


def test_a_source_may_be_called_as_the_registers_are(folder):
    folder.log("case", [push("10:00", "a" * 40, credential="token:vic")], "T2")
    folder.ask(MAIN)
    folder.examine()


def test_an_older_state_brought_back_in_its_authors_name_is_not_its_authors(folder, repository):
    """Vic once pushed that very content; Eve brings it back over a fix, and writes his name into the commit."""
    base = repository.commit("kim", "07:00", "a")
    his = repository.commit("vic", "08:00", "slow", base)
    fixed = repository.commit("kim", "09:00", "fixed", his)
    back = repository.commit("vic", "10:00", "slow", fixed)
    folder.holds("email:vic@lab.example", "p-vic")
    steps = [("08:01", "vic", his, base), ("09:01", "kim", fixed, his), ("10:01", "eve", back, fixed)]
    folder.log(
        "forge",
        [
            {
                "clock": c,
                "action": "code.push",
                "actor": f"gitlab:{w}",
                "object": "git:train#refs/heads/main",
                "target": f"git:train@{after}",
                "prior": f"git:train@{before}",
            }
            for c, w, after, before in steps
        ],
    )
    folder.ask(f"git:train@{back}")
    assert folder.answer()["account"] == "gitlab:eve"


def test_a_commit_that_a_colleague_built_upon_and_pushed_first_is_given_to_neither(folder, repository):
    """Eve's commit went along below the head of Vic's branch; then she put it on main herself. Or Vic wrote it in her name."""
    base = repository.commit("kim", "08:00", "a")
    hers = repository.commit("eve", "09:30", "bad", base)
    mine = repository.commit("vic", "09:50", "b", hers, branch="vic")
    folder.holds("email:eve@lab.example", "p-eve")
    folder.log("forge", [push("09:00", base, "0" * 40, actor="gitlab:kim", ip="ip:10.0.0.3"), push("10:00", mine, base, ref="vic"),
                         push("10:01", hers, base, actor="gitlab:eve", ip="ip:10.0.0.9")])  # fmt: skip
    of_vics_device(folder)
    folder.ask(f"git:train@{hers}")
    answer = folder.answer()
    assert answer["person"] is None
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


@pytest.mark.parametrize(
    ("others", "apart", "led"),
    [(True, "59", True), (False, "59", False), (True, "40", False)],
    ids=["many people's", "one account's", "not at that second"],
)
def test_a_push_from_an_unknown_address_is_led_to_the_one_host_where_it_ran(folder, others, apart, led):
    """`git push` ran out of Vic's login on a host; the forge saw an address that no register knows. One that his account alone used may be a thief's."""
    more = [push("08:00", "b" * 40, actor="gitlab:kim", ip="ip:10.0.3.20", ref="kim")] if others else []
    folder.log("forge", [*more, push("10:00", "a" * 40, ip="ip:10.0.3.20")])
    login = {
        "clock": "09:45",
        "action": "session.ssh.open",
        "actor": "unix:vic",
        "ip": "ip:10.0.0.7",
        "host": "gate",
        "session": "ssh:gate/1",
    }
    line = "type=SYSCALL msg=audit({stamp}.000:7): arch=c000003e syscall=59 success=yes exit=0 items=1 ppid=1 pid=97 gid=0 tty=pts0 "
    line = line.format(stamp=1718150400 + 9 * 3600 + 59 * 60 + int(apart))
    line += 'uid=1001 auid=1001 ses=7 comm="git" exe="/usr/bin/git"\x1dUID="vic" AUID="vic"\n'
    argv = line.partition("): ")[0].replace("SYSCALL", "EXECVE") + '): argc=4 a0="git" a1="push" a2="origin" a3="main"\n'
    folder.text("audit.log", "auditd", line + argv, host="gate")
    folder.log("host", [login], "T3", host="gate")
    folder.log("dhcp", [lease()])
    folder.log("edr", watched(on_device("09:45", line="ssh gate")), "T4")
    folder.ask(MAIN, "2024-06-12T10:00:00Z")
    kinds = {i["kind"] for side in ("for", "against", "neutral") for i in folder.answer()[side]}
    assert ("host_command" in kinds) is led


# To land is not to make.

BODY = "".join(f"x{n} = 0\n" for n in range(20))


def landing(folder, repository, mine, *rows, base):
    """Vic's push, from his own laptop, of what bears Eve's name; `rows` tell what others had pushed before."""
    for who in ("eve", "kim", "vic"):
        folder.holds(f"email:{who}@lab.example", f"p-{who}")
    folder.log("forge", [*rows, push("10:00", mine, base)])
    of_vics_device(folder)
    folder.ask(f"git:train@{mine}")
    return folder.answer()


def of_eve(clock, sha, prior=None, ref="eve", who="eve"):
    return push(clock, sha, prior, actor=f"gitlab:{who}", ref=ref, ip="ip:10.0.0.9")


def test_who_picks_anothers_lines_onto_a_file_that_has_moved_on_did_not_write_them(folder, repository):
    base = repository.commit("kim", "08:00", "lr = 1\n" + BODY)
    hers = repository.commit("eve", "08:30", "lr = -1\n" + BODY, base, branch="eve")
    moved = repository.commit("kim", "08:40", "lr = 1\n" + BODY + "hot = 1\n", base)
    picked = repository.commit("eve", "09:50", "lr = -1\n" + BODY + "hot = 1\n", moved, committer="vic")
    answer = landing(folder, repository, picked, of_eve("08:31", hers), base=moved)
    assert answer["person"] != "p-vic"
    assert answer["account"] == "gitlab:eve"


def test_a_pick_with_a_line_of_ones_own_is_ones_own(folder, repository):
    base = repository.commit("kim", "08:00", "lr = 1\n" + BODY)
    hers = repository.commit("eve", "08:30", "lr = -1\n" + BODY, base, branch="eve")
    picked = repository.commit("eve", "09:50", "lr = -1\n" + BODY + "floor = 3\n", base, committer="vic")
    assert landing(folder, repository, picked, of_eve("08:31", hers), base=base)["person"] == "p-vic"


def test_what_a_third_person_pushed_first_is_neither_the_authors_nor_the_landers(folder, repository):
    base = repository.commit("kim", "08:00", "a = 1\n")
    first = repository.commit("kim", "08:20", "a = 2\n", base, branch="eve")
    again = repository.commit("eve", "08:30", "a = 2\n", base, branch="eve")
    squash = repository.commit("eve", "09:50", "a = 2\n", base, committer="vic")
    answer = landing(folder, repository, squash, of_eve("08:21", first, who="kim"), of_eve("08:31", again, first), base=base)
    assert (answer["rung"], answer["person"]) == ("change", None)
    assert {"p-eve", "p-kim", "p-vic"} <= set(answer["candidates"])


def test_nor_is_it_his_who_lands_it_in_his_own_name(folder, repository):
    base = repository.commit("eve", "08:00", "a = 1\n")
    first = repository.commit("kim", "08:20", "a = 2\n", base, branch="vic")
    squash = repository.commit("vic", "09:50", "a = 2\n", base)
    answer = landing(folder, repository, squash, of_eve("08:21", first, ref="vic", who="kim"), base=base)
    assert (answer["rung"], answer["person"]) == ("change", None)


def test_the_forges_own_merge_of_what_nobody_is_seen_to_push_is_nobodys(folder, repository):
    base = repository.commit("kim", "08:00", "a = 1\n")
    hers = repository.commit("eve", "08:30", "a = 2\n", base, committer="vic")
    merged = {"clock": "10:00", "action": "code.merge", "actor": "gitlab:vic", "object": "gitlab:7!1"}
    answer = landing(folder, repository, hers, merged, base=base)
    assert (answer["rung"], answer["person"]) == ("change", None)


def test_a_commit_on_the_other_side_of_a_merge_is_not_the_mergers(folder, repository):
    base = repository.commit("kim", "08:00", "a = 1\n")
    hers = repository.commit("eve", "08:30", "a = 2\n", base, branch="gone")
    merge = repository.commit("vic", "09:50", "a = 3\n", base, hers)
    for who in ("eve", "kim", "vic"):
        folder.holds(f"email:{who}@lab.example", f"p-{who}")
    folder.log("forge", [push("10:00", merge, base)])
    of_vics_device(folder)
    folder.ask(f"git:train@{hers}")
    answer = folder.answer()
    assert (answer["rung"], answer["person"]) == ("change", None)
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])
