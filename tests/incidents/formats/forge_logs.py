"""What a forge's records look like: GitLab's events and ssh log, GitHub's audit log and repository activity."""

import base64
import json
from typing import Any

from tests.incidents.lab.clock import utc, utc_milli
from tests.incidents.lab.people import digest, fingerprint
from tests.incidents.lab.world import Lab

ZEROS = "0" * 40


def _numbers(lab: Lab) -> dict[str, int]:
    return {name: 50 + 3 * p.number for p in lab.people for name in (p.handle, *p.old_names)} | {lab.robot: 9}


def _quiet(lab: Lab, when: float, *kinds: str) -> bool:
    """Tell whether none of these records was kept at that moment."""
    return any(lab.silences[k][0] <= when < lab.silences[k][1] for k in kinds if k in lab.silences)


def _moved(lab: Lab, when: float) -> float:
    return lab.clocks["forge"](when) if "forge" in lab.clocks else when


def gitlab_events(lab: Lab) -> bytes:
    """Render pushes and requests as the events API does, newest first."""
    forge, numbers, rows = lab.forge, _numbers(lab), []
    names = {name: p.name for p in lab.people for name in (p.handle, *p.old_names)}
    for p in forge.pushes:
        kind = "removed" if p.new is None else "pushed" if p.old else "created"
        data = {"commit_count": p.count, "action": kind, "ref_type": "branch", "commit_from": p.old, "commit_to": p.new, "ref": p.ref,
                "commit_title": forge.commits[p.new].title if p.new else None, "ref_count": None}  # fmt: skip
        rows.append(
            (
                p.when + 0.5,
                {"removed": "deleted", "pushed": "pushed to", "created": "pushed new"}[kind],
                p.login,
                {"target_id": None, "target_iid": None, "target_type": None},
                {"push_data": data},
            )
        )
    for e in forge.events:
        target = {"target_id": 5000 + e["number"], "target_iid": e["number"], "target_type": "MergeRequest", "target_title": e["title"]}
        rows.append((e["time"], e["action"], e["login"], target, {}))
    out, number = [], 700_000
    for when, action, login, target, more in sorted(rows, key=lambda r: (r[0], r[1], r[2])):
        number += 3
        if _quiet(lab, when, "forge", "forge-events"):
            continue
        author = {"id": numbers[login], "username": login, "name": names.get(login, login), "state": "active"}
        out.append(
            {
                "id": number,
                "project_id": forge.number,
                "action_name": action,
                **target,
                "author_id": numbers[login],
                "created_at": utc_milli(_moved(lab, when)),
                "author": author,
                **more,
                "author_username": login,
            }
        )
    return lines(out[::-1])


def gitlab_shell(lab: Lab) -> bytes:
    """Render git over ssh."""
    forge, numbers, rows = lab.forge, _numbers(lab), []
    rows += [
        (p.when - 0.7, "git-receive-pack", p.ip, p.key_number, p.login) for p in forge.pushes if p.how in ("push", "robot") and p.key_number
    ]
    for f in forge.fetches:
        if f["person"] is None:
            rows.append((f["time"], "git-upload-pack", f["ip"], 299, lab.robot))
        elif not f["person"].https:
            rows.append((f["time"], "git-upload-pack", f["ip"], f["person"].kit(f["time"]).key_number, f["person"].handle))
    out = []
    for when, command, ip, key, login in sorted(rows):
        if _quiet(lab, when, "forge", "forge-shell"):
            continue
        mark = digest(lab.seed, when, ip).hex()[:26].upper()
        out.append({"command": command, "correlation_id": f"01{mark[:24]}", "git_protocol": "version=2", "gl_key_id": key, "gl_key_type": "key", "gl_project_path": f"{forge.group}/{forge.repo}",
                    "gl_repository": f"project-{forge.number}", "level": "info", "msg": "executing git command", "remote_ip": ip, "time": utc(_moved(lab, when)), "user_id": f"user-{numbers[login]}", "username": login})  # fmt: skip
    return lines(out)


def github_activity(lab: Lab) -> bytes:
    """Render the movements of refs as one page, newest first."""
    forge, numbers, out = lab.forge, _numbers(lab), []
    for n, p in enumerate(sorted(forge.pushes, key=lambda p: (p.when, p.ref))):
        kind = (
            "branch_deletion"
            if p.new is None
            else "branch_creation"
            if p.old is None
            else "force_push"
            if p.force
            else "pr_merge"
            if p.how == "merge"
            else "push"
        )
        if _quiet(lab, p.when, "forge", "forge-events"):
            continue
        actor = {"login": p.login, "id": 70_000 + numbers[p.login], "type": "Bot" if p.bot else "User", "site_admin": False}
        out.append({"id": 5_000_000 + 11 * n, "node_id": "PSH_" + base64.urlsafe_b64encode(digest(n, p.when))[:16].decode(), "before": p.old or ZEROS, "after": p.new or ZEROS, "ref": f"refs/heads/{p.ref}",
                    "timestamp": utc(_moved(lab, p.when)), "activity_type": kind, "actor": actor})  # fmt: skip
    return (json.dumps(out[::-1], separators=(",", ":")) + "\n").encode()


def github_audit(lab: Lab) -> bytes:
    """Render pushes, fetches and requests as the organisation's audit log."""
    forge, numbers, rows = lab.forge, _numbers(lab), []
    project = f"{forge.group}/{forge.repo}"
    rows += [
        (p.when - 0.4, p.login, p.ip, "git.push", _git(project, p.token, bot=p.bot)) for p in forge.pushes if p.how in ("push", "robot")
    ]
    for f in forge.fetches:
        person = f["person"]
        kit = person.kit(f["time"]) if person else None
        rows.append(
            (
                f["time"],
                person.handle if person else lab.robot,
                f["ip"],
                "git.fetch",
                _git(project, (kit.token if person.https else "") if person and kit else "robot", bot=person is None),
            )
        )
    for e in forge.events:
        action = {"opened": "pull_request.create", "approved": "pull_request_review.submit", "accepted": "pull_request.merge"}[e["action"]]
        more = {
            "operation_type": "create" if e["action"] == "opened" else "modify",
            "pull_request_id": 81_000 + e["number"],
            "pull_request_title": e["title"],
            "pull_request_url": f"https://{forge.host}/{project}/pull/{e['number']}",
            "repo": project,
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
        }
        rows.append((e["time"], e["login"], e["ip"], action, more))
    out = []
    for n, (when, login, ip, action, more) in enumerate(sorted(rows, key=lambda r: (r[0], r[1], r[3]))):
        if _quiet(lab, when, "forge", "forge-audit"):
            continue
        head = {
            "@timestamp": round(_moved(lab, when) * 1000),
            "_document_id": base64.urlsafe_b64encode(digest(n, when))[:22].decode(),
            "actor": login,
            "actor_id": 70_000 + numbers[login],
            "actor_ip": ip,
            "business": forge.group,
            "org": forge.group,
            "action": action,
        }
        out.append({**head, **more})
    return lines(out[::-1])


def _git(project: str, token: str, *, bot: bool) -> dict[str, Any]:
    kind = "GitHub App server-to-server token" if bot else "Fine-grained personal access token"
    return {"programmatic_access_type": kind if token else "", "hashed_token": (fingerprint("robot")[7:] + "=" if token == "robot" else token), "repo": project, "repository": project, "repository_public": False,
            "transport_protocol": 1 if token else 2, "transport_protocol_name": "http" if token else "ssh", "user_agent": "git/2.44.0"}  # fmt: skip


def lines(records: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(r, ensure_ascii=False, separators=(",", ":")) + "\n" for r in records).encode()
