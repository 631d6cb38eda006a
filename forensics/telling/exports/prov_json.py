"""W3C PROV-JSON: the paths of the answers as entities, activities and agents, each relation with its rule and its records; and the examination with its evidence.

https://www.w3.org/submissions/prov-json/. A person is tied to an account by what the registers say, as influence, never as delegation: an account is not a person.
"""

import json
from collections.abc import Mapping
from typing import IO, Any
from urllib.parse import quote

from forensics.telling.export import Whole, WholeExport, asked
from forensics.telling.report.citing import place
from forensics.telling.report.paths import family

_KIND = {"person": "agent", "hand": "agent", "act": "activity", "job": "activity", "thing": "entity"}
_RELATIONS = {
    ("agent", "activity"): ("wasAssociatedWith", "prov:agent", "prov:activity"),
    ("activity", "entity"): ("wasGeneratedBy", "prov:activity", "prov:entity"),
    ("entity", "activity"): ("used", "prov:entity", "prov:activity"),
    ("entity", "entity"): ("wasDerivedFrom", "prov:usedEntity", "prov:generatedEntity"),
    ("activity", "activity"): ("wasInformedBy", "prov:informant", "prov:informed"),
}
_INFLUENCE = ("wasInfluencedBy", "prov:influencer", "prov:influencee")
Json = dict[str, Any]


def _write(whole: Whole, stream: IO[bytes]) -> None:
    document: Json = {"prefix": {"f": "urn:forensics:", "xsd": "http://www.w3.org/2001/XMLSchema#"}}
    edges, questions = _edges(whole), asked(whole.findings)
    for reference in sorted(questions):
        document.setdefault(_kind(reference), {})[_id(reference)] = _node(reference, whole) | {"f:question": questions[reference]}
    for edge in edges:
        for end in ("src", "dst"):
            document.setdefault(_kind(edge[end]), {}).setdefault(_id(edge[end]), _node(edge[end], whole))
    for number, edge in enumerate(edges):
        _relate(document, number, edge)
    _examined(document, whole)
    stream.write((json.dumps(document, indent=1, sort_keys=True, ensure_ascii=True) + "\n").encode())


def _edges(whole: Whole) -> list[Mapping[str, Any]]:
    """Return the edges of all answers' paths, each once, sorted."""
    found = {(e["src"], e["dst"], e["rule"]): e for answer in whole.findings["answers"] for e in answer.get("path") or ()}
    return [found[key] for key in sorted(found)]


def _kind(reference: str) -> str:
    return _KIND[family(reference)[0]]


def _id(reference: str) -> str:
    return "f:" + quote(reference, safe="")


def _node(reference: str, whole: Whole) -> Json:
    layer, word = family(reference)
    node: Json = {"prov:label": whole.people.get(reference) or reference, "f:kind": word}
    if act := whole.acts.get(reference):
        node |= {"prov:label": f"{act['action']} ({reference})", "f:action": act["action"]}
        node |= {"prov:startTime": act["time"]} if act["time"] else {}
    if layer == "person":
        node["prov:type"] = {"$": "prov:Person", "type": "xsd:QName"}
    return node


def _relate(document: Json, number: int, edge: Mapping[str, Any]) -> None:
    pair = _kind(edge["src"]), _kind(edge["dst"])
    name, source, target = _RELATIONS.get(pair, _INFLUENCE)
    relation: Json = {source: _id(edge["src"]), target: _id(edge["dst"]), "f:rule": edge["rule"], "f:recorded": bool(edge["recorded"])}
    refs = [place(ref) for ref in edge["refs"]]
    if refs:
        relation["f:evidence"] = refs
    if edge.get("when"):
        relation["f:when"] = {"$": edge["when"], "type": "xsd:dateTime"}
    document.setdefault(name, {})[f"_:r{number}"] = relation


def _examined(document: Json, whole: Whole) -> None:
    """Add the examination: by whom, with what, and every file that it used, with its hash."""
    examiner, tool, examination = "f:examiner", "f:tool", "f:examination"
    began = {"prov:startTime": whole.time} if whole.time else {}
    document.setdefault("activity", {})[examination] = {
        "prov:label": f"examination of {whole.findings['case']['id']}",
        "f:kind": "examination",
    } | began
    agents = document.setdefault("agent", {})
    agents[examiner] = {"prov:label": whole.examiner or "not named", "f:kind": "examiner"}
    agents[tool] = {"prov:label": whole.tool, "f:kind": "tool", "prov:type": {"$": "prov:SoftwareAgent", "type": "xsd:QName"}}
    for agent in (examiner, tool):
        document.setdefault("wasAssociatedWith", {})[f"_:{agent[2:]}"] = {"prov:agent": agent, "prov:activity": examination}
    for number, row in enumerate(whole.files):
        name = f"{row['source']}/{row['file']}" if row["file"] else str(row["source"])
        file = "f:" + quote(f"evidence:{name}", safe="")
        found = {"prov:label": name, "f:kind": "evidence", "f:sha256": row["sha256"], "f:bytes": int(row["stored"] or 0)}
        document.setdefault("entity", {})[file] = found
        document.setdefault("used", {})[f"_:u{number}"] = {"prov:activity": examination, "prov:entity": file}


EXPORT = WholeExport("prov-json", "for provenance tools: the paths of the answers, and the evidence, as W3C PROV-JSON", _write)
