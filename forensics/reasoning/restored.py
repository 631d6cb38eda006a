"""What was put back out of a snapshot: whoever wrote that path before may have made what it held, whichever state was taken."""

import re

from forensics.reasoning.act import Act, Row
from forensics.reasoning.given import others
from forensics.reasoning.origins import Origin
from forensics.reasoning.paths import named
from forensics.reasoning.world import World

_SNAPSHOT = re.compile(r"/\.(zfs/)?snapshots?/[^/]+/")
"""where HDFS, NFS servers and ZFS keep earlier states of a folder (HDFS Snapshots; zfs(8), snapdir)"""
_MOST = 50


def restored(world: World, act: Act, origins: tuple[Origin, ...]) -> tuple[Row, ...]:
    """Return the writes by others, before, of what the act's account took out of a snapshot shortly before it."""
    mine = set(world.known.last_holders(act.account, act.time[0]))
    if not mine or not act.kind.startswith(("object.", "file.")):
        return ()
    low = act.time[0] - world.policy.windows["shared_exec"]
    reads = world.acts(
        "action = 'object.read' AND outcome = 'ok' AND actor = $a AND time BETWEEN $low AND $t", a=act.account, low=low, t=act.time[1]
    )
    taken = {_SNAPSHOT.sub("/", str(r["object"])) for r in reads if _SNAPSHOT.search(str(r["object"]))}
    sessions = sorted({s for o in origins for s in o.sessions} | ({act.session} if act.session else set()))
    ran = world.acts(
        "action = 'process.exec' AND outcome = 'ok' AND list_contains($s, session) AND time BETWEEN $low AND $t", s=sessions, low=low, t=act.time[1]
    ) if sessions else []  # fmt: skip
    for row in ran:
        paths = {_SNAPSHOT.sub("/", p) for p in named(row) if _SNAPSHOT.search(p)}
        taken |= {f"file://{host}{p}" for p in paths for host in (row["host"], "")}
    rows = world.acts(
        "action IN ('object.write', 'file.write') AND outcome = 'ok' AND list_contains($o, split_part(object, '?', 1)) AND time < $t", o=sorted(taken), t=act.time[0]
    ) if taken else []  # fmt: skip
    return tuple(r for r in rows[-_MOST:] if others(world, r, mine))
