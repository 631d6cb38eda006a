"""What hosts' records say of an act elsewhere: the number of an account and its name, the gateway that somebody came through, hardware that is the cause."""

from types import SimpleNamespace

import pytest

from forensics.model import Identifier, Mechanism, Rung, Statement
from forensics.reasoning.causes.ranking import Cause, Comparison
from forensics.reasoning.causes.runs import Runs
from forensics.reasoning.hardware import node_behind
from forensics.reasoning.identity import identities
from forensics.reasoning.impact import Impact
from forensics.reasoning.policy import read_policy
from forensics.reasoning.statements import Coverage, Outcome, judge
from tests.reasoning.conftest import at
from tests.reasoning.test_adversary_given import JOB, logged_in, opened, ran
from tests.reasoning.test_adversary_shared import lease, login, on_device, sign_on

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


# What a gateway did in somebody's name came over his session there.

HUB = "hub1.lab.example"
MODEL = "hdfs://nn/models/m.pt"


def by_the_hub(who="vic", clock="10:00:00", command="create", name="m.pt", ip="10.9.0.1", real=f"jhub/{HUB}@LAB.EXAMPLE (auth:KERBEROS)"):
    ugi = f"{who} (auth:PROXY) via {real}"
    return f"2024-06-12 {clock},000 INFO FSNamesystem.audit: allowed=true\tugi={ugi}\tip=/{ip}\tcmd={command}\tsrc=/models/{name}\tdst=null\tperm=null\tproto=rpc\n"


def at_hub(clock, who="vic", what="open", ip="ip:10.0.0.7", host=HUB, **more):
    return {
        "clock": clock,
        "action": f"session.hub.{what}",
        "actor": f"unix:{who}",
        "ip": ip,
        "host": host,
        "object": f"/user/{who}",
        "session": who,
        **more,
    }


OTHERS = by_the_hub("eve", "09:00:00", "open", "x.csv")
DONE = OTHERS + by_the_hub()


def through(folder, *rows, lines=DONE, leases=(), sshd=()):
    folder.text("hdfs.log", "hdfs_audit", lines, host="nn", more='timezone = "UTC"')
    folder.log("hub", [at_hub("08:50", "eve", ip="ip:10.0.0.9"), *rows])
    folder.log("dhcp", [lease(), lease("08:31", "eve", "ip:10.0.0.9"), *leases])
    folder.log("web", [sign_on("vic", "ip:10.0.0.7"), sign_on("eve", "ip:10.0.0.9", "08:35")], "T4")
    folder.log(
        "edr",
        [
            on_device(c, w, action=f"device.{a}lock")
            for c, w, a in (("08:41", "eve", "un"), ("09:32", "vic", "un"), ("11:00", "vic", ""), ("11:01", "eve", ""))
        ],
        "T4",
    )
    if sshd:
        folder.log("sshd", list(sshd), "T4")
    folder.ask(MODEL)
    return folder.answer()


@pytest.mark.parametrize(
    "rows",
    [
        [at_hub("09:50")],
        [at_hub("09:50", host="hub1")],
        [at_hub("09:40"), at_hub("09:45", what="close"), at_hub("09:50"), at_hub("10:30", what="close")],
        [at_hub("09:50", actor="gitlab:vic")],  # another name of his
    ],
)
def test_what_a_gateway_did_for_somebody_came_over_his_one_session_there(folder, rows):
    answer = through(folder, *rows)
    assert (answer["person"], answer["account"], answer["mechanism"]) == ("p-vic", "unix:vic", "own-account")
    assert "shared-address" not in answer["flags"]


def test_who_sat_at_the_gateway_in_anothers_name_is_whose_device_it_was(folder):
    assert through(folder, at_hub("09:50", ip="ip:10.0.0.9"))["person"] != "p-vic"


def test_the_gateways_key_on_a_laptop_is_no_session_on_the_gateway(folder):
    lines = by_the_hub("eve", "09:00:00", "open", "x", "10.0.0.9") + by_the_hub(ip="10.0.0.9")
    assert through(folder, at_hub("09:50"), lines=lines)["person"] != "p-vic"


@pytest.mark.parametrize(
    ("rows", "more"),
    [
        ([], {}),
        ([at_hub("09:40"), at_hub("09:50", what="close")], {}),  # none was open any more
        ([at_hub("10:05")], {}),
        ([at_hub("09:50", host="hub2.lab.example")], {}),
        ([at_hub("09:50", actor="unix:kim")], {}),
        ([at_hub("09:45", ip="ip:10.0.0.9", session="a"), at_hub("09:50", session="b")], {}),  # two were open
        ([at_hub("09:35", ip="ip:10.0.0.9"), at_hub("09:36", what="close"), at_hub("09:50")], {}),  # what one began that day outlasts it
        ([at_hub("09:50"), {**at_hub("09:00", ip="ip:10.0.0.9"), "time": at("09:00", 11)}], {"leases": [{**lease("08:00", "eve", "ip:10.0.0.9"), "time": at("08:00", 11)}]}),
        ([at_hub("09:50")], {"lines": OTHERS + by_the_hub(real=f"jhub/{HUB}@LAB.EXAMPLE (auth:SIMPLE)")}),  # anybody can call himself so
        ([at_hub("09:50")], {"lines": OTHERS + by_the_hub(ip="10.9.0.5")}),  # the gateway's key, used from elsewhere
        ([at_hub("09:50")], {"lines": by_the_hub()}),  # nothing shows that it serves several
        ([at_hub("09:50"), at_hub("09:20", "kim", object="/user/vic", ip=None)], {}),  # another was in his notebooks
        ([at_hub("09:50")], {"sshd": [login("09:20", "unix:eve", "ip:10.0.0.9", 3, HUB)]}),  # and another logged in on the gateway itself
    ],
)  # fmt: skip
def test_it_names_nobody_where_another_way_is_open(folder, rows, more):
    answer = through(folder, *rows, **more)
    assert (answer["person"], answer["account"]) == (None, "unix:vic")


# A commit is no cause of a harm that a node did before it.

NODE = "node:gpu/n7"


def blamed(
    *, starts=(10, 20, 60, 70), who=("kim", "eve", "eve", "kim"), ran=(2, 3, 4, 5), person="p-vic", cause=None, more=(), flags=(), hides=()
):
    """Four harmed runs on one node, three healthy ones elsewhere; Vic's commit was pushed at 50 and reached the runs `ran`."""
    jobs = tuple(f"slurm:gpu/{n}" for n in range(7))
    facts = tuple({"actor": f"unix:{w}"} for w in (*who, "kim", "kim", "kim"))
    first = Cause(NODE, 1.0, 4, 0, 0.0, "", None, "", "node", jobs[:4], **(cause or {}))
    found = Comparison((first, *more), Runs(jobs, (*starts, 80, 90, 95), facts, 0b0001111, 0b1110000))
    known = identities(
        SimpleNamespace(people=(), identifiers=[Identifier(f"unix:{w}", f"p-{w}", "personal", None, None) for w in ("kim", "eve", "vic")])
    )
    view = SimpleNamespace(known=known, policy=read_policy(None), tables=SimpleNamespace(rows=lambda *_, **__: [{"source": "sacct"}]))
    answer = SimpleNamespace(person=person, dossier=SimpleNamespace(claimed={}, when=(50, 50)))
    reach = Impact("q1", tuple(jobs[n] for n in ran), (), (), (), (0.0, 0.0))
    node = node_behind(view, answer, reach, found, "p-vic")
    rung = Rung.PERSON if person else Rung.ACCOUNT
    outcome = Outcome(rung, person, Mechanism.OWN_ACCOUNT, ("p-vic",), (50, 50), (7,), ("forge",), flags=flags, hides=hides, node=node)
    return judge(None, Statement("s1", "p-vic", "as said", "defect", "q1"), outcome, reach, None, Coverage((), ())).verdict


def test_a_commit_is_not_at_fault_for_what_a_node_did_before_it():
    assert blamed() == "supported"


@pytest.mark.parametrize(
    "more",
    [
        {"starts": (51, 52, 60, 70)},  # code may look at where it runs
        {"starts": (10, 51, 60, 70)},
        {"who": ("vic", "vic", "eve", "kim")},  # his own runs may have had it before he pushed it
        {"who": ("kim", "stranger", "eve", "kim")},
        {"ran": (0, 1, 2, 4, 5)},
        {"ran": (4, 5, 6)},
        {"ran": (2, 3, 4)},
        {"ran": (2, 3)},
        {"person": None},
        {"cause": {"lead": True}},
        {"cause": {"healthy": ("slurm:gpu/4",)}},
        {"more": (Cause("git:train@abc", 0.9, 4, 1, 0.0, "", None, "", "commit"),)},
        {"flags": ("hidden-code",)},
        {"flags": ("backdated",)},
        {"hides": ("exec",)},
    ],
)
def test_it_stays_open_where_the_commit_may_have_a_part(more):
    assert blamed(**more) == "not resolved"
