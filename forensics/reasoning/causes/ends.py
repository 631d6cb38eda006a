"""Harmed runs told by how they ended, where nobody named any and no metric shows two kinds: broken off, killed, hung until their limit, begun again.

A run that somebody cancelled is neither: people cancel what they no longer need. States: https://slurm.schedmd.com/sacct.html#SECTION_JOB-STATE-CODES,
https://kubernetes.io/docs/concepts/workloads/controllers/job/#terminal-job-conditions (Complete, Failed).
"""

from forensics.reasoning.world import World

_ENDS = """
    SELECT j.job, count(*) AS runs, lower(max_by(split_part(j.state, ' ', 1), j.submit)) AS state,
           max(try_cast(json_extract_string(e.attrs, '$.restarts') AS BIGINT)) AS restarts
    FROM jobs j LEFT JOIN events e ON e.id = j.events[1] WHERE j.start IS NOT NULL GROUP BY j.job ORDER BY j.job LIMIT 200000
"""
_BROKEN = ("failed", "timeout", "node_fail", "out_of_memory", "boot_fail", "deadline", "oom", "error", "evicted", "backofflimit")
_WHOLE = ("complete", "succe")
BY_END = "how they ended"


def by_end(world: World) -> tuple[set[str], set[str], str]:
    """Return the jobs that ended badly or had to begin again, those that ended as they should, and how they were told."""
    bad, good = set(), set()
    for row in world.tables.rows(_ENDS):
        state = row["state"] or ""
        if state.startswith(_BROKEN) or row["runs"] > 1 or (row["restarts"] or 0) > 0:
            bad.add(row["job"])
        elif state.startswith(_WHOLE):
            good.add(row["job"])
    return (bad, good, BY_END) if bad and good else (set(), set(), "")
