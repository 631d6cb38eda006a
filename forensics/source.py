"""The promise that every file in sources/ keeps: what it reads, how to collect it, how to cut it, how to read it.

What the links and the reasoning expect of events (columns of `model.Event`; all references in the contract's form):

    code.commit     object=git:<repo>@<sha>, claimed=email:<author's>, time=committer date (a claim), sha256+locator of the object;
                    attrs: author, author_email, author_time, committer, committer_email, committer_time, parents, subject, tree,
                    reachable, signature
    ref.update      a reflog entry: object=git:<repo>#<ref or HEAD>, target=git:<repo>@<new>, prior=git:<repo>@<old>,
                    claimed=email:<who>; attrs: message, worktree
    code.push       object=git:<repo>#<ref> (git:<repo> where the log names no ref), target=@<after>, prior=@<before>, actor, ip,
                    credential; attrs: commits, action (pushed, created, removed)
    code.merge, code.review, code.request (opened: actor=by whom)     object=<forge>:<project>!<number>
    code.fetch      a clone or fetch: object=git:<repo>, actor, ip, credential
    job.launch      object=the job, time=when it was handed in, actor=whose; attrs: name, uid, submit, start, end (int nanoseconds or
                    null), state, nodes (list), gpus, workdir, command, commit (where the record names one), task (array)
    job.start, job.end, job.node (target=node:...), job.cancel (actor=who did it)
    node.state      object=node:<cluster>/<name>, outcome=its trouble as written (DOWN*, DRAIN, NotReady, a taint, the reason of a warning), time=since when;
                    attrs: reason, until (int nanoseconds), by
    object.write, object.read, object.delete        object with ?versionId= where known; session=aws:<role>/<session name>
    session.role.open           actor=who assumed it, target=aws:<role>, session=aws:<role>/<session name>, credential=token:<key used>
    session.<kind>.open, .close, .fail              session=<kind>:<host>/<id>, actor, ip, credential, device
    process.exec    actor=the original login, target=the account it ran as where another, object=file://<host>/<exe>, session;
                    attrs: argv, cwd, pid, ppid, success
    process.timer   target=the account under which a timetable (cron) started something; attrs: command
    file.write, file.read, file.delete              object=file://<host>/<path>, as process.exec; attrs: from (what was renamed or linked), kept (what
                    stood in the file before stays)
    metric.point    object=run:<name as written>, or the tracked run, or tensorboard:<folder>; name, value; attrs: step
    session.okta.open, .close, .fail; session.sso.open, .fail       actor=okta:<login> (claimed where it failed), session=okta:<number>, device,
                    ip; of sso: object=app:<name>; attrs: factor, fingerprint, managed, registered
    credential.use  a factor was used: actor, session, device, ip, outcome
    credential.issue, .revoke       actor=who did it, target=the account that got or lost it, credential=the key or token where named
    access.grant, .revoke           actor=who did it, target=the account, object=the repository, app, group or organisation
    automation.trigger, .end        object=pipeline:<run>, actor=who set it off (none where a timetable did), session=<commit>, outcome
    automation.trigger.timetable    somebody made or changed what starts jobs by itself: object=it; attrs: command, image; job.launch names it in attrs set_by
    run.record      a tracked run: object=mlflow:<run id> or wandb:<run id>, time=its start, claimed=unix:<user>; attrs: name, job, commit, repo, source,
                    status, end, deleted, experiment, params, tags
    run.param, run.tag      object=the run, name=key; attrs: value; no time
    run.package     what was installed where a run ran: object=the run, target=pkg:pypi/<name>@<version>; no time
    run.latest      the tracker's own copy of a metric's last point, as metric.point
    object.content  what a collected file is: object, target=sha256:<stored bytes>; attrs: format, globals, calls, dangerous, tensors; no
                    time, no actor
    object.tensors  the tensors of such a file: object, target; attrs: tensors (name -> kind and shape, SHA-256 of its bytes or "")
    object.code     a callable that such a file names: object, name=<module>.<name>; attrs: kind (dangerous, other), why, opcode, called, args
    file.content    what a collected file of an installed package is: object, target=sha256:<stored bytes>; no time, no actor
    file.listed     a line of a package's own list (RECORD): object=the file, target=sha256:<as listed>, name=pkg:pypi/<name>@<version>
    hdfs.<command>  what HDFS was asked for beside object.*: object=hdfs://<host>/<path>, target=another path, actor, ip, session
    log.message     a well-formed record that says none of these; it still counts for cadence and gaps

A file here defines one value, `SOURCE`, and imports nothing of its siblings.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from forensics.model import Batch, Evidence, Piece, Tier


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of evidence."""

    name: str
    """its `kind` in case.toml; the file's name, too"""
    reads: str
    """one line: which records of which system"""
    collect: tuple[str, ...]
    """how to collect it: the very commands"""
    reference: str
    """where the format is laid down"""
    tier: Tier
    """default tamper resistance"""
    keeps: str
    """how long such records are usually kept, and by whom"""
    split: Callable[[Evidence], Iterator[Piece]]
    """cut the evidence into pieces that can be read on their own; cheap, runs in the parent"""
    read: Callable[[Piece], Iterator[Batch]]
    """turn a piece into rows; runs in a worker, touches nothing but the piece"""
    needs: tuple[str, ...] = ()
    """keys of [[source]] without which it can't be read"""
    prepare: Callable[[Evidence], Evidence] | None = None
    """lay down a safe copy before anything is read (git)"""


def kinds() -> list[str]:
    """Name every kind of evidence: the files of sources/, in order."""
    return list(_modules(tuple(importlib.import_module("forensics.sources").__path__)))


@cache
def _modules(places: tuple[str, ...]) -> tuple[str, ...]:
    """Name the modules that lie in these folders; a program's own files do not change while it runs."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(places) if not m.name.startswith("_")))


def load(kind: str) -> Source:
    """Return the source of that kind; KeyError where there is none."""
    if kind not in kinds():
        raise KeyError(kind)
    source = importlib.import_module(f"forensics.sources.{kind}").SOURCE
    assert isinstance(source, Source)
    return source
