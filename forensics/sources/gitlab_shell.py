"""gitlab-shell.log: each git command over SSH, with the account, key and address that it came from."""

from collections.abc import Iterator
from functools import partial

import msgspec

from forensics.errors import RecordError
from forensics.fields import address, attrs, decode
from forensics.model import Batch, Event, Piece, SourceConfig, Tier
from forensics.records import each_json, split_json
from forensics.source import Source
from forensics.times import instant


class _Environment(msgspec.Struct, gc=False, rename="pascal"):
    original_command: str | None = None
    remote_addr: str | None = None


class _Line(msgspec.Struct, gc=False):
    """A line: https://docs.gitlab.com/administration/logs/#gitlab-shelllog ."""

    time: str | None = None
    msg: str | None = None
    level: str | None = None
    command: str | None = None
    correlation_id: str | None = None
    git_protocol: str | None = None
    gl_key_id: int | str | None = None
    gl_key_type: str | None = None
    gl_project_path: str | None = None
    gl_repository: str | None = None
    remote_ip: str | None = None
    user_id: str | None = None
    username: str | None = None
    gl_id: str | None = None
    gl_username: str | None = None
    env: _Environment | None = None
    method: str | None = None
    status: int | None = None
    url: str | None = None
    error: str | None = None
    err: str | None = None


_DECODER = msgspec.json.Decoder(_Line)
_COMMANDS = {"git-receive-pack": "code.push", "git-upload-pack": "code.fetch", "git-upload-archive": "code.fetch"}
_KEYS = {"key": "gitlab-key", "deploy_key": "gitlab-deploy-key"}


def read(piece: Piece) -> Iterator[Batch]:
    """Turn the log's JSON lines into rows."""
    return each_json(piece, partial(_parse, piece.source))


def _parse(source: SourceConfig, data: bytes, start: int, end: int) -> tuple[Event]:
    line = decode(_DECODER, data)
    if line.time is None:
        raise RecordError("no line of gitlab-shell.log: it has no time")
    if line.msg is None and line.command is None and line.level is None:
        raise RecordError("no line of gitlab-shell.log: it has neither msg, command nor level")
    time, latest = instant(line.time, source.timezone)
    user = line.username or line.gl_username
    came_from = line.remote_ip or (line.env.remote_addr if line.env else None)
    return (
        Event(
            start,
            end,
            time,
            _COMMANDS.get(line.command or "", "log.message"),
            actor=f"gitlab:{user}" if user else None,
            object=_repository(line.gl_project_path),
            session=f"gitlab:{line.correlation_id}" if line.correlation_id else None,
            credential=_key(line),
            ip=address(came_from) if came_from else None,
            host=source.host or None,
            time_hi=latest,
            attrs=attrs(_facts(line, came_from)),
        ),
    )


def _repository(path: str | None) -> str | None:
    """Return `git:<repo>` of `<group>/<repo>`."""
    name = path.rstrip("/").rpartition("/")[2].removesuffix(".git") if path else ""
    return f"git:{name}" if name else None


def _key(line: _Line) -> str | None:
    """Name the SSH key by its number in GitLab, the only name that the log has for it; keys and deploy keys share one numbering."""
    if line.gl_key_id is None:
        return None
    return f"{_KEYS.get(line.gl_key_type or 'key', 'gitlab-key')}:{line.gl_key_id}"


def _facts(line: _Line, came_from: str | None) -> dict[str, object]:
    return {
        "command": line.command,
        "error": line.error or line.err,
        "level": line.level if line.level != "info" else None,
        "message": line.msg if line.command not in _COMMANDS else None,
        "method": line.method,
        "original_command": line.env.original_command if line.env else None,
        "project": line.gl_project_path,
        "project_id": line.gl_repository.removeprefix("project-") if line.gl_repository else None,
        "protocol": line.git_protocol,
        "source_address": came_from if came_from and not address(came_from) else None,
        "status": line.status,
        "url": line.url,
        "user_id": line.user_id or line.gl_id,
    }


SOURCE = Source(
    name="gitlab_shell",
    reads="gitlab-shell.log: git over SSH, by account, key and address",
    collect=(
        "cp --preserve=timestamps /var/log/gitlab/gitlab-shell/gitlab-shell.log* evidence/gitlab/",
        "git over HTTPS is not in it: collect gitlab-rails/production_json.log and gitaly's log beside it",
    ),
    reference="https://docs.gitlab.com/administration/logs/#gitlab-shelllog",
    tier=Tier.T3,
    keeps="logrotate of the Linux package keeps 30 daily files, on the GitLab server",
    split=split_json,
    read=read,
)
