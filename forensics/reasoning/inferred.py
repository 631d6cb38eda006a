"""Jobs that may have run a change, though no record ties them to it: by the working tree that they started in, or a folder that they name."""

from typing import Any

from forensics.reasoning.dossier import Dossier
from forensics.reasoning.world import World

Row = dict[str, Any]


# A working tree stands still or moves on between two jobs whose commits are recorded. A job in between, of whose commit nothing is recorded,
# may have run the one, the other, or what lies between them.
_BESIDE = """
    WITH runs AS (
        SELECT e.src, e.dst, e.events, e.time, j.workdir, e.src IN (SELECT unnest(CAST($c AS VARCHAR[]))) AS bears
        FROM edges e JOIN jobs j ON j.job = e.dst AND coalesce(j.start, j.submit) = e.time
        WHERE e.rule = 'job-commits' AND e.recorded AND j.workdir <> ''
    ),
    marks AS (
        SELECT workdir, time, bool_or(bears) AS bears, min(src) FILTER (bears) AS src, arg_min(events, src || dst) FILTER (bears) AS seen
        FROM runs GROUP BY workdir, time
    ),
    silent AS (
        SELECT * FROM jobs WHERE start >= $since AND workdir <> '' AND job NOT IN (SELECT dst FROM edges WHERE rule = 'job-commits')
    ),
    pairs AS (
        SELECT j.job, j.start, j.events, m.* FROM silent j ASOF JOIN marks m ON j.workdir = m.workdir AND j.start >= m.time
        UNION ALL
        SELECT j.job, j.start, j.events, m.* FROM silent j ASOF JOIN marks m ON j.workdir = m.workdir AND j.start < m.time
    )
    SELECT 'job-commits' AS rule, src, job AS dst, start AS time, start AS time_hi, false AS recorded, list_concat(events, seen) AS events
    FROM pairs WHERE bears QUALIFY row_number() OVER (PARTITION BY job, start ORDER BY time, src) = 1 ORDER BY dst, time
"""


def beside(world: World, commits: list[str], since: int) -> list[Row]:
    """Return inferred edges into jobs that may have run one of these commits: the last or the next known job in their working tree did.

    `since`: when a record first shows the change, or a job that ran it; nobody ran it before.
    """
    return world.tables.rows(_BESIDE, c=commits, since=since)


# Of a working tree of which nothing at all is recorded, its name may tell the repository. What it held is what its owner last fetched: as a
# rule what the branch that most is pushed to held then.
_NOWHERE = """
    WITH bearing AS (SELECT unnest(CAST($c AS VARCHAR[])) AS object),
    repos AS (SELECT DISTINCT regexp_extract(split_part(object, '@', 1), '[^:/]+$') AS name, substr(split_part(object, '@', 1), 5) AS repo FROM bearing),
    main AS (
        SELECT repo, ref FROM pushes WHERE ref IS NOT NULL AND repo IN (SELECT repo FROM repos)
        GROUP BY repo, ref QUALIFY row_number() OVER (PARTITION BY repo ORDER BY count(*) DESC, ref) = 1
    ),
    heads AS (
        SELECT r.name, p.time, p.after, p.event, 'git:' || p.repo || '@' || p.after AS object FROM pushes p JOIN main USING (repo, ref) JOIN repos r USING (repo)
        WHERE p.time IS NOT NULL QUALIFY row_number() OVER (PARTITION BY r.name, p.time ORDER BY p.event DESC) = 1
    ),
    told AS (SELECT DISTINCT j.workdir FROM edges e JOIN jobs j ON j.job = e.dst WHERE e.rule = 'job-commits' AND j.workdir IS NOT NULL),
    silent AS (
        SELECT *, regexp_extract(rtrim(workdir, '/'), '[^/]+$') AS folder FROM jobs
        WHERE start >= $since AND job NOT IN (SELECT dst FROM edges WHERE rule = 'job-commits') AND workdir <> '' AND workdir NOT IN (SELECT workdir FROM told)
    )
    SELECT 'job-commits' AS rule, h.object AS src, j.job AS dst, j.start AS time, j.start AS time_hi, false AS recorded, list_append(j.events, h.event) AS events
    FROM silent j ASOF JOIN heads h ON j.folder = h.name AND j.start >= h.time WHERE h.object IN (SELECT object FROM bearing) ORDER BY dst, time
"""


def nowhere(world: World, commits: list[str], since: int) -> list[Row]:
    """Return inferred edges into jobs of whose working tree only the name is known, while the repository's branch bore the change."""
    return world.tables.rows(_NOWHERE, c=commits, since=since)


_NAMED_FOLDER = """
    WITH checks AS (SELECT time, outcome FROM acts WHERE action = 'file.check' AND object = $o AND time IS NOT NULL),
    sound AS (SELECT max(time) AS time FROM checks WHERE outcome = 'ok' AND time < (SELECT min(time) FROM checks WHERE outcome <> 'ok')),
    named AS (
        SELECT j.job, j.start, j.events, unnest(regexp_extract_all(
            coalesce(j.command, '') || ' ' || coalesce(CAST(json_extract(e.attrs, '$.env') AS VARCHAR), ''), '(/[A-Za-z0-9._@+-]+){2,}')) AS folder
        FROM jobs j LEFT JOIN events e ON e.id = j.events[1]
        WHERE j.start >= CASE WHEN $acted THEN $since ELSE greatest($since, coalesce((SELECT time FROM sound), $since)) END AND ($until IS NULL OR j.start < $until)
    )
    SELECT DISTINCT 'file-jobs' AS rule, $o AS src, job AS dst, start AS time, start AS time_hi, false AS recorded, events
    FROM named WHERE starts_with($path, folder || '/') ORDER BY dst, time
"""


def named_folder(world: World, reference: str, dossier: Dossier, until: int | None) -> list[Row]:
    """Return inferred edges into jobs whose command or environment names a folder above a changed file, such as that of its packages.

    Where no record shows the change itself, it came after the last check at which the file was sound.
    """
    if not reference.startswith("file:") or dossier.when is None:
        return []
    path = "/" + reference.removeprefix("file://").partition("/")[2]
    return world.tables.rows(_NAMED_FOLDER, o=reference, path=path, since=dossier.when[0], until=until, acted=dossier.act is not None)
