"""CASE/UCO as JSON-LD: the evidence with its hashes, the acts with their accounts, and what ties one to another, each with its records.

https://caseontology.org/ (CASE 1.x on UCO 1.x). People stand beside accounts as what the registers say of them; nothing here says who did anything.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import IO, Any

from forensics.telling.export import Whole, WholeExport, asked
from forensics.telling.report.citing import place
from forensics.telling.report.paths import family

_SPACE = uuid.UUID("6f1a1f8e-62e6-5c39-9f0c-0d7d1d1f2b54")
"""of our names: the same thing of the same case gets the same id"""
_CONTEXT = {
    "kb": "urn:forensics:kb:",
    "case-investigation": "https://ontology.caseontology.org/case/investigation/",
    "uco-action": "https://ontology.unifiedcyberontology.org/uco/action/",
    "uco-core": "https://ontology.unifiedcyberontology.org/uco/core/",
    "uco-identity": "https://ontology.unifiedcyberontology.org/uco/identity/",
    "uco-observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
    "uco-tool": "https://ontology.unifiedcyberontology.org/uco/tool/",
    "uco-types": "https://ontology.unifiedcyberontology.org/uco/types/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
Json = dict[str, Any]


def _write(whole: Whole, stream: IO[bytes]) -> None:
    case = str(whole.findings["case"]["id"])
    graph = [*_examination(whole, case), *_nodes(whole, case), *_ties(whole, case)]
    document = {"@context": _CONTEXT, "@graph": graph}
    stream.write((json.dumps(document, indent=1, sort_keys=True, ensure_ascii=True) + "\n").encode())


def _id(case: str, kind: str, *names: object) -> str:
    return f"kb:{kind}-{uuid.uuid5(_SPACE, chr(0).join([case, kind, *map(str, names)]))}"


def _ref(identifier: str) -> Json:
    return {"@id": identifier}


def _time(text: str) -> Json:
    return {"@type": "xsd:dateTime", "@value": text}


# --- the examination and its evidence ---------------------------------------------------------------------------------


def _examination(whole: Whole, case: str) -> Iterator[Json]:
    files = [_file(row, case) for row in whole.files]
    records = [_record(row, case) for row in whole.files]
    examiner, tool = _id(case, "identity", whole.examiner), _id(case, "tool", whole.tool)
    action = _id(case, "examination", whole.time)
    yield {"@id": examiner, "@type": "uco-identity:Identity", "uco-core:name": whole.examiner or "not named"}
    yield {"@id": tool, "@type": "uco-tool:Tool", "uco-core:name": whole.tool}
    yield {
        "@id": action, "@type": "case-investigation:InvestigativeAction", "uco-core:name": "examination", "uco-action:performer": _ref(examiner),
        "uco-action:instrument": _ref(tool), "uco-action:object": [_ref(f["@id"]) for f in files],
    } | ({"uco-action:startTime": _time(whole.time)} if whole.time else {})  # fmt: skip
    yield {
        "@id": _id(case, "investigation", case), "@type": "case-investigation:Investigation", "uco-core:name": case,
        "uco-core:object": [_ref(action), *(_ref(r["@id"]) for r in records)],
    }  # fmt: skip
    yield from files
    yield from records


def _file(row: Mapping[str, Any], case: str) -> Json:
    name = f"{row['source']}/{row['file']}" if row["file"] else str(row["source"])
    return {
        "@id": _id(case, "file", name),
        "@type": "uco-observable:File",
        "uco-core:hasFacet": [
            {
                "@id": _id(case, "file-facet", name), "@type": "uco-observable:FileFacet", "uco-observable:filePath": name,
                "uco-observable:sizeInBytes": int(row["stored"] or 0),
            },
            {"@id": _id(case, "content-facet", name), "@type": "uco-observable:ContentDataFacet", "uco-observable:hash": [_hash(row["sha256"], name, case)]},
        ],
    }  # fmt: skip


def _hash(value: str, name: str, case: str) -> Json:
    return {
        "@id": _id(case, "hash", name, value), "@type": "uco-types:Hash", "uco-types:hashMethod": "SHA256",
        "uco-types:hashValue": {"@type": "xsd:hexBinary", "@value": value.upper()},
    }  # fmt: skip


def _record(row: Mapping[str, Any], case: str) -> Json:
    name = f"{row['source']}/{row['file']}" if row["file"] else str(row["source"])
    return {
        "@id": _id(case, "record", name), "@type": "case-investigation:ProvenanceRecord", "uco-core:description": "evidence as it was taken in",
        "case-investigation:exhibitNumber": name, "uco-core:object": [_ref(_id(case, "file", name))],
    }  # fmt: skip


# --- acts, accounts, things -------------------------------------------------------------------------------------------


def _edges(whole: Whole) -> list[Mapping[str, Any]]:
    found = {(e["src"], e["dst"], e["rule"]): e for answer in whole.findings["answers"] for e in answer.get("path") or ()}
    return [found[key] for key in sorted(found)]


def _nodes(whole: Whole, case: str) -> Iterator[Json]:
    edges, questions = _edges(whole), asked(whole.findings)
    for reference in sorted({edge[end] for edge in edges for end in ("src", "dst")} | set(questions)):
        layer, word = family(reference)
        if layer == "person":
            yield {
                "@id": _id(case, "node", reference),
                "@type": "uco-identity:Person",
                "uco-core:name": whole.people.get(reference) or reference,
            }
        elif layer in ("act", "job"):
            yield _action(reference, word, edges, case, whole.acts.get(reference) or {})
        else:
            about = f"; asked about in {', '.join(questions[reference])}" if reference in questions else ""
            yield _observable(reference, word + about, case, account=word == "account")


def _action(reference: str, word: str, edges: list[Mapping[str, Any]], case: str, act: Mapping[str, Any]) -> Json:
    into = [e for e in edges if e["dst"] == reference]
    when = act.get("time") or min((e["when"] for e in into if e.get("when")), default=None)
    used = [_ref(_id(case, "node", e["src"])) for e in into if family(e["src"])[0] == "thing"]
    made = [_ref(_id(case, "node", e["dst"])) for e in edges if e["src"] == reference and family(e["dst"])[0] == "thing"]
    action: Json = {
        "@id": _id(case, "node", reference),
        "@type": "uco-action:Action",
        "uco-core:name": act.get("action") or reference,
        "uco-core:description": f"{word}, {reference}" if act else word,
    }
    action |= {"uco-action:startTime": _time(when)} if when else {}
    action |= {"uco-action:object": used} if used else {}
    return action | ({"uco-action:result": made} if made else {})


def _observable(reference: str, word: str, case: str, *, account: bool) -> Json:
    found: Json = {
        "@id": _id(case, "node", reference),
        "@type": "uco-observable:Account" if account else "uco-observable:ObservableObject",
        "uco-core:name": reference,
        "uco-core:description": word,
    }
    if account:
        facet = {
            "@id": _id(case, "account-facet", reference),
            "@type": "uco-observable:AccountFacet",
            "uco-observable:accountIdentifier": reference,
        }
        found["uco-core:hasFacet"] = [facet]
    return found


def _ties(whole: Whole, case: str) -> Iterator[Json]:
    for edge in _edges(whole):
        refs = ", ".join(place(ref) for ref in edge["refs"])
        yield {
            "@id": _id(case, "relationship", edge["src"], edge["dst"], edge["rule"]), "@type": "uco-core:Relationship",
            "uco-core:source": [_ref(_id(case, "node", edge["src"]))], "uco-core:target": _ref(_id(case, "node", edge["dst"])),
            "uco-core:kindOfRelationship": edge["rule"], "uco-core:isDirectional": True,
            "uco-core:description": f"{'recorded' if edge['recorded'] else 'inferred'}; {refs or 'no record of its own'}",
        }  # fmt: skip


EXPORT = WholeExport("case-uco", "for forensic tools: evidence, acts and ties as CASE/UCO JSON-LD", _write)
