"""What a repository's settings would have made git do: found, reported, never obeyed (https://git-scm.com/docs/git-config)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """A stretch of a settings file, and what it would do."""

    start: int
    end: int
    what: str
    why: str


_RUNS = re.compile(
    r"core\.(?:fsmonitor|hookspath|sshcommand|gitproxy|editor|pager|askpass|alternaterefscommand|attributesfile)|sequence\.editor|pager\..+|man\..+"
    r"|diff\.(?:external|.+\.(?:command|textconv))|merge\..+\.driver|filter\..+\.(?:clean|smudge|process)|(?:diff|merge)tool\..+\.cmd"
    r"|gpg\.(?:.+\.)?program|gpg\.ssh\.defaultkeycommand|credential\.(?:.+\.)?helper|uploadpack\.packobjectshook|remote\..+\.(?:uploadpack|receivepack|vcs)"
    r"|submodule\..+\.update|interactive\.difffilter|trailer\..+\.(?:command|cmd)|browser\..+\.cmd|receive\.procreceiverefs|instaweb\..+|sendemail\..+cmd|alias\..+",
    re.DOTALL,
)
_LEADS = re.compile(
    r"include(?:if)?\.(?:.+\.)?path|core\.(?:worktree|gitdir)|url\..+\.(?:insteadof|pushinsteadof)|remote\..+\.(?:url|pushurl|proxy|promisor)|http\.(?:.+\.)?(?:proxy|sslverify)"
    r"|extensions\..+|protocol\..+|safe\..+|receive\.(?:denynonfastforwards|denydeletes|denycurrentbranch|fsckobjects)|core\.(?:logallrefupdates|sharedrepository)|gc\..*reflogexpire.*",
    re.DOTALL,
)


def dangers(name: str, data: bytes) -> Iterator[Finding]:
    """Yield what a settings file (by its path below the git folder) would have done; one finding for the whole where lines do not count."""
    last = name.rsplit("/", 1)[-1]
    if last in {"config", "config.worktree"}:
        yield from _config(data)
    elif "hooks/" in name:
        yield Finding(0, len(data), f"hook {last}", "git would have run this program")
    elif last in {"alternates", "http-alternates"}:
        yield Finding(0, len(data), _short(data), "objects are looked for in another place, which was not followed")
    elif last == "grafts":
        yield Finding(0, len(data), _short(data), "parents are replaced: history would be shown otherwise than it is")
    elif last == "attributes":
        yield Finding(0, len(data), _short(data), "files may be shown through a program, or not at all")
    elif last == "shallow":
        yield Finding(0, len(data), _short(data), "history is cut off behind these commits")
    else:
        yield Finding(0, len(data), _short(data), "a setting of this repository")


def _short(data: bytes) -> str:
    return data[:_SHOWN].decode("utf-8", "backslashreplace").strip()


_SECTION = re.compile(rb"\s*\[\s*([\w.-]+)(?:\s+\"((?:[^\"\\\n]|\\.)*)\")?\s*\]")
_VARIABLE = re.compile(rb"\s*([A-Za-z][\w-]*)\s*(?:=\s*(.*))?$", re.DOTALL | re.ASCII)


def _config(data: bytes) -> Iterator[Finding]:
    """Walk over a configuration's lines; a value that goes on over several lines counts with its first."""
    section, place = "", 0
    for raw in re.split(rb"(?<=\n)", data):
        start, place = place, place + len(raw)
        line = raw.strip()
        if found := _SECTION.match(line):
            below = "." + found.group(2).decode("utf-8", "backslashreplace") if found.group(2) is not None else ""
            section, line = found.group(1).decode("utf-8", "backslashreplace").lower() + below, line[found.end() :].strip()
        variable = _VARIABLE.match(line) if line and line[:1] not in b"#;" else None
        if variable and section:
            key = f"{section}.{variable.group(1).decode().lower()}"
            why = _why(key, variable.group(2) or b"")
            if why:
                yield Finding(start, place, f"{key} = {_short(variable.group(2) or b'')}", why)


def _why(key: str, value: bytes) -> str:
    if _RUNS.fullmatch(key):
        if key.startswith("alias.") and not value.lstrip(b'" ').startswith(b"!"):
            return ""
        return "git would have run what this names" if value.strip().lower() not in {b"false", b"", b"true"} else ""
    return "it changes what git does, where it looks or what it records" if _LEADS.fullmatch(key) else ""
