"""The case folder: which sources are handed in, under which names, and the registers beside them."""

from collections.abc import Iterable
from random import Random
from typing import Any

from making.folder import Files, csv_file, toml_table
from making.stored import tar_file

from tests.incidents.formats import checkpoints, forge_logs, host_logs, jobs, people_logs, tracking
from tests.incidents.lab import clock
from tests.incidents.lab import forge as forges
from tests.incidents.lab.clock import DAY, HOUR
from tests.incidents.lab.people import Person
from tests.incidents.lab.world import Identifier, Lab

Source = dict[str, Any]


class Folder:
    """Collects sources and files of one case."""

    def __init__(self, lab: Lab, harm: dict[int, str]) -> None:
        self.lab, self.rng = lab, lab.rng("folder")
        self.files: Files = {}
        self.sources: list[Source] = []
        self.kind_names: dict[str, list[str]] = {}
        """kind or host -> names of sources"""
        self.harm = harm
        self._forge()
        self._repositories()
        self._scheduler()
        self._store()
        self._hosts()
        self._people()
        self._tracking()

    def add(self, key: str, source: Source, files: Files) -> None:
        """Hand in a source, unless the plot took its key away."""
        if key in self.lab.dropped or source["kind"] in self.lab.dropped:
            return
        if key in self.lab.controllers:
            source["controllers"] = self.lab.controllers[key]
        self.sources.append(source)
        self.kind_names.setdefault(key, []).append(source["name"])
        self.files.update(files)

    def name(self, *words: str) -> str:
        return self.rng.choice(words)

    def _forge(self) -> None:
        lab, host = self.lab, {"host": self.lab.forge.host}
        if not lab.shape.forge_log:
            return
        if lab.shape.forge == "gitlab":
            self.add(
                "forge",
                {
                    "name": self.name("events", "gl-events", "forge-events"),
                    "kind": "gitlab_events",
                    "path": "evidence/forge/events.jsonl",
                    **host,
                    "tier": "T3",
                    "repo": lab.forge.repo,
                },
                {"evidence/forge/events.jsonl": forge_logs.gitlab_events(lab)},
            )
            self.add(
                "forge-shell",
                {
                    "name": self.name("shell", "git-over-ssh", "gl-shell"),
                    "kind": "gitlab_shell",
                    "path": "evidence/forge/shell.log",
                    **host,
                },
                {"evidence/forge/shell.log": forge_logs.gitlab_shell(lab)},
            )
            return
        self.add(
            "forge",
            {
                "name": self.name("activity", "repo-activity", "ref-moves"),
                "kind": "github_activity",
                "path": f"evidence/forge/{lab.forge.repo}.json",
                **host,
                "repo": lab.forge.repo,
            },
            {f"evidence/forge/{lab.forge.repo}.json": forge_logs.github_activity(lab)},
        )
        self.add(
            "forge-audit",
            {
                "name": self.name("org-audit", "gh-audit", "audit-stream"),
                "kind": "github_audit",
                "path": "evidence/forge/audit.jsonl",
                **host,
            },
            {"evidence/forge/audit.jsonl": forge_logs.github_audit(lab)},
        )

    def _repositories(self) -> None:
        lab, forge = self.lab, self.lab.forge
        if lab.shape.server:
            files = forges.server_files(forge, set())
            source = {
                "name": self.name(f"{forge.repo}-bare", "repository", f"{forge.repo}-on-server"),
                "kind": "git",
                "repo": forge.repo,
                "role": "server",
                "host": forge.host,
            }
            if self.rng.random() < 0.5:
                self.add(
                    "server",
                    {**source, "path": f"evidence/{forge.repo}.tar"},
                    {f"evidence/{forge.repo}.tar": tar_file({f"{forge.repo}.git/{k}": v for k, v in files.items()}, lab.end)},
                )
            else:
                self.add(
                    "server",
                    {**source, "path": f"evidence/repos/{forge.repo}.git"},
                    {f"evidence/repos/{forge.repo}.git/{k}": v for k, v in files.items()},
                )
        url = f"ssh://git@{forge.host}/{forge.group}/{forge.repo}.git"
        for c in lab.clones:
            base = f"evidence/mount{c.path}"
            source = {
                "name": f"clone-{c.team}",
                "kind": "git",
                "path": base,
                "repo": forge.repo,
                "role": "clone",
                "worktree": c.path,
                "host": c.host,
            }
            self.add("clone", source, {f"{base}/{k}": v for k, v in forges.clone_files(forge, c.moves, url).items()})

    def _scheduler(self) -> None:
        lab, cluster = self.lab, self.lab.cluster
        if cluster.kind == "slurm":
            self.add(
                "sacct",
                {
                    "name": self.name("sacct", "accounting", "slurm-jobs"),
                    "kind": "slurm",
                    "path": "evidence/scheduler/jobs.psv",
                    "host": cluster.name,
                    "timezone": lab.shape.zone,
                },
                {"evidence/scheduler/jobs.psv": jobs.sacct(lab)},
            )
        else:
            self.add(
                "k8s",
                {
                    "name": self.name("apiserver", "kube-audit", "k8s"),
                    "kind": "kubernetes_audit",
                    "path": "evidence/scheduler/audit.jsonl",
                    "host": cluster.name,
                },
                {"evidence/scheduler/audit.jsonl": jobs.k8s_audit(lab)},
            )

    def _store(self) -> None:
        lab, store = self.lab, self.lab.store
        if store.kind == "s3":
            self.add(
                "store",
                {"name": self.name("trail", "s3-calls", "cloudtrail"), "kind": "cloudtrail", "path": "evidence/trail", "tier": "T4"},
                {f"evidence/trail{k}": v for k, v in store.files().items()},
            )
        else:
            self.add(
                "store",
                {
                    "name": self.name("namenode", "hdfs", "nn-audit"),
                    "kind": "hdfs_audit",
                    "path": "evidence/namenode/audit.log",
                    "host": store.base,
                    "timezone": lab.shape.zone,
                },
                {"evidence/namenode/audit.log": store.files()[""]},
            )
        if not lab.checkpoints and self.rng.random() < 0.3:
            lab.checkpoints |= self._models()
        if lab.checkpoints:
            prefix = "s3://" if store.kind == "s3" else f"hdfs://{store.base}/"
            root = f"evidence/objects/{store.base}/" if store.kind == "s3" else "evidence/objects/"
            self.add(
                "checkpoints",
                {
                    "name": self.name("collected-models", "model-files", "objects"),
                    "kind": "checkpoint",
                    "path": "evidence/objects",
                    "prefix": prefix,
                },
                {root + k: v for k, v in sorted(lab.checkpoints.items())},
            )

    def _models(self) -> Files:
        """Return a few harmless objects, as they would be collected to be compared with."""
        keys = sorted(self.lab.store.versions)
        return {
            key: checkpoints.torch_zip(self.rng, 2, b"", (("functools", "partial"),))
            for key in self.rng.sample(keys, min(3, len(keys)))
            if key.endswith(".pt")
        }

    def _hosts(self) -> None:
        lab, shape = self.lab, self.lab.shape
        if lab.kept and not lab.controllers and self.rng.random() < 0.35:  # the case says who could have edited the hosts' logs
            keepers = sorted(p.id for p in lab.people if p.role == "infrastructure")
            lab.controllers |= {key: keepers for name in lab.hosts for key in (f"auth:{name}", f"audit:{name}")}
        plain = {"timezone": shape.zone, "year": shape.first.year} if shape.style == "bsd" else {}
        for name, host in lab.hosts.items():
            parts = {f"evidence/{name}/{k}": v for k, v in host_logs.auth_files(lab, name).items()}
            if shape.auth:
                self.add(
                    f"auth:{name}",
                    {"name": f"{name}-auth", "kind": "syslog", "path": f"evidence/{name}/auth.log*", "host": name, **plain},
                    parts,
                )
            if shape.auditd and name != lab.bastion:
                self.add(
                    f"audit:{name}",
                    {"name": f"{name}-auditd", "kind": "auditd", "path": f"evidence/{name}/audit.log", "host": name},
                    {f"evidence/{name}/audit.log": host_logs.audit_file(lab, host)},
                )
        for name, host in sorted(lab.node_hosts.items()):
            self.add(
                f"audit:{name}",
                {"name": f"{name}-auditd", "kind": "auditd", "path": f"evidence/nodes/{name}.log", "host": name},
                {f"evidence/nodes/{name}.log": host_logs.audit_file(lab, host)},
            )
        if shape.loghost:
            self.add(
                "loghost",
                {
                    "name": self.name("central-syslog", "loghost", "syslog-archive"),
                    "kind": "syslog",
                    "path": "evidence/loghost/all.log",
                    "tier": "T4",
                },
                {"evidence/loghost/all.log": host_logs.loghost_file(lab)},
            )

    def _people(self) -> None:
        lab, shape, records = self.lab, self.lab.shape, self.lab.diary.records
        for kind, on, rows in (("badge", shape.badge, records["badge"]), ("dhcp", shape.dhcp, records["dhcp"]), ("vpn", shape.vpn, records["vpn"]), ("edr", shape.edr, records["edr"]), ("meetings", shape.meetings, records["meetings"]),
                               ("pipelines", shape.pipelines, lab.pipelines), ("integrity", shape.integrity, lab.checks), ("registry", bool(lab.registry), lab.registry)):  # fmt: skip
            if on and rows:
                table = people_logs.Table(lab, kind, lab.rng("table", kind))
                source = table.source()
                tier = self._tier(kind)
                if tier:
                    source["tier"] = tier
                self.add(kind, source, {source["path"]: table.render(rows)})
        if shape.okta:
            self.add(
                "okta",
                {"name": self.name("okta", "sso", "idp-log"), "kind": "okta", "path": "evidence/idp/log.jsonl", "tier": "T4"},
                {"evidence/idp/log.jsonl": people_logs.okta(lab)},
            )

    def _tier(self, kind: str) -> str:
        """Say how hard this lab's own log is to falsify: sensors mostly report to their vendor, the rest lies with administrators."""
        rng = self.lab.rng("tier", kind)
        if kind in ("edr", "registry"):
            return "T4" if rng.random() < 0.75 else "T3"
        return "T3" if rng.random() < 0.75 else ""

    def _tracking(self) -> None:
        lab = self.lab
        points = {j.number: tracking.curve(j, lab.rng("curve", j.number), self.harm.get(j.number, "")) for j in lab.cluster.jobs}
        if lab.shape.metrics:
            style = self.rng.choice(("{job}", "{name}-{job}", "run-{job}"))
            name = style.replace("{job}", "{0}").replace("{name}", "{1}")
            rows = [(name.format(lab.cluster.key(j), j.name), points[j.number]) for j in lab.cluster.jobs]
            self.add(
                "metrics",
                {
                    "name": self.name("curves", "metrics", "scalars"),
                    "kind": "metrics",
                    "path": "evidence/curves.csv",
                    "runs": {"pattern": style},
                },
                {"evidence/curves.csv": tracking.metrics_csv(rows)},
            )
        if lab.shape.mlflow:
            chosen = [j for j in lab.cluster.jobs if j.gpus >= 8][:45]
            self.add(
                "mlflow",
                {"name": self.name("mlflow", "tracking", "experiments"), "kind": "mlflow", "path": "evidence/mlruns"},
                {f"evidence/mlruns/{k}": v for k, v in tracking.mlflow_files(lab, chosen, points).items()},
            )


# --- registers --------------------------------------------------------------------------------------------------------


def register_files(lab: Lab) -> Files:
    zone = lab.shape.zone
    stamp = lambda t: clock.iso(t, zone) if t is not None else ""  # noqa: E731 - used in each row below
    people = [[p.id, p.name, p.role, stamp(p.since), stamp(p.until)] for p in lab.people]
    rows = sorted([i.identifier, i.person, i.kind, stamp(i.since), stamp(i.until), i.source] for i in identifiers(lab))
    access = sorted([p.id, thing, right, stamp(p.since), stamp(p.until)] for p in lab.people for thing, right in _rights(lab, p))
    return {
        "people.csv": csv_file(["person", "name", "role", "employed_from", "employed_to"], people),
        "identifiers.csv": csv_file(["identifier", "person", "kind", "from", "to", "source"], rows),
        "access.csv": csv_file(["person", "object", "right", "from", "to"], access),
    }


def _rights(lab: Lab, p: Person) -> list[tuple[str, str]]:
    right = "admin" if p.role == "infrastructure" else "write"
    return [(f"git:{lab.forge.repo}#refs/heads/*", right), (f"file://{lab.share}/*", "write"), (lab.store.ref(f"{p.team}/*"), right)]


def identifiers(lab: Lab) -> Iterable[Identifier]:
    """List the identifiers of everybody."""
    for p in lab.people:
        over = p.disabled or p.until
        named = [
            (f"{lab.shape.forge}:{p.handle}", "forge"),
            (f"unix:{p.login}", "directory"),
            (f"unix:#{p.uid}", "directory"),
            *((f"email:{e}", "mail") for e in p.emails),
            (f"badge:{p.badge}", "facilities"),
            (f"okta:{p.emails[0]}", "identity provider"),
        ]
        if lab.store.kind == "s3":
            named.append((f"aws:{p.login}", "cloud"))
        if lab.cluster.kind == "k8s":
            named.append((f"k8s:sso:{p.emails[0]}", "cluster"))
        yield from (Identifier(name, p.id, "personal", p.since, over, source) for name, source in named)
        yield from _gear_rows(lab, p, over)
    yield from _service_rows(lab)
    yield from lab.extra_identifiers


def _gear_rows(lab: Lab, p: Person, over: int | None) -> Iterable[Identifier]:
    for n, g in enumerate(p.gear):
        until = p.gear[n + 1].since + 14 * HOUR if n + 1 < len(p.gear) else over
        named = [(f"device:{g.device}", "inventory"), (f"ssh-key:{g.key}", "directory")]
        named += [(f"mac:{g.mac}", "inventory")] if lab.shape.mac_registered else []
        if lab.shape.keys_registered:
            named.append(
                (f"gitlab-key:{g.key_number}", "forge keys") if lab.shape.forge == "gitlab" else (f"token:{g.token}", "forge tokens")
            )
        yield from (Identifier(name, p.id, "personal", g.since, until, source) for name, source in named)


def _service_rows(lab: Lab) -> Iterable[Identifier]:
    account = lab.store.account(lab.service)
    for p in lab.users_of_service:
        names = {account, f"unix:{lab.service}", f"unix:#{lab.service_uid}"}
        yield from (Identifier(name, p.id, "shared", p.since, p.disabled or p.until, "sudo rules") for name in sorted(names))
    for p in (p for p in lab.people if p.role == "infrastructure"):
        yield from (
            Identifier(name, p.id, "service", p.since, None, "forge")
            for name in (f"{lab.shape.forge}:{lab.robot}", f"email:{lab.robot}@{lab.domain}")
        )


# --- case.toml --------------------------------------------------------------------------------------------------------


def case_toml(
    lab: Lab, case: str, title: str, sources: list[Source], questions: list[Source], bad: list[str], good: list[str], rng: Random
) -> bytes:
    zone = lab.shape.zone
    head = {
        "id": case,
        "title": title,
        "timezone": zone,
        "from": f"@{clock.iso(lab.begin, zone)}",
        "to": f"@{clock.iso(lab.end + DAY, zone)}",
    }
    shuffled = sorted(sources, key=lambda s: s["name"])
    rng.shuffle(shuffled)
    parts = [toml_table("[case]", head)]
    for s in shuffled:
        words = s.pop("actions", None)
        parts.append(toml_table("[[source]]", s))
        if words:
            parts.append(toml_table("[source.map.actions]", words))
    parts += [toml_table("[[question]]", q) for q in questions]
    if bad:
        parts.append(toml_table("[symptom]", {"bad": bad, "good": good}))
    if rng.random() < 0.5:
        parts.append(toml_table("[cost]", {"gpu_hour": round(1.2 + 2.5 * rng.random(), 2), "currency": rng.choice(("USD", "EUR", "SGD"))}))
    return ('schema = "forensics/case/1"\n\n' + "\n".join(parts)).encode()
