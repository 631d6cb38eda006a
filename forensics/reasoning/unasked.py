"""What runs without being asked for, and somebody else wrote: hooks that lie in the tree a commit is made in, and what a shell or git reads at its start."""

import re

from forensics import times
from forensics.model import Question
from forensics.reasoning.act import Act, Row
from forensics.reasoning.commands import line_of
from forensics.reasoning.given import others
from forensics.reasoning.origins import Origin
from forensics.reasoning.paths import path_of, told_below, words_of, writes
from forensics.reasoning.world import World

_HOOKS = r"^(\.githooks|githooks|\.husky|\.hooks|hooks|\.lefthook)/|^(\.pre-commit-config\.yaml|lefthook\.ya?ml|\.lefthook\.ya?ml|\.overcommit\.yml)$"
"""where hooks lie in a tree: core.hooksPath (git-config(1)), husky, pre-commit (https://pre-commit.com), lefthook, overcommit"""
_STARTUP = (
    r"\.bashrc", r"\.bash_profile", r"\.bash_login", r"\.bash_aliases", r"\.profile", r"\.zshrc", r"\.zshenv", r"\.zprofile", r"\.zlogin",
    r"\.cshrc", r"\.tcshrc", r"\.kshrc", r"\.ssh/rc", r"\.ssh/environment", r"\.pam_environment", r"\.gitconfig", r"\.config/git/config",
    r"\.config/fish/config\.fish",
)  # fmt: skip
"""files in a home that a shell, sshd or git reads by itself (bash(1), zsh(1), sshd(8), pam_env(8), git-config(1))"""
_AT_START = re.compile(
    rf"/({'|'.join(p for p in _STARTUP if 'git' not in p)})$|^/etc/(ssh/sshrc|profile|profile\.d/.*|environment|security/pam_env\.conf|z(profile|login))$"
)
"""those that are read by the shell that a command runs in, not by every command"""
_HIDDEN = r"\.[^/]+(/.*)?"
"""what lies hidden in a home: settings, extensions and libraries, which programs read of themselves (XDG Base Directory, python's user site)"""
_UNREAD = re.compile(
    r"/\.(cache/|ssh/(known_hosts|authorized_keys)|\w*history$|lesshst$|viminfo$|Xauthority|xsession-errors|k5login$|rhosts$|forward$|Trash|local/share/(Trash|recently)|dbus|pki/|nv/|conda/environments\.txt|python_history)"
)
"""what of that steers no program"""
_OF_ALL = r"^/etc/(ld\.so\.preload|ld\.so\.conf(\.d/.*)?|environment|profile|profile\.d/.*|bash\.bashrc|bashrc|zsh/.*|z(shenv|shrc|profile|login)|csh\.(cshrc|login)|fish/.*|ssh/sshrc|bash_completion\.d/.*|ipython/.*|jupyter/.*|vim/.*|tmux\.conf|python[\d.]*/.*|security/pam_env\.conf|gitconfig)$|^/usr/(local/)?lib(64)?/python[\d.]+/((site|dist)-packages/.*|(site|user)customize\.py)$"
"""what is read for everybody's programs on a host (ld.so(8), bash(1), pam_env(8), git-config(1), Python's site)"""
_PACKAGES = re.compile(r"/(usr/)?s?bin/(dpkg|rpm|apt|apt-get|aptitude|dnf[\d-]*|yum|zypper|pacman|unattended-upgrade)")
"""programs that put there what the system's makers wrote"""
_PACKAGE = re.compile(r"\.(deb|rpm|apk|pkg\.tar\.\w{1,4})\b")
_THEIRS = ("/var/cache/", "/var/lib/")
"""where a package manager keeps what it fetched"""
_DAYS = 2
"""days on which such a file has been read without the act before it is part of the furniture"""


def unasked(world: World, act: Act, origins: tuple[Origin, ...], question: Question) -> tuple[Row, ...]:
    """Return the acts by which others wrote what ran of itself when the act was made."""
    mine = set(world.known.last_holders(act.account, act.time[0]))
    if not mine:
        return ()
    found = _startup(world, act, origins) + (_hooks(world, act, question) if act.kind == "code.push" else [])
    return tuple({r["event"]: r for r in found if others(world, r, mine)}.values())


def _startup(world: World, act: Act, origins: tuple[Origin, ...]) -> list[Row]:
    """Return the writes to what the programs of the account's holder read of themselves, in his home or for everybody, on the hosts of the act, where no login of his on other days has read it since."""
    hosts = sorted({h for o in origins for h in o.hosts} | ({act.host} if act.host else set()))
    people = world.known.last_holders(act.account, act.time[0])
    names = {a.partition(":")[2] for p in people for a in world.known.of(p, "unix")} | {str(act.account).partition(":")[2]}
    names = {n for n in names if n and not n.startswith("#")}
    if not hosts or not names:
        return []
    path = rf"^/(.*/)?({'|'.join(re.escape(n) for n in sorted(names))})/{_HIDDEN}$|{_OF_ALL}"
    rows = world.tables.rows(
        "SELECT host, '/' || regexp_extract(object, '^file://[^/]*/(.*)$', 1) AS path, max(time) AS time FROM acts WHERE action = 'file.write' AND outcome = 'ok' AND list_contains($h, host) AND time < $t AND actor IS NOT NULL AND NOT list_contains($own, actor) AND regexp_matches('/' || regexp_extract(object, '^file://[^/]*/(.*)$', 1), $path) AND NOT regexp_matches(object, $unread) GROUP BY ALL ORDER BY time DESC, path LIMIT 500",
        h=hosts, t=act.time[0], path=path, unread=_UNREAD.pattern, own=sorted({a for p in people for a in world.known.of(p, "unix")}),
    )  # fmt: skip
    needles = (
        [f"/{n}/." for n in sorted(names)],
        ["/etc/"],
        ["-packages/"],
    )  # each by itself: what is frequent of one must not crowd out another
    told = [(h, p) for h in hosts for some in needles for p in told_below(world, h, some, 0, act.time[0]) if re.search(path, p)]
    places = [(h, p) for h, p in sorted({*((r["host"], r["path"]) for r in rows), *told}) if not _UNREAD.search(p)]
    begun = _started(world, act, origins)
    found = [w for h, p in places for w in writes(world, h, p, begun if _AT_START.search(p) else act.time[0])]
    found = [w for w in found if not _of_the_makers(world, w)]
    return [
        w for w in found if len(_days_of_logins(world, act, () if re.search(_OF_ALL, path_of(str(w["object"]))) else people, w)) < _DAYS
    ]


def _of_the_makers(world: World, written: Row) -> bool:
    """Tell whether a package manager put a file there out of the system's own packages: none that somebody handed it."""
    if not _PACKAGES.fullmatch(str(written["attrs"].get("exe") or "")):
        return False
    window = world.policy.windows["shared_exec"]
    rows = world.acts(
        "action = 'process.exec' AND host = $h AND actor = $a AND time BETWEEN $low AND $t", h=written["host"], a=written["actor"], low=written["time"] - window, t=written["time"]
    )  # fmt: skip
    handed = [w for r in rows for w in words_of(line_of(r)) if _PACKAGE.search(w) and not w.startswith(_THEIRS)]
    return bool(rows) and not handed  # where no command of his is on record, none says what he handed it


def _started(world: World, act: Act, origins: tuple[Origin, ...]) -> int:
    """Return when the last shell of the act's own logins started, as far as the records show: what is written to its files later it has not read."""
    sessions = sorted({s for o in origins for s in o.sessions} | ({act.session} if act.session else set()))
    rows = world.acts(
        "action IN ('process.exec', 'session.ssh.open', 'session.audit.open') AND outcome = 'ok' AND list_contains($s, session) AND time <= $t",
        s=sessions, t=act.time[1],
    ) if sessions else []  # fmt: skip
    starts = [r["time"] for r in rows if r["action"] != "process.exec" or _SHELL.search(str(r["object"]))]
    return max(starts, default=act.time[0])


_SHELL = re.compile(r"/(ba|da|k|z|c|tc|fi)?sh$")


def _days_of_logins(world: World, act: Act, people: tuple[str, ...], written: Row) -> set[int]:
    """Return the days before that of the act on which these people, or where none are told others than the writer, logged in to a host after something was written there."""
    rows = world.acts(
        "action IN ('session.ssh.open', 'session.audit.open') AND outcome = 'ok' AND host = $h AND actor IS NOT NULL AND time > $low AND time < $t",
        h=written["host"], low=written["time"], t=act.time[0],
    )  # fmt: skip
    writer = set(world.known.last_holders(written["actor"], written["time"]))
    whose = [(r["time"], set(world.known.last_holders(r["actor"], r["time"]))) for r in rows]
    days = {t // times.DAY for t, who in whose if (who & set(people) if people else who - writer)}
    return days - {act.time[0] // times.DAY}


def _hooks(world: World, act: Act, question: Question) -> list[Row]:
    """Return the pushes that brought the hooks of the tree a commit was made in, where few commits were made under them since.

    Hooks that spell one of the commit's files have shown what they do in commits to that file alone.
    """
    sha = question.object.partition("@")[2].partition(":")[0] or next(
        (str(r["target"]).partition("@")[2] for r in act.rows if r["target"]), ""
    )
    paths = {r["path"] for r in world.tables.rows('SELECT DISTINCT path FROM changes WHERE "commit" = $c LIMIT 500', c=sha)}
    rows = world.tables.rows(
        """
        SELECT DISTINCT c.path, c.new_blob AS blob, c.old_blob AS old, e.events[1] AS event, e.time FROM changes c
        JOIN edges e ON e.rule = 'pushed-commits' AND e.recorded AND split_part(e.dst, '@', 2) = c."commit"
        WHERE regexp_matches(c.path, $hooks) AND e.time < $t AND c."commit" <> $c
          AND split_part(e.dst, '@', 1) IN (SELECT split_part(dst, '@', 1) FROM edges WHERE rule = 'pushed-commits' AND ends_with(dst, '@' || $c))
        ORDER BY e.time DESC, c.path, event, blob, old LIMIT 50
        """,
        hooks=_HOOKS, t=act.time[0], c=sha,
    )  # fmt: skip
    texts = world.blobs(sorted({b for r in rows for b in (r["blob"], r["old"]) if b})) if rows else {}
    found: list[Row] = []
    for row in rows:
        text = texts.get(row["blob"] or "", b"").decode(errors="replace")
        if not text or (
            row["path"].endswith((".yaml", ".yml")) and not _steers(text, texts.get(row["old"] or "", b"").decode(errors="replace"))
        ):
            continue
        spelled = (
            set()
            if not _WRITES.search(text)
            else {p for p in paths if re.search(rf"(?<![\w-]){re.escape(p.rpartition('/')[2])}(?![\w-])", text)}
        )
        push = world.acts("event = $e", e=row["event"])
        if push and len(_days_of_commits(world, push[0], spelled, act.time[0])) < _DAYS:
            found += push
    return found


_WRITES = re.compile(
    r"\bsed\b|>|\b(cp|mv|git|tee|patch|ln|install)\b|\.(sh|pl)\b|\bpython[\d.]*\s+(?!-)\S{1,200}\.py|entry:\s*\S{1,200}\.py"
)
"""what in a hook's text may write a file, or runs a script that may; a check alone writes none"""
_OTHERS = re.compile(r"\s*(-\s*)?(repo|rev|exclude|ci|fail_fast|default_\w+|minimum_\w+)\s*:(?!\s*['\"]?local)")
"""lines of a configuration that steer no hook of the tree's own"""


def _steers(text: str, before: str) -> bool:
    """Tell whether a change of a hooks' configuration touches hooks that are the tree's own: a new revision of others' does not."""
    if not re.search(r"repo:\s*['\"]?local|run:|entry:", text):
        return False
    changed = set(text.splitlines()) ^ set(before.splitlines())
    return any(line.strip() and not line.lstrip().startswith("#") and not _OTHERS.match(line) for line in changed)


def _days_of_commits(world: World, brought: Row, paths: set[str], until: int) -> set[int]:
    """Return the days on which others than whoever brought a hook pushed commits since, to these files where there are any."""
    rows = world.tables.rows(
        """
        SELECT DISTINCT a.actor, a.time FROM edges e JOIN acts a ON a.event = e.events[1]
        WHERE e.rule = 'pushed-commits' AND e.recorded AND a.actor IS NOT NULL AND a.time > $low AND a.time < $t
          AND (len($p) = 0 OR EXISTS (SELECT 1 FROM changes c WHERE c."commit" = split_part(e.dst, '@', 2) AND list_contains($p, c.path)))
        ORDER BY ALL
        """,
        low=brought["time"], t=until, p=sorted(paths),
    )  # fmt: skip
    writer = set(world.known.last_holders(brought["actor"], brought["time"]))
    return {r["time"] // times.DAY for r in rows if not writer & set(world.known.last_holders(r["actor"], r["time"]))}
