"""What was found as a whole, read back by others' programs: PROV and CASE/UCO."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from forensics.telling.export import Whole, load_whole, wholes

COMMIT = "git:train@" + "3f" * 20
REF = {"source": "push-log", "sha256": "ab" * 32, "locator": "bytes=0-120"}
HOSTILE = '"><script>alert(1)</script>\u202e\x1b["}'


def edge(src: str, dst: str, rule: str, when: str | None = None, *, recorded: bool = True) -> dict[str, Any]:
    return {"src": src, "dst": dst, "rule": rule, "when": when, "recorded": recorded, "refs": [REF]}


def whole(**more: Any) -> Whole:
    path = [
        edge("p-1", "gitlab:mei", "holders"),
        edge("gitlab:mei", "event:1", "acts", "2024-06-12T06:14:08Z"),
        edge("event:1", COMMIT, "pushed-commits", "2024-06-12T06:14:08Z"),
        edge(COMMIT, "slurm:gpu/1", "job-commits", recorded=False),
        edge("slurm:gpu/1", "s3://b/ckpt", "job-objects"),
        edge("s3://b/ckpt", "s3://b/" + HOSTILE, "copies"),
        edge("device:lt", "ip:10.0.0.1", "leases"),
    ]
    findings = {
        "case": {"id": "2024-06-x"},
        "answers": [{"question": "q1", "object": COMMIT, "path": path}, {"question": "q2", "object": "file:///lone", "path": path[:2]}],
    }
    files = [
        {"source": "push-log", "file": "", "sha256": "ab" * 32, "stored": 120},
        {"source": "logs", "file": "a/b.log", "sha256": "cd" * 32, "stored": 7},
    ]
    return Whole(
        **{
            "findings": findings,
            "people": {"p-1": "Mei"},
            "files": files,
            "examiner": "K.",
            "time": "2024-08-01T09:00:00Z",
            "tool": "t 1",
            "acts": {"event:1": {"action": "code.push", "time": "2024-06-12T06:14:07.5Z"}},
        }
        | more
    )


def written(name: str, found: Whole) -> bytes:
    stream = io.BytesIO()
    load_whole(name).write(found, stream)
    return stream.getvalue()


def test_they_are_found_by_their_files() -> None:
    assert wholes() == ["case-uco", "prov-json"]


@pytest.mark.parametrize("name", wholes())
def test_the_same_findings_give_the_same_ascii_bytes_and_hidden_characters_are_escaped(name: str) -> None:
    assert written(name, whole()) == written(name, whole())
    assert written(name, whole()).isascii()
    assert b"\x1b" not in written(name, whole())


def test_prov_reads_it_back() -> None:
    model = pytest.importorskip("prov.model")
    document = model.ProvDocument.deserialize(content=written("prov-json", whole()).decode(), format="json")
    kinds = [record.get_type().localpart for record in document.get_records()]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "Agent": 6, "Activity": 3, "Entity": 6, "Influence": 2, "Association": 3, "Generation": 2, "Usage": 3, "Derivation": 1,
    }  # fmt: skip
    association = next(one for one in document.get_records(model.ProvAssociation) if one.extra_attributes)
    said = {str(name): str(value) for name, value in association.extra_attributes}
    assert said["f:evidence"] == "push-log#bytes=0-120"
    assert said["f:rule"] == "acts"


def test_no_person_acts_in_prov() -> None:
    told = json.loads(written("prov-json", whole()))
    assert "actedOnBehalfOf" not in told
    assert "wasAttributedTo" not in told
    assert all("p-1" not in relation["prov:agent"] for relation in told["wasAssociatedWith"].values())


def test_prov_says_what_each_act_was_what_was_asked_about_and_on_what_evidence_it_rests() -> None:
    told = json.loads(written("prov-json", whole()))
    act = told["activity"]["f:event%3A1"]
    assert (act["f:action"], act["prov:startTime"]) == ("code.push", "2024-06-12T06:14:07.5Z")
    assert {node["prov:label"]: node["f:question"] for node in told["entity"].values() if "f:question" in node} == {
        COMMIT: ["q1"],
        "file:///lone": ["q2"],
    }
    evidence = {node["prov:label"]: (node["f:sha256"], node["f:bytes"]) for node in told["entity"].values() if "f:sha256" in node}
    assert evidence == {"push-log": ("ab" * 32, 120), "logs/a/b.log": ("cd" * 32, 7)}
    used = {use["prov:entity"] for use in told["used"].values() if use["prov:activity"] == "f:examination"}
    assert {told["entity"][one]["prov:label"] for one in used} == set(evidence)


def test_case_says_what_each_act_was_and_what_was_asked_about() -> None:
    graph = json.loads(written("case-uco", whole()))["@graph"]
    (act,) = (node for node in graph if node["@type"] == "uco-action:Action" and node["uco-core:name"] == "code.push")
    assert act["uco-core:description"] == "act, event:1"
    assert act["uco-action:startTime"]["@value"] == "2024-06-12T06:14:07.5Z"
    assert {
        node["uco-core:name"]: node["uco-core:description"] for node in graph if "asked about" in node.get("uco-core:description", "")
    } == {
        COMMIT: "commit; asked about in q1",
        "file:///lone": "file; asked about in q2",
    }


def test_case_validate_accepts_it(tmp_path: Path) -> None:
    pytest.importorskip("case_utils")
    file = tmp_path / "export.json"
    file.write_bytes(written("case-uco", whole()))
    found = subprocess.run([Path(sys.executable).with_name("case_validate"), str(file)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "Conforms: True" in found.stdout


def test_every_file_has_its_hash_and_every_tie_its_record_in_case() -> None:
    graph = json.loads(written("case-uco", whole()))["@graph"]
    hashes = [
        facet["uco-observable:hash"][0]["uco-types:hashValue"]["@value"]
        for node in graph
        for facet in node.get("uco-core:hasFacet", ())
        if "uco-observable:hash" in facet
    ]
    assert sorted(hashes) == ["AB" * 32, "CD" * 32]
    ties = [node for node in graph if node["@type"] == "uco-core:Relationship"]
    assert len(ties) == 7
    assert {tie["uco-core:description"] for tie in ties} == {"recorded; push-log#bytes=0-120", "inferred; push-log#bytes=0-120"}
    assert len({node["@id"] for node in graph}) == len(graph)
