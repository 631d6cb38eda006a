"""Which job read or wrote an object: its session bears the job's name or number, while it ran; and which image it ran."""

from collections.abc import Iterator

import pyarrow as pa

from forensics.link import Link
from forensics.tables import Tables

# What a session wrote under a passing name and then renamed is the object under its last name: Hadoop's shell writes `X._COPYING_`, and
# renames it to X (https://hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-common/FileSystemShell.html#put, -d).
_ACTS = """
    SELECT event AS id, action, object, time, session,
           regexp_replace(regexp_replace(session, '^[a-z0-9]+:(?:[^/]*/)?', ''), '^(?i:job|slurm|k8s|run)[-_.]', '') AS label
    FROM acts WHERE action IN ('object.read', 'object.write') AND session IS NOT NULL AND time IS NOT NULL AND object IS NOT NULL
      AND outcome = 'ok'
      AND (action = 'object.read' OR (object, session) NOT IN (
          SELECT (prior, session) FROM events WHERE action = 'object.write' AND prior IS NOT NULL AND session IS NOT NULL AND coalesce(outcome, 'ok') = 'ok'))
"""

# A job's own name or number, standing alone in the session's name (`job-1041`, `JOB_1041` as HDFS's caller context, the Kubernetes job's name).
_MATCH = f"""
    WITH acts AS ({_ACTS}),
    labels AS (SELECT DISTINCT label FROM acts WHERE label <> ''),
    runs AS (SELECT job, regexp_extract(job, '[^/]+$') AS id, submit, coalesce("end", 9223372036854775807) AS "end", events FROM jobs),
    whole AS (SELECT label, label AS id FROM labels WHERE label IN (SELECT id FROM runs)),
    ids AS (  -- a number within a name counts only where the whole name is no job's
        SELECT * FROM whole
        UNION SELECT label, unnest(regexp_extract_all(label, '[0-9]+(?:_[0-9]+)?')) FROM labels WHERE label NOT IN (SELECT label FROM whole)
    )
    SELECT a.id, a.action, a.object, a.time, r.job, r.events
    FROM acts a JOIN ids i ON a.label = i.label JOIN runs r ON r.id = i.id
    WHERE a.time BETWEEN r.submit - 3600000000000 AND CASE WHEN r."end" > 9000000000000000000 THEN r."end" ELSE r."end" + 3600000000000 END
"""

# https://docs.docker.com/reference/cli/docker/image/tag/: a first component with a dot or a port is the registry's host; enroot writes `#`
# behind it. A digest names the content itself; a tag stood for what was pushed last under it, if nothing else happened.
_IMAGES = """
    WITH written AS (
        SELECT j.job, coalesce(j.start, j.submit) AS time, j.events, regexp_replace(
            coalesce(json_extract_string(e.attrs, '$.image'), regexp_extract(j.command, '--container-image[= ][''"]?([^ ''"]+)', 1)), '^[a-z]+://', '') AS image
        FROM jobs j JOIN events e ON e.id = j.events[1]
    ),
    named AS (SELECT job, time, events, regexp_replace(replace(image, '#', '/'), '^([^/]*[.:][^/]*|localhost)/', '') AS image FROM written WHERE image <> ''),
    parts AS (
        SELECT job, time, events, 'image:' || regexp_extract(image, '^[^:@]+') AS name, lower(regexp_extract(image, '@(sha256:[0-9a-fA-F]{64})$', 1)) AS digest,
               coalesce(nullif(regexp_extract(image, '^[^:@]+:([^@]+)', 1), ''), 'latest') AS tag
        FROM named
    ),
    pushed AS (
        SELECT a.event, a.object, a.time, regexp_extract(a.object, '^[^:]*:[^:@]+') AS name, coalesce(json_extract_string(e.attrs, '$.tag'), 'latest') AS tag
        FROM acts a JOIN events e ON e.id = a.event
        WHERE a.action = 'object.write' AND a.outcome = 'ok' AND starts_with(a.object, 'image:') AND contains(a.object, '@') AND a.time IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY name, tag, a.time ORDER BY a.event) = 1
    )
    SELECT name || '@' || digest AS src, job AS dst, time, true AS recorded, events FROM parts WHERE digest <> ''
    UNION ALL
    SELECT p.object, j.job, j.time, false, list_append(j.events, p.event)
    FROM (SELECT * FROM parts WHERE digest = '' AND time IS NOT NULL) j ASOF JOIN pushed p ON p.name = j.name AND p.tag = j.tag AND j.time >= p.time
"""


def _run(tables: Tables) -> Iterator[pa.Table]:
    yield tables.sql(f"""
        SELECT CASE WHEN action = 'object.read' THEN object ELSE job END AS src, CASE WHEN action = 'object.read' THEN job ELSE object END AS dst,
               time, time AS time_hi, true AS recorded, list_append(events, id) AS events
        FROM ({_MATCH}) ORDER BY id, job
    """)
    yield tables.sql(f"SELECT src, dst, time, time AS time_hi, recorded, events FROM ({_IMAGES}) ORDER BY dst, time, src")


LINK = Link(
    name="job-objects",
    says="this job read or wrote that object: the store's session or caller context bears the job's number or name, while the job ran; or its record names that image",
    errs="session names are chosen by whoever assumes the role; two clusters may use the same job number at one time; a tag may be moved unseen",
    run=_run,
)
