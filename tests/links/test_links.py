"""Every rule of links/ over the sample case: edges that refer to real records, in time, and known ones among them."""

import json

import pyarrow as pa
import pytest

from forensics import schema
from forensics.case.steps import Request, investigate
from forensics.link import rules
from forensics.links import loads
from forensics.tables import Tables


@pytest.fixture(scope="module")
def tables(request, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "o"
    case = request.config.rootpath / "sample_cases" / "unstable-training"
    investigate(case, out, Request("t", "2024-08-01T00:00:00Z", page=False), lambda _: None)
    return Tables(out / "tables")


@pytest.fixture(scope="module")
def truth(request):
    return json.loads((request.config.rootpath / "sample_cases" / "unstable-training" / "expected.json").read_text())


def test_a_rule_says_what_it_means_and_how_it_errs():
    assert len({rule.name for rule in rules()}) == len(rules()) > 5
    for rule in rules():
        assert rule.says, rule.name
        assert rule.errs, rule.name


@pytest.mark.parametrize("rule", [rule.name for rule in rules() if rule.name != "loads"])  # the sample's loads all name a version
def test_every_edge_refers_to_records_that_exist(tables, rule):
    assert tables.rows("SELECT 1 AS x FROM edges WHERE rule = $r LIMIT 1", r=rule), f"no edge of {rule} in the sample case"
    lost = tables.rows(
        "SELECT e.* FROM (SELECT rule, src, unnest(events) AS id FROM edges WHERE rule = $r) e ANTI JOIN events v ON v.id = e.id LIMIT 3",
        r=rule,
    )
    assert not lost
    assert not tables.rows(
        "SELECT * FROM edges WHERE rule = $r AND (src IS NULL OR dst IS NULL OR src = dst OR len(events) = 0) LIMIT 3", r=rule
    )


def test_the_push_that_brought_a_commit_and_the_jobs_that_ran_it(tables, truth):
    commit = truth["objects"]["q3"]
    pushed = tables.rows(
        "SELECT a.actor FROM edges e JOIN acts a ON e.src = 'event:' || a.event WHERE e.rule = 'pushed-commits' AND e.dst = $c", c=commit
    )
    assert [row["actor"] for row in pushed] == ["gitlab:htrev"]
    jobs = {row["dst"] for row in tables.rows("SELECT dst FROM edges WHERE rule = 'job-commits' AND src = $c", c=commit)}
    assert jobs == set(truth["impact"]["q3"]["jobs"])


def test_the_jobs_that_loaded_the_overwritten_checkpoint(tables, truth):
    version = truth["objects"]["q1"]
    loaded = {row["dst"] for row in tables.rows("SELECT dst FROM edges WHERE rule = 'job-objects' AND src = $v", v=version)}
    assert loaded
    assert loaded <= set(truth["impact"]["q1"]["jobs"])


def test_a_login_behind_the_jump_host_leads_back_to_it(tables):
    rows = tables.rows("""
        SELECT s.src, s.dst FROM edges s JOIN acts b ON b.session = s.dst AND b.action = 'session.ssh.open' AND b.host = 'login-1'
        WHERE s.rule = 'sessions' AND starts_with(s.src, 'ssh:jump/')
    """)
    opened = tables.rows("SELECT count(DISTINCT session) AS n FROM acts WHERE action = 'session.ssh.open' AND host = 'login-1'")[0]["n"]
    assert len({row["dst"] for row in rows}) >= 0.95 * opened


def test_no_job_ran_a_commit_before_it_was_pushed_there(tables):
    early = tables.rows("""
        SELECT j.src FROM edges j JOIN edges p ON p.rule = 'pushed-commits' AND p.dst = j.src
        WHERE j.rule = 'job-commits' AND j.time < p.time - 1000000000 LIMIT 3
    """)
    assert not early


def test_a_load_without_a_version_is_of_what_was_written_last_before_it(tmp_path):
    moments = {"w1": 10, "r0": 5, "r1": 15, "w2": 20, "r2": 25}
    acts = [
        dict.fromkeys(schema.ACTS.names)
        | {"event": n, "source": "store", "time": time, "time_hi": time, "outcome": "ok"}
        | (
            {"action": "object.write", "object": f"s3://b/k?versionId={name}"}
            if name[0] == "w"
            else {"action": "object.read", "object": "s3://b/k"}
        )
        for n, (name, time) in enumerate(moments.items())
    ]
    tables = Tables(tmp_path)
    tables.write("acts", [pa.Table.from_pylist(acts, schema=schema.ACTS)])
    edges = pa.concat_tables(loads.LINK.run(tables)).to_pylist()
    assert [(e["src"], e["dst"], e["time"], e["recorded"]) for e in edges] == [
        ("s3://b/k?versionId=w1", "s3://b/k", 15, False),
        ("s3://b/k?versionId=w2", "s3://b/k", 25, False),
    ]
