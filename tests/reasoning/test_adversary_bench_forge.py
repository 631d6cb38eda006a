"""The opponent once more: what a forge merges of itself, robots' own runs, and images under several names."""

import json

import pytest

from forensics.reasoning.images import parts, pushes_another


def lease(clock="08:30", who="vic", ip="ip:10.0.0.7"):
    return {"clock": clock, "action": "device.lease", "device": f"device:{who}-laptop", "ip": ip}


def on_device(clock, who="vic", line="git push origin HEAD", action="device.process"):
    return {"clock": clock, "action": action, "actor": f"unix:{who}", "device": f"device:{who}-laptop", "object": line}


def devices(folder, *rows):
    """Leases of Vic's and Eve's laptops, and the sensor on everybody's."""
    folder.log("dhcp", [lease(), lease(who="eve", ip="ip:10.0.0.9")])
    awake = [on_device("08:40", who, action="device.unlock") for who in ("bob", "eve", "kim", "vic")]
    folder.log("edr", [*awake, *rows], "T4")


def on_github(folder, *more):
    for who in ("bob", "eve", "kim", "vic"):
        folder.holds(f"github:{who}", f"p-{who}")
        folder.holds(f"email:{who}@lab.example", f"p-{who}")
    for row in more:
        folder.holds(*row)


def activity(folder, *lines):
    """The forge's list of who moved which branch: clock, account, ref, before, after, how."""
    rows = [
        {"id": n, "before": before or "0" * 40, "after": after, "ref": f"refs/heads/{ref}", "timestamp": f"2024-06-12T{clock}:00Z",
         "activity_type": kind, "actor": {"login": who, "id": n}}
        for n, (clock, who, ref, before, after, kind) in enumerate(lines)
    ]  # fmt: skip
    folder.text("activity.json", "github_activity", json.dumps(rows), more='repo = "train"')


def audit(folder, *rows):
    """The forge's audit log, which has addresses, and no commits."""
    folder.log("audit", [{"clock": c, "action": a, "actor": f"github:{w}", "object": o, "ip": ip} for c, a, w, o, ip in rows])


VICS, EVES = "ip:10.0.0.7", "ip:10.0.0.9"
REQUEST = "github:lab/train!7"
MERGED = [("09:05", "code.request", "vic", REQUEST, VICS), ("10:00", "code.merge", "vic", REQUEST, VICS)]


def own_request(
    folder, repository, *, author="vic", made_by=None, pusher="vic", ip=VICS, content="slow", pushed=True, kind="pr_merge", seen=()
):
    """Vic merges a request of his on the forge, which makes one commit of it; who pushed the branch is varied."""
    on_github(folder)
    base = repository.commit("kim", "07:00", "a")
    step = repository.commit(made_by or author, "08:55", content, base, branch="step")
    landed = repository.commit(author, "10:00", "slow", base, committer="noreply")
    branch = [("09:00", pusher, "step", "", step, "branch_creation")] if pushed else []
    activity(folder, ("07:01", "kim", "main", "", base, "push"), *branch, ("10:00", "vic", "main", base, landed, kind))
    audit(folder, *([("09:00", "code.push", pusher, "git:train", ip)] if pushed else []), *MERGED)
    devices(folder, on_device("09:00", "eve" if ip == EVES else "vic"), *seen)
    folder.ask(f"git:train@{landed}")
    return folder.answer()


def test_who_merged_what_he_had_pushed_is_answered_by_his_push(folder, repository):
    answer = own_request(folder, repository)
    assert (answer["person"], answer["account"], answer["flags"]) == ("p-vic", "github:vic", [])
    assert answer["when"]["from"] == "2024-06-12T09:00:00Z"


def test_whatever_name_he_gave_it(folder, repository):
    answer = own_request(folder, repository, author="kim")
    assert (answer["person"], answer["flags"]) == ("p-vic", ["author-mismatch"])


@pytest.mark.parametrize(
    "how",
    [
        {"pushed": False},
        {"content": "something else"},
        {"kind": "push"},
    ],
    ids=["no record of the branch", "another content", "no merge"],
)
def test_a_merge_alone_does_not_tell_whose_hands_made_what_it_merged(folder, repository, how):
    answer = own_request(folder, repository, **how)
    assert (answer["rung"], answer["person"]) == ("account", None)
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


@pytest.mark.parametrize(
    "how",
    [
        {"pusher": "eve", "ip": EVES},
        {"ip": EVES},
        {"made_by": "eve", "seen": [on_device("08:55", "eve", "git commit -am x")]},
        {"author": "eve", "seen": [on_device("08:55", "eve", "git commit -am x")]},
    ],
    ids=["another pushed it", "from another's device", "another made it", "another made it under her name"],
)
def test_what_another_brought_to_the_branch_is_not_its_mergers(folder, repository, how):
    answer = own_request(folder, repository, **how)
    assert answer["person"] != "p-vic"
    assert "p-eve" in answer["candidates"]


def tried_before(folder, repository, ip):
    """Vic had tried the very same at 08:10; at 09:00 it is pushed anew under his account, and merged."""
    on_github(folder)
    base = repository.commit("kim", "07:00", "a")
    tried = repository.commit("vic", "08:05", "slow", base, branch="try")
    step = repository.commit("vic", "08:55", "slow", base, branch="step")
    landed = repository.commit("vic", "10:00", "slow", base, committer="noreply")
    moves = [("08:10", "vic", "try", "", tried, "branch_creation"), ("09:00", "vic", "step", "", step, "branch_creation")]
    activity(folder, ("07:01", "kim", "main", "", base, "push"), *moves, ("10:00", "vic", "main", base, landed, "pr_merge"))
    pushes = [(clock, "code.push", "vic", "git:train", where) for clock, where in (("08:10", VICS), ("09:00", ip))]
    audit(folder, *pushes, *((c, a, w, o, ip) for c, a, w, o, _ in MERGED))
    folder.log("dhcp", [lease("08:00"), lease("08:00", "eve", EVES)])
    folder.log(
        "edr", [*(on_device("08:01", w, action="device.unlock") for w in ("eve", "vic")), on_device("08:10"), on_device("09:00")], "T4"
    )
    folder.ask(f"git:train@{landed}")
    return folder.answer()


def test_what_he_pushed_twice_from_one_place_is_his(folder, repository):
    assert tried_before(folder, repository, VICS)["person"] == "p-vic"


def test_what_came_under_his_account_from_two_places_is_not_told_by_the_first(folder, repository):
    answer = tried_before(folder, repository, EVES)
    assert answer["person"] is None
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


# A queue merges what others accepted.


def queued(folder, repository, count, *, reviewed=True, asked=True, queue="queue[bot]"):
    """So many changes of the branch before, each merged by the forge's queue; then Vic's, straight."""
    on_github(folder, ("github:queue[bot]", "p-kim", "service"))
    last = repository.commit("kim", "06:00", "0")
    moves, rows = [("06:00", "kim", "main", "", last, "push")], []
    for n in range(count):
        made, request = repository.commit("eve", f"07:{10 + n}", f"{n + 1}", last), f"github:lab/train!{n}"
        moves.append((f"07:{10 + n}", queue, "main", last, made, "merge_queue_merge"))
        rows += [(f"07:{10 + n}", "code.merge", queue, request, None)]
        rows += [("07:05", "code.request", "eve", request, EVES)] if asked else []
        rows += [("07:06", "code.review", "bob" if reviewed else "eve", request, EVES)] if asked else []
        last = made
    mine = repository.commit("vic", "09:50", "b", last)
    activity(folder, *moves, ("10:00", "vic", "main", last, mine, "push"))
    audit(folder, *rows, ("10:00", "code.push", "vic", "git:train", VICS))
    devices(folder, on_device("10:00"))
    folder.ask(f"git:train@{mine}")
    return folder.answer()["flags"]


def test_a_straight_push_past_a_merge_queue_is_flagged(folder, repository):
    assert "unreviewed" in queued(folder, repository, 10)


@pytest.mark.parametrize(
    "how", [{"count": 5}, {"count": 10, "reviewed": False}, {"count": 10, "asked": False}], ids=["few", "nobody looked", "not on record"]
)
def test_a_queue_that_merges_what_nobody_accepted_makes_no_habit(folder, repository, how):
    assert "unreviewed" not in queued(folder, repository, **how)


# A robot's own run.


def by_the_robot(folder, repository, *rows, holders=("p-kim",)):
    """The robot pushed to main at 10:00, on top of what stood there."""
    on_github(folder, *(("github:ci[bot]", p, "service") for p in holders))
    base = repository.commit("kim", "07:00", "a")
    bumped = repository.commit("ci", "09:59", "b", base)
    activity(folder, ("07:01", "kim", "main", "", base, "push"), ("10:00", "ci[bot]", "main", base, bumped, "push"))
    folder.log("runs", [{"object": "pipeline:1", "session": base} | r for r in rows])
    folder.ask(f"git:train@{bumped}")
    return folder.answer()


ENDED = {"clock": "10:00:08", "action": "automation.end"}


def test_a_robots_push_in_a_run_that_nobody_set_off_is_automation(folder, repository):
    answer = by_the_robot(folder, repository, ENDED)
    assert (answer["rung"], answer["person"], answer["mechanism"]) == ("account", None, "automation")


@pytest.mark.parametrize(
    "row",
    [{**ENDED, "session": "e" * 40}, {**ENDED, "clock": "13:00"}, {**ENDED, "action": "log.message"}],
    ids=["on another commit", "hours later", "no run"],
)
def test_a_robots_credential_used_outside_of_a_run_is_no_automation(folder, repository, row):
    answer = by_the_robot(folder, repository, row)
    assert (answer["person"], answer["mechanism"]) == (None, "shared-identity")


def test_a_robot_whose_credential_several_may_use_is_theirs(folder, repository):
    assert by_the_robot(folder, repository, ENDED, holders=("p-kim", "p-eve"))["mechanism"] == "shared-identity"


# Images: with a registry's host before them, or without.

HOST, NEW, OLD = "111122223333.dkr.ecr.eu-west-1.amazonaws.com", "sha256:" + "ab" * 32, "sha256:" + "cd" * 32


def put(number, clock, digest=NEW, who="vic", ip="10.0.0.7", name="ml/base", tag="stable", **more):
    """A record of CloudTrail that an image was pushed."""
    answer = {"image": {"repositoryName": name, "imageId": {"imageDigest": digest, "imageTag": tag}}}
    return {
        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::111122223333:user/{who}", "userName": who}, "eventTime": f"2024-06-12T{clock}:00Z",
        "eventSource": "ecr.amazonaws.com", "eventName": "PutImage", "sourceIPAddress": ip, "requestParameters": {"repositoryName": name, "imageTag": tag},
        "responseElements": answer, "eventID": f"00000000-0000-4000-8000-{number:012d}", **more,
    }  # fmt: skip


def pushed_image(folder, asked, *records, others=(), seen=("docker push " + HOST + "/ml/base:stable",)):
    folder.text(
        "trail.json", "cloudtrail", json.dumps({"Records": [put(1, "09:00", OLD, "kim", "10.0.0.8"), *(records or [put(2, "10:00")])]})
    )
    folder.log("registry", others)
    devices(folder, *(on_device("09:59:57", line=line) for line in seen))
    folder.ask(asked)
    return folder.answer()


SHORT, FULL = f"image:ml/base@{NEW}", f"image:{HOST}/ml/base@{NEW}"


@pytest.mark.parametrize("asked", [SHORT, FULL])
def test_a_pushed_image_is_found_however_it_is_spelled(folder, asked):
    answer = pushed_image(folder, asked)
    assert (answer["account"], answer["person"], answer["object"]) == ("aws:vic", "p-vic", asked)


@pytest.mark.parametrize("asked", [f"image:base@{NEW}", f"image:other/base@{NEW}", f"image:ml/base@sha256:{'ef' * 32}"])
def test_another_name_or_digest_is_another_image(folder, asked):
    assert (pushed_image(folder, asked)["rung"]) == "none"


@pytest.mark.parametrize(
    "record", [put(2, "10:00", errorCode="AccessDenied"), put(2, "10:00", errorCode="ImageAlreadyExistsException", responseElements=None)]
)
def test_a_push_that_was_refused_put_no_image(folder, record):
    assert pushed_image(folder, SHORT, record)["account"] is None


def test_the_same_image_pushed_by_two_people_is_given_to_neither(folder):
    answer = pushed_image(folder, FULL, put(2, "09:50", who="eve", ip="10.0.0.9", tag="try"), put(3, "10:00"))
    assert (answer["rung"], answer["person"]) == ("change", None)
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


@pytest.mark.parametrize(("host", "rung"), [(HOST, "change"), ("registry.example", "person")])
def test_what_was_pushed_to_another_registry_is_another_act(folder, host, rung):
    """Eve's push of the same content, in a log that names its registry."""
    hers = {"clock": "09:55", "action": "object.write", "actor": "aws:eve", "object": f"image:{host}/ml/base@{NEW}", "ip": EVES}
    assert pushed_image(folder, FULL, others=[hers])["rung"] == rung


def elsewhere(folder, line):
    """Vic's key is used from an unknown address, and Eve types something at that moment."""
    records = [put(1, "09:00", OLD, "kim", "10.0.0.8"), put(2, "10:00", ip="203.0.113.9")]
    folder.text("trail.json", "cloudtrail", json.dumps({"Records": records}))
    devices(folder, on_device("09:59:57", "eve", line))
    folder.ask(SHORT)
    return folder.answer()


@pytest.mark.parametrize("line", [f"docker push {HOST}/ml/other:stable", f"docker push {HOST}/ml/base:stable", "aws s3 cp a s3://b/c"])
def test_what_another_types_at_that_moment_does_not_give_her_the_push(folder, line):
    answer = elsewhere(folder, line)
    assert answer["person"] is None
    assert {"p-eve", "p-vic"} <= set(answer["candidates"])


@pytest.mark.parametrize(
    ("line", "another"),
    [
        (f"docker push {HOST}/ml/base:stable", False),
        ("docker push --all-tags ml/base", False),
        ("docker push ml/base", True),
        ("docker push ml/base:dev", True),
        ("docker push ml/other:stable", True),
        ("docker image push -q ml/base:stable", False),
        (f"skopeo copy docker://{HOST}/ml/base:stable docker://mine.example/x:1", True),
        ("make release", False),
        ("aws s3 cp a s3://b/ml/base:stable", True),
    ],
)
def test_a_command_that_pushes_another_image_does_not_lead_to_this_one(line, another):
    assert pushes_another(line.split(), SHORT, "stable") is another


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (FULL, (HOST, "ml/base", "", NEW)),
        (SHORT, ("", "ml/base", "", NEW)),
        ("docker://localhost:5000/t:v1", ("localhost:5000", "t", "v1", "")),
        ("base", ("", "base", "", "")),
        ("image:" + "." * 50_000, ("", "." * 50_000, "", "")),
    ],
)
def test_an_images_name_is_taken_apart(written, read):
    assert parts(written) == read
