"""Flags: facts that have innocent explanations. A flag names nobody and moves no answer by itself."""

import json
from collections.abc import Iterator

from forensics import times
from forensics.indicator import Item
from forensics.reasoning.act import Act, Row
from forensics.reasoning.attended import attended
from forensics.reasoning.devices import Device, refused
from forensics.reasoning.dossier import Dossier
from forensics.reasoning.flag import Flag
from forensics.reasoning.hypotheses import behind
from forensics.reasoning.logs import of_logs
from forensics.reasoning.origins import Origin
from forensics.reasoning.unreviewed import unreviewed
from forensics.reasoning.world import World


def flags(world: World, dossier: Dossier, gaps: dict[str, list[tuple[int, int]]]) -> tuple[Flag, ...]:
    """Return the flags of one question, by name."""
    found = [*_author(world, dossier), *_departed(world, dossier), *_reuse(world, dossier), *_address(world, dossier),
             *_rewritten(world, dossier), *_conflict(dossier), *_backdated(world, dossier), *of_logs(world, dossier, gaps), *_hidden(dossier), *_unreviewed(world, dossier)]  # fmt: skip
    return tuple(sorted({f.flag: f for f in found if f.refs}.values(), key=lambda f: f.flag))


def _author(world: World, dossier: Dossier) -> Iterator[Flag]:
    act, commit = dossier.act, dossier.claimed
    if act is None and commit is not None:
        yield from _in_anothers_name(world, dossier, commit)
    if act is None or commit is None or act.kind != "code.push":
        return
    commit = _as_pushed(world, act) or commit
    facts = _facts(commit)
    author = set(world.known.last_holders(commit["claimed"], act.time[0]))
    committer = set(world.known.last_holders(f"email:{facts.get('committer_email', '')}", act.time[0]))
    pushers = set(behind(dossier)) | set(world.known.holders(act.account, act.time[0]))
    if not author or not pushers or author & pushers or committer & pushers or not committer:
        return  # an account that nobody is registered for may be the author's own
    window = world.policy.windows["same_act"]
    merged = world.acts(
        "action IN ('code.merge', 'code.review') AND actor = $a AND time BETWEEN $low AND $high",
        a=act.account,
        low=act.time[0] - window,
        high=act.time[1] + window,
    )
    if merged or dossier.account_kind == "service":
        return
    yield Flag(
        "author-mismatch",
        f"the commit names {commit['claimed']} as author, and {act.account} pushed it",
        ("a patch applied for a colleague", "a branch taken over", "work at a shared desk"),
        (commit["id"], *act.events),
    )


def _as_pushed(world: World, act: Act) -> Row | None:
    """Return the head that was pushed before its own pusher merged it: of what a merge makes anew, the forge is the committer."""
    rows = world.tables.rows(
        "SELECT id, claimed, attrs FROM events WHERE action = 'code.commit' AND split_part(object, '@', 2) = $s ORDER BY id LIMIT 1",
        s=str(act.rows[0]["target"]).partition("@")[2],
    )
    return rows[0] if rows and any(r["actor"] == act.account for r in act.landed) else None


def _in_anothers_name(world: World, dossier: Dossier, commit: Row) -> Iterator[Flag]:
    """Flag a commit that bears its author's name alone, where he pushed that content before and another landed it; a merge explains that."""
    rows = [r for r in dossier.disputed if r["action"] == "code.push"]
    landed = [r for r in rows if r["target"] == rows[0]["target"]]
    if len(landed) == len(rows) or any(r["target"] == dossier.objects[0] for r in rows if r not in landed):
        return
    row, window = landed[0], world.policy.windows["same_act"]
    names = [commit["claimed"], f"email:{_facts(commit).get('committer_email', '')}"]
    claimed = {p for name in names for p in world.known.last_holders(name, row["time"])}
    merged = world.acts(
        "action IN ('code.merge', 'code.review') AND actor = $a AND time BETWEEN $low AND $high",
        a=row["actor"], low=row["time"] - window, high=row["time"] + window,
    )  # fmt: skip
    if not merged and not claimed & set(world.known.last_holders(row["actor"], row["time"])):
        yield Flag(
            "author-mismatch", f"the commit names {commit['claimed']} as author, and {row['actor']} pushed it",
            ("a patch applied for a colleague", "a branch taken over", "work at a shared desk"), (commit["id"], *(r["event"] for r in rows[:6])),
        )  # fmt: skip


def _facts(commit: dict[str, object]) -> dict[str, object]:
    found: dict[str, object] = json.loads(str(commit["attrs"])) if commit["attrs"] else {}
    return found


def _departed(world: World, dossier: Dossier) -> Iterator[Flag]:
    act = dossier.act
    if act is None or not attended(world, dossier):
        return
    for person in behind(dossier):
        row = world.known.people.get(person)
        acted = min(o.trigger.time[0] if o.trigger else act.time[0] for o in dossier.origins if person in o.people)
        if row and row.employed_to is not None and row.employed_to < acted:
            yield Flag(
                "after-departure",
                f"{act.account} acted on {times.show(act.time[0])}, after its holder's last day ({times.show(row.employed_to)})",
                ("a handover that lasted longer", "a schedule set up before", "a register of leaving that is wrong"),
                act.events,
            )


def _reuse(world: World, dossier: Dossier) -> Iterator[Flag]:
    direct = [o for o in dossier.origins if o.manner == "direct"]
    if len(direct) > 1 and any(not _elsewhere(world, o) for o in direct):
        return  # by another way it came from the holder's own, or from nowhere known
    for origin in dossier.origins:
        for device in _elsewhere(world, origin):
            yield Flag(
                "credential-reuse",
                f"{origin.account} was used from {device.device}, the device of {', '.join(device.owners)}",
                ("a replaced or borrowed laptop", "a register of devices that lags behind", "help given at a colleague's desk"),
                (*device.events, *origin.events[:4]),
            )


def _elsewhere(world: World, origin: Origin) -> list[Device]:
    """Return the devices of others, as the registers and their own records go, that a holder's account was used from."""
    holders = set(origin.people)
    return [
        d
        for d in origin.devices
        if d.owners and holders and not holders & set(d.owners) and _users(world, d.device, origin.moment) != holders
    ]


def _users(world: World, device: str, moment: int) -> set[str]:
    """Return the people whose accounts worked on a device that day, by its own records: a register of devices may lag behind."""
    day = world.policy.windows["presence"]
    rows = world.acts(
        "device = $d AND actor IS NOT NULL AND regexp_matches(action, '^device[.](logon|unlock|process)') AND time BETWEEN $low AND $high",
        d=device, low=moment - day, high=moment + day,
    )  # fmt: skip
    return {p for r in rows if not refused(r) for p in world.known.holders(r["actor"], r["time"])}


def _address(world: World, dossier: Dossier) -> Iterator[Flag]:
    """Name addresses of the way back that no lease gave to one device, and that several people used then."""
    act = dossier.act
    if act is None:
        return
    leased = {
        r["ip"]
        for o in dossier.origins
        for d in o.devices
        if not d.by_command
        for r in world.acts("list_contains($e, event)", e=list(d.events))
    }
    near = {ip for o in dossier.origins for ip in o.addresses[:1]} | ({act.ip} if act.ip and len(dossier.origins) != 1 else set())
    for ip in sorted(near - leased):
        yield from _several(world, dossier, ip)


def _several(world: World, dossier: Dossier, ip: str) -> Iterator[Flag]:
    act = dossier.act
    assert act is not None
    span = world.policy.windows["session"]
    owners = {p for o in dossier.origins for d in o.devices for p in d.owners}
    theirs = owners and not owners & set(world.known.last_holders(act.account, act.time[0]))  # then the act shows no other person there
    rows = world.acts(
        "ip = $ip AND time BETWEEN $low AND $high AND NOT list_contains($mine, event)",
        ip=ip, low=act.time[0] - span, high=act.time[1] + span, mine=list(act.events) if theirs else [],
    )  # fmt: skip
    people = {
        p
        for r in rows
        for who in (r["actor"], r["credential"])
        if world.known.kind(who, r["time"]) == "personal"
        for p in world.known.holders(who, r["time"])
    }
    if len(people) > 1:
        yield Flag(
            "shared-address", f"{len(people)} people used {ip} around that time", ("a jump host", "a gateway that translates addresses", "a proxy"),
            (*act.events, *[r["event"] for r in rows[:4]]),
        )  # fmt: skip


def overlap(dossier: Dossier, items: list[Item]) -> Iterator[Flag]:
    """Flag that the account's holder was elsewhere, or on another device, at that moment.

    On his own device he may have worked in a meeting, or on two at once; but not inside after he had left.
    """
    holders = {p for o in dossier.origins for p in o.people}
    own = any(set(d.owners) & holders for o in dossier.origins for d in o.devices)
    for item in items:
        away = (item.kind in ("elsewhere", "meeting") and not own) or (item.kind == "presence" and "had left" in item.says)
        if away and any(h.person in holders and word in ("unlikely", "very unlikely") for h, word in item.expect.items()):
            yield Flag(
                "impossible-overlap", item.says, ("programs that run on a device nobody sits at", "a card or device that was lent", "a list of those present that was written beforehand"),
                item.refs,
            )  # fmt: skip


def _rewritten(world: World, dossier: Dossier) -> Iterator[Flag]:
    commit = dossier.claimed
    if commit is None:
        return
    servers = [s.name for s in world.case.sources if s.kind == "git" and s.role != "clone"]
    reached = world.tables.rows(
        """
        SELECT count(*) > 0 AS yes FROM events WHERE action = 'code.commit' AND object = $o AND json_extract(attrs, '$.reachable') = 'true'
          AND (len($servers) = 0 OR list_contains($servers, source))
        """,
        o=dossier.objects[0], servers=servers,
    )  # fmt: skip
    shared = _on_shared(world, dossier.objects[0])
    used = world.tables.rows("SELECT dst, events FROM edges WHERE rule = 'job-commits' AND src = $o ORDER BY dst", o=dossier.objects[0])
    used = [u for u in used if shared or _by_another(world, dossier, u["dst"])][:3]
    landed = dossier.act is not None and any(r["actor"] != dossier.act.account for r in dossier.act.landed)
    if not reached[0]["yes"] and (used or shared) and not landed:
        yield Flag(
            "rewritten-history",
            "the commit was on a shared branch or was run, and no branch reaches it any more",
            ("a mistake taken back", "a branch tidied up by its owner", "a secret removed from history"),
            (commit["id"], *shared, *(e for u in used for e in u["events"][:2])),
        )


def _by_another(world: World, dossier: Dossier, job: str) -> bool:
    """Tell whether a job was launched by somebody else than whoever made the change: what one's own jobs ran, nobody had used."""
    act = dossier.act
    makers = set(behind(dossier)) | set(world.known.last_holders(act.account, act.time[0]) if act else ())
    people = {
        p for r in world.acts("action = 'job.launch' AND object = $j", j=job) for p in world.known.last_holders(r["actor"], r["time"])
    }
    return bool(people - makers) if makers else bool(people)


_SHARED = ("main", "master", "trunk", "develop", "production", "release")
"""branches that are everybody's, by their usual names"""
_STOOD = """
    WITH RECURSIVE above AS (
        SELECT $o AS object
        UNION SELECT e.dst FROM edges e JOIN above a ON e.src = a.object WHERE e.rule = 'ancestry'
    )
    SELECT min(e.id) AS event FROM events e JOIN above a ON a.object = e.target OR a.object = e.prior
    WHERE list_contains($shared, regexp_extract(e.object, '[^/]*$'))
      AND (e.action = 'code.push' OR (e.action = 'ref.update'
           AND (json_extract_string(e.attrs, '$.role') = 'server' OR regexp_matches(json_extract_string(e.attrs, '$.message'), '^(pull|fetch|clone)'))))
    GROUP BY e.action ORDER BY 1
"""
"""Records that show the commit, or one built on it, on everybody's branch, or taken from the server by somebody."""


def _on_shared(world: World, commit: str) -> tuple[int, ...]:
    return tuple(r["event"] for r in world.tables.rows(_STOOD, o=commit, shared=list(_SHARED)))


def _conflict(dossier: Dossier) -> Iterator[Flag]:
    act = dossier.act
    if dossier.aside:
        yield Flag(
            "record-conflict", "records of one login or command name different people; the copy out of its keeper's reach is followed",
            ("lines rewritten by a log shipper", "accounts renamed on one of the two hosts"), tuple(e for pair in dossier.aside[:4] for e in pair),
        )  # fmt: skip
        return
    if act is None:
        heads = {r["target"] for r in dossier.disputed}
        actors = {str(r["actor"]) for r in dossier.disputed}
        if len(actors) > 1 and dossier.disputed[0]["action"] == "code.push" and len(heads - {None}) == 1:
            names = " and ".join(sorted(actors))
            refs = tuple(r["event"] for r in dossier.disputed[:6])
            yield Flag(
                "record-conflict",
                f"records of one push name {names}",
                ("one act done for another by the system", "a renamed account"),
                refs,
            )
        return
    of_one = {r["actor"] for r in act.rows if r["actor"] and r["target"] == act.rows[0]["target"]}
    if len(of_one) > 1:
        yield Flag(
            "record-conflict",
            f"records of one act name {' and '.join(sorted(of_one))}",
            ("a renamed account", "one act done for another by the system"),
            act.events,
        )


def _backdated(world: World, dossier: Dossier) -> Iterator[Flag]:
    commit, act = dossier.claimed, dossier.act
    if commit is None or act is None or commit["time"] is None:
        return
    facts = _facts(commit)
    dates = [d for d in (commit["time"], facts.get("author_time")) if isinstance(d, int)]
    parents = facts.get("parents")
    known = _others_first(world, dossier, list(parents) if isinstance(parents, list) else [], max(dates, default=0))
    if dates and known is not None and max(dates) < known - times.DAY and max(dates) < act.time[0] - times.DAY:
        yield Flag(
            "backdated",
            f"both dates of the commit ({times.show(max(dates))}) lie before what it was built on was pushed ({times.show(known)})",
            ("a clock that was wrong", "a commit imported from elsewhere with its dates"),
            (commit["id"], *act.events),
        )


_OWN_STEPS = 50
"""commits of one's own, one built on the other, that are followed back"""


def _others_first(world: World, dossier: Dossier, parents: list[str], dated: int) -> int | None:
    """Return when the latest of what a commit was built on was first pushed, ns; of its maker's own commits with earlier dates, that of what they were built on.

    Who pushes on Monday what he made on Friday, in several commits, set no date back: his own pushes tell nothing of when he made it.
    """
    assert dossier.act is not None
    mine = set(world.known.last_holders(dossier.act.account, dossier.act.time[0]))
    found: list[int] = []
    for _ in range(_OWN_STEPS):
        pushes = world.tables.rows(
            """
            SELECT split_part(target, '@', 2) AS sha, min(time) AS first, arg_min(actor, time) AS actor FROM events
            WHERE action = 'code.push' AND list_contains($p, split_part(target, '@', 2)) AND time IS NOT NULL GROUP BY ALL ORDER BY ALL
            """,
            p=parents,
        )  # fmt: skip
        commits = world.tables.rows(
            "SELECT DISTINCT split_part(object, '@', 2) AS sha, attrs FROM events WHERE action = 'code.commit' AND list_contains($p, split_part(object, '@', 2)) AND time <= $t ORDER BY ALL",
            p=[r["sha"] for r in pushes if mine & set(world.known.last_holders(r["actor"], r["first"]))], t=dated,
        )  # fmt: skip
        own = {c["sha"] for c in commits}
        found += [r["first"] for r in pushes if r["sha"] not in own]
        parents = sorted({str(p) for c in commits for p in json.loads(str(c["attrs"] or "{}")).get("parents") or ()})
        if not parents:
            break
    return max(found, default=None)


def _hidden(dossier: Dossier) -> Iterator[Flag]:
    code = dossier.code or tuple(r for p in dossier.planted for r in p.code)
    if code:
        names = ", ".join(sorted({str(r["name"]) for r in code}))
        yield Flag(
            "hidden-code", f"{code[0]['object']} holds code that runs when it is loaded ({names}), which such files do not mostly name",
            ("a tool that pickles more than tensors", "a checkpoint of another framework's making"), tuple(r["event"] for r in code[:6]),
        )  # fmt: skip


def _unreviewed(world: World, dossier: Dossier) -> Iterator[Flag]:
    found = unreviewed(world, dossier)
    if found:
        yield Flag(
            "unreviewed",
            found.says,
            ("an urgent repair", "an edit that the rule does not ask for", "a review outside of the forge"),
            found.refs,
        )
