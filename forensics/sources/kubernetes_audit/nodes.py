"""What a request says of a node's health: its conditions, its taints, that it is to take no more pods, and events about it."""

from collections.abc import Iterator
from typing import Any

Trouble = tuple[str, str, str | None]
"""what it is, why, and since when, as written"""
_TAINTS = "node.kubernetes.io/"
"""https://kubernetes.io/docs/reference/labels-annotations-taints/#node-kubernetes-io-not-ready and the ones behind it"""


def of_node(sent: dict[str, Any]) -> Iterator[Trouble]:
    """Yield what an update of a node says: https://kubernetes.io/docs/reference/node/node-status/#condition ."""
    spec, status = _part(sent, "spec"), _part(sent, "status")
    if spec.get("unschedulable") is True:
        yield "SchedulingDisabled", "", None
    for taint in _rows(spec, "taints"):
        key = _text(taint, "key")
        if key.startswith(_TAINTS) and not key.endswith("/unschedulable"):
            yield key.removeprefix(_TAINTS), _text(taint, "effect"), _text(taint, "timeAdded") or None
    for condition in _rows(status, "conditions"):
        kind, told = _text(condition, "type"), _text(condition, "status")
        sound = "True" if kind.endswith("Ready") else "False"  # every other condition tells of a trouble
        if kind and told and told != sound and not (told == "Unknown" and sound == "False"):
            name = f"Not{kind}" if kind.endswith("Ready") else kind
            yield name, _text(condition, "reason") or _text(condition, "message"), _text(condition, "lastTransitionTime") or None


def of_event(sent: dict[str, Any]) -> tuple[str, Trouble] | None:
    """Return the node, and what an event of the kind Warning says of it: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ ."""
    about = _part(sent, "regarding") or _part(sent, "involvedObject")
    name, what = _text(about, "name"), _text(sent, "reason")
    if about.get("kind") != "Node" or not name or not what or (sent.get("type") != "Warning" and what != "NodeNotReady"):
        return None
    when = next((t for key in ("eventTime", "lastTimestamp", "deprecatedLastTimestamp") if (t := _text(sent, key))), None)
    return name, (what, _text(sent, "note") or _text(sent, "message"), when)


def _part(value: dict[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _rows(value: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = value.get(key)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _text(value: dict[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""
