"""The provenance graph, as far as a question needs it: edges in memory as a networkx graph, and what leads to and from a thing."""

from collections.abc import Iterable, Mapping
from typing import Any

import networkx as nx

Edge = Mapping[str, Any]
"""src, dst, rule, time, recorded, events (schema.EDGES)"""


def build(edges: Iterable[Edge]) -> "nx.MultiDiGraph[str]":
    """Return the graph of some edges; the first of several of one rule between the same two things stands for all."""
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for edge in edges:
        if not graph.has_edge(edge["src"], edge["dst"], edge["rule"]):
            graph.add_edge(edge["src"], edge["dst"], key=edge["rule"], edge=edge)
    return graph


def around(graph: "nx.MultiDiGraph[str]", things: Iterable[str]) -> list[Edge]:
    """Return the edges that lie on a way to or from any of these things, in the order they were added."""
    back: set[str] = set()
    forth: set[str] = set()
    for thing in things:
        if thing in graph:
            back |= {thing, *nx.ancestors(graph, thing)}
            forth |= {thing, *nx.descendants(graph, thing)}
    return [data["edge"] for src, dst, data in graph.edges(data=True) if (src in back and dst in back) or (src in forth and dst in forth)]
