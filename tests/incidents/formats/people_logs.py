"""Okta's system log, and the tables that every lab names in its own way."""

import csv
import io
from random import Random
from typing import Any

from tests.incidents.formats.forge_logs import lines
from tests.incidents.lab import clock, names
from tests.incidents.lab.people import digest
from tests.incidents.lab.world import Lab

Record = dict[str, Any]


def okta(lab: Lab) -> bytes:
    """Render sign-ons: a second factor, then the application."""
    out = []
    for r in sorted(lab.diary.records["okta"], key=lambda r: (r["time"], r["person"].id)):
        for n, kind in enumerate(("user.authentication.auth_via_mfa", "user.authentication.sso")):
            if r["ok"] or not n:
                out.append(_okta(lab, r, r["time"] + 1.3 * n, kind))
    return lines(out)


def _okta(lab: Lab, r: Record, when: float, kind: str) -> Record:
    person, tag = r["person"], digest(lab.seed, when, kind, r["person"].id).hex()
    device = {
        "id": "guo" + digest(r["kit"].device).hex()[:17],
        "name": r["kit"].device,
        "os_platform": "OSX",
        "managed": True,
        "registered": True,
    }
    return {
        "actor": {"id": "00u" + digest(person.id, lab.domain).hex()[:17], "type": "User", "alternateId": person.emails[0], "displayName": person.name},
        "client": {"userAgent": {"rawUserAgent": "Mozilla/5.0", "os": "Linux", "browser": "FIREFOX"}, "zone": "null", "device": "Computer", "ipAddress": r["ip"]},
        "device": device, "authenticationContext": {"authenticationStep": 0, "externalSessionId": "102" + digest(person.id, int(when) // 36_000).hex()[:18]},
        "displayMessage": kind, "eventType": kind, "outcome": {"result": "SUCCESS" if r["ok"] else "FAILURE", "reason": None if r["ok"] else "INVALID_CREDENTIALS"},
        "published": clock.utc_milli(when), "securityContext": {"isProxy": False}, "severity": "INFO" if r["ok"] else "WARN", "debugContext": {"debugData": {"factor": "FIDO2"}},
        "transaction": {"type": "WEB", "id": tag[:18]}, "uuid": f"{tag[:8]}-{tag[8:12]}-11ee-{tag[16:20]}-{tag[20:32]}", "version": "0", "request": {"ipChain": [{"ip": r["ip"], "version": "V4"}]},
        "target": [{"id": "0oa" + digest(r["app"]).hex()[:16], "type": "AppInstance", "alternateId": r["app"], "displayName": r["app"]}],
    }  # fmt: skip


EDR_WORDS = {
    "process": ("exec", "proc_start", "process"),
    "logon": ("logon", "session_start", "login"),
    "logoff": ("logoff", "session_end", "logout"),
    "lock": ("lock", "screen_locked"),
    "unlock": ("unlock", "screen_unlocked"),
}


class Table:
    """One in-house log: its file, its columns' names, and how case.toml maps them."""

    def __init__(self, lab: Lab, kind: str, rng: Random) -> None:
        self.lab, self.kind, self.rng = lab, kind, rng
        self.columns = {key: rng.choice(words) for key, words in names.COLUMNS[kind].items()}
        if len(set(self.columns.values())) < len(self.columns):
            self.columns = {
                key: f"{word}_{key}" if list(self.columns.values()).count(word) > 1 else word for key, word in self.columns.items()
            }
        self.json = rng.random() < 0.5
        self.stem = rng.choice(names.STEMS[kind])
        self.local = rng.random() < 0.3
        self.words = {k: rng.choice(v) for k, v in EDR_WORDS.items()} if kind == "edr" else {}

    def render(self, records: list[Record]) -> bytes:
        move = self.lab.clocks.get(self.kind, clock.RIGHT)
        silent = self.lab.silences.get(self.kind)
        rows = []
        for r in sorted(records, key=lambda r: (r["time"], str(sorted((k, str(v)) for k, v in r.items() if k != "time")))):
            if silent and silent[0] <= r["time"] < silent[1]:
                continue
            row = {self.columns[k]: self._cell(k, r.get(k, "")) for k in self.columns}
            row[self.columns["time"]] = clock.iso(move(r["time"]), self.lab.shape.zone) if self.local else clock.utc_milli(move(r["time"]))
            rows.append(row)
        if self.json:
            return lines(rows)
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns.values())
        writer.writerows(row.values() for row in rows)
        return out.getvalue().encode()

    def _cell(self, key: str, value: object) -> object:
        return self.words.get(str(value), value) if key == "event" else value

    def source(self) -> Record:
        """Return its `[[source]]`."""
        c = {k: "{" + v + "}" for k, v in self.columns.items()}
        plain = self.columns
        maps: dict[str, Record] = {
            "badge": {"action": "=person.present", "actor": f"badge:{c.get('card')}", "object": f"place:{c.get('door')}", "outcome": plain.get("way")},
            "dhcp": {"action": "=device.lease", "device": f"device:{c.get('device')}", "ip": f"ip:{c.get('ip')}", "object": f"mac:{c.get('mac')}"},
            "vpn": {"action": f"session.vpn.{c.get('event')}", "actor": f"unix:{c.get('user')}", "device": f"device:{c.get('device')}", "ip": f"ip:{c.get('ip')}", "session": c.get("session")},
            "edr": {"action": f"device.{c.get('event')}" if not self._renamed() else plain.get("event"), "actor": f"unix:{c.get('user')}", "device": f"device:{c.get('device')}", "object": plain.get("detail")},
            "meetings": {"action": "=meeting.attend", "actor": f"email:{c.get('who')}", "object": f"meeting:{c.get('name')}", "outcome": plain.get("how")},
            "pipelines": {"action": "=automation.trigger", "actor": f"{self.lab.shape.forge}:{c.get('user')}", "object": f"pipeline:{c.get('id')}", "session": c.get("sha"), "ip": f"ip:{c.get('ip')}", "outcome": plain.get("status")},
            "integrity": {"action": "=file.check", "object": f"file://{c.get('path')}", "outcome": plain.get("result")},
            "registry": {"action": "=object.write", "actor": f"{self.lab.shape.forge}:{c.get('user')}", "object": c.get("image"), "ip": f"ip:{c.get('ip')}"},
        }  # fmt: skip
        out: Record = {
            "name": self.stem,
            "kind": "table",
            "path": f"evidence/{self.stem}.{'jsonl' if self.json else 'csv'}",
            "map": {"time": plain["time"], **maps[self.kind]},
        }
        if self._renamed():
            out["actions"] = {self.words[k]: f"device.{k}" for k in self.words}
        return out

    def _renamed(self) -> bool:
        return self.kind == "edr" and any(k != v for k, v in self.words.items())
