"""Known answers of gitlab-shell.log."""

import json

import pytest

LINE = {
    "command": "git-receive-pack", "correlation_id": "01H", "gl_key_id": 583, "gl_key_type": "key", "gl_project_path": "core/train",
    "level": "info", "msg": "executing git command", "remote_ip": "192.0.2.10", "time": "2024-06-12T01:10:42Z", "username": "mei",
}  # fmt: skip


def only(read, **changed):
    (found,) = read("gitlab_shell", json.dumps(LINE | changed).encode(), host="git.lab.example").events
    return found


def test_a_push(read):
    found = only(read)
    assert (found.action, found.object, found.actor) == ("code.push", "git:train", "gitlab:mei")
    assert (found.ip, found.credential, found.session) == ("ip:192.0.2.10", "gitlab-key:583", "gitlab:01H")
    assert found.time == 1718154642_000000000


@pytest.mark.parametrize("command", ["git-upload-pack", "git-upload-archive"])
def test_fetches(read, command):
    assert only(read, command=command).action == "code.fetch"


def test_only_the_command_itself_is_the_push(read):
    found = only(
        read,
        command="*receivepack.Command",
        env={"OriginalCommand": "git-receive-pack 'core/train.git'", "RemoteAddr": "192.0.2.10"},
        remote_ip=None,
    )
    assert (found.action, found.ip) == ("log.message", "ip:192.0.2.10")
    assert json.loads(found.attrs)["original_command"] == "git-receive-pack 'core/train.git'"


def test_a_deploy_key_is_no_users_key(read):
    assert only(read, gl_key_type="deploy_key").credential == "gitlab-deploy-key:583"


@pytest.mark.parametrize(
    ("written", "ip"),
    [("::ffff:192.0.2.7", "ip:192.0.2.7"), ("[2001:db8::1]:22", "ip:2001:db8::1"), ("10.0.0.1:55", "ip:10.0.0.1"), ("-", None)],
)
def test_addresses(read, written, ip):
    assert only(read, remote_ip=written).ip == ip
