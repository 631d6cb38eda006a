"""The object store: what was written and read, and the trail or audit log that shows it."""

from dataclasses import dataclass, field
from typing import Any

from making.objectstore import Trail, assume, get_object, put_object, trail_files, user_identity, version_id

from tests.incidents.lab.clock import spaced_milli
from tests.incidents.lab.people import digest


@dataclass(slots=True)
class Store:
    """An S3-like or HDFS store."""

    kind: str
    base: str
    """bucket, or name node"""
    zone: str
    trail: Trail | None
    label: str
    """how a job's session is named: `{id}` and `{name}`"""
    lines: list[tuple[float, str]] = field(default_factory=list)
    versions: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    identities: dict[str, Any] = field(default_factory=dict)
    auth: str = "SIMPLE"

    def ref(self, key: str, version: str = "") -> str:
        if self.kind == "s3":
            return f"s3://{self.base}/{key}" + (f"?versionId={version}" if version else "")
        return f"hdfs://{self.base}/{key}"

    def current(self, key: str, when: float) -> str:
        return [v for t, v in self.versions[key] if t <= when][-1]

    def account(self, login: str) -> str:
        return f"aws:{login}" if self.kind == "s3" else f"unix:{login}"

    def put(self, key: str, when: float, login: str, ip: str, *, job: str = "", size: int = 0) -> str:
        """Write an object, by a user's own credential or in a job's session; return its version."""
        version = version_id(key, when) if self.kind == "s3" else digest(key, when).hex()[:16]
        self.versions.setdefault(key, []).append((when, version))
        size = size or 10**8 + int(when) * 7919 % 10**8
        if self.trail is not None:
            put_object(self.trail, self._identity(login, job, when, ip), when, ip, key, version, size)
            return version
        context = f"\tcallerContext=JOB_{job}" if job else "\tcallerContext=CLI"
        for n, (cmd, src, dst) in enumerate(
            (("getfileinfo", f"/{key}", "null"), ("create", f"/{key}._COPYING_", "null"), ("rename", f"/{key}._COPYING_", f"/{key}"))
        ):
            perm = "null" if cmd == "getfileinfo" else f"{login}:research:rw-r--r--"
            self._line(when - 0.9 + 0.45 * n, login, ip, cmd, src, dst, perm, context)
        return version

    def get(self, key: str, when: float, login: str, ip: str, *, job: str = "") -> None:
        if self.trail is not None:
            get_object(self.trail, self._identity(login, job, when, ip), when, ip, key, self.current(key, when), 10**8)
        else:
            self._line(when, login, ip, "open", f"/{key}", "null", "null", f"\tcallerContext=JOB_{job}" if job else "\tcallerContext=CLI")

    def _line(self, when: float, login: str, ip: str, cmd: str, src: str, dst: str, perm: str, context: str) -> None:
        self.lines.append(
            (
                when,
                f"allowed=true\tugi={login} (auth:{self.auth})\tip=/{ip}\tcmd={cmd}\tsrc={src}\tdst={dst}\tperm={perm}\tproto=rpc{context}",
            )
        )

    def heartbeat(self, begin: int, end: int, every: int) -> None:
        """Write what shows that the log was alive."""
        for n, when in enumerate(range(begin, end, every)):
            if self.trail is None:
                self._line(when + 0.01 * (n % 90), "hdfs", "10.9.0.2", "listStatus", "/healthz", "null", "null", "")
            else:
                get_object(self.trail, self._identity("inventory", "", when, "10.9.0.2"), when, "10.9.0.2", "manifest.json", "null", 400)

    def _identity(self, login: str, job: str, when: float, ip: str) -> dict[str, Any]:
        assert self.trail is not None
        name = job or f"user:{login}"
        if name not in self.identities:
            self.identities[name] = (
                assume(self.trail, login, "trainer", job, when - 2, ip, by_job=True) if job else user_identity(self.trail, login)
            )
        return self.identities[name]

    def files(self) -> dict[str, bytes]:
        if self.trail is not None:
            return trail_files(self.trail, "")
        lines = [f"{spaced_milli(t, self.zone)} INFO FSNamesystem.audit: {text}" for t, text in sorted(self.lines)]
        return {"": ("\n".join(lines) + "\n").encode()}
