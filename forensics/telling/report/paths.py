"""The path of a change as a drawing in layers: hands, acts, commits and objects, jobs, what jobs wrote."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forensics.telling.evidence_text import width
from forensics.telling.report.said import Said, Voice
from forensics.telling.report.showing import Shown, fitted

MANY = 12
"""nodes of one kind in one layer that are drawn one by one"""
LAYERS = 9
BOX, GAP, HIGH, SLOT, LANE = 138, 30, 50, 60, 14
TOP = 34
COLUMNS = 19
"""characters that fit a line of a box; a label has two lines"""

NEAR = 9
"""characters before the end of a full line within which a mark is looked for to break at"""

_HANDS = {
    "gitlab": "account", "github": "account", "email": "address of mail", "unix": "account", "aws": "account", "okta": "account",
    "badge": "badge", "ssh-key": "key", "token": "token", "device": "device", "ip": "address", "mac": "address",
}  # fmt: skip
_THINGS = {
    "git": "commit", "file": "file", "s3": "object", "hdfs": "object", "pkg": "package", "image": "image", "sha256": "content",
    "node": "node", "switch": "switch", "driver": "driver", "mlflow": "run", "wandb": "run", "tensorboard": "run",
    "meeting": "meeting", "place": "place",
}  # fmt: skip
_MANY = {"person": "person", "hand": "account", "act": "act", "thing": "object", "job": "job"}
"""what a box that stands for many is called in the list"""
_BASE = {"person": 0, "hand": 0, "act": 1, "thing": 2, "job": 3}
HEADS = {"hand": "Accounts, keys, devices", "act": "Acts", "thing": "Commits, objects", "job": "Jobs"}
AFTER = "What jobs wrote"
"""the head of a layer of objects right of the first jobs"""


@dataclass(frozen=True, slots=True)
class Node:
    """A box of the drawing."""

    x: float
    y: float
    family: str
    kind: Said
    label: tuple[Shown, ...]
    asked: bool
    """the object in question"""


@dataclass(frozen=True, slots=True)
class Line:
    """A line between two boxes."""

    d: Shown
    """SVG path data"""
    recorded: bool


@dataclass(frozen=True, slots=True)
class Stop:
    """A box as a line of a list, for screens too narrow for the drawing."""

    kind: Said
    name: Said
    asked: bool
    to: tuple[tuple[Said, bool], ...]
    """what it leads to, and whether that is recorded"""


@dataclass(frozen=True, slots=True)
class Drawing:
    """The whole path, in the drawing's units."""

    width: int
    height: int
    nodes: tuple[Node, ...]
    lines: tuple[Line, ...]
    heads: tuple[tuple[float, Said], ...]
    says: Said
    stops: tuple[Stop, ...]
    """the boxes from left to right, as a list"""


def family(reference: str) -> tuple[str, str]:
    """Tell a reference's layer and its kind in a word."""
    scheme, _, rest = reference.partition(":")
    if reference.startswith("p-"):
        return "person", "person"
    if scheme == "event":
        return "act", "act"
    if scheme in {"pipeline", "slurm"} or (scheme == "k8s" and rest.count("/") >= 2):
        return "job", "pipeline" if scheme == "pipeline" else "job"
    if scheme == "git":
        return "thing", "branch" if "#" in rest else "commit" if rest.count(":") == 0 else "file"
    if scheme in _THINGS:
        return "thing", _THINGS[scheme]
    return "hand", _HANDS.get(scheme, "account" if scheme == "k8s" else "session")


def short(reference: str) -> str:
    """Write a reference the way people say it: a commit's first nine digits, without the words that its kind says already."""
    kind = family(reference)[1]
    scheme, _, rest = reference.partition(":")
    if scheme == "git" and "@" in rest:
        repo, _, commit = rest.partition("@")
        sha, colon, path = commit.partition(":")
        return f"{repo}@{sha[:9]}{colon}{path}" if not path else f"{path} @{sha[:9]}"
    if kind in {"job", "device", "address", "key", "run"} and rest:
        return rest
    return reference


def draw(edges: Iterable[Mapping[str, Any]], asked: str, name: Callable[[str], str], voice: Voice) -> Drawing | None:
    """Lay out the edges of a path; `name` gives the words for an act, a person or anything else. None: nothing to draw."""
    links = _links(edges)
    if not links:
        return None
    columns = _columns(links)
    groups = _condensed(columns, asked)
    drawn: dict[tuple[str, str], bool] = {}
    for (src, dst), recorded in sorted(links.items()):
        pair = groups[src], groups[dst]
        if pair[0] != pair[1]:
            drawn[pair] = drawn.get(pair, True) and recorded
    places = {groups[node]: column for node, column in sorted(columns.items())}
    layers, route = _layers(places, drawn)
    return _drawing(layers, route, drawn, _Labels(asked, name, voice))


def _links(edges: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], bool]:
    """Return each pair once; recorded where any record shows it. A person stands left of what was theirs."""
    links: dict[tuple[str, str], bool] = {}
    for edge in edges:
        pair = (edge["src"], edge["dst"])
        if family(pair[1])[0] == "person":
            pair = pair[1], pair[0]
        if pair[0] != pair[1]:
            links[pair] = links.get(pair, False) or bool(edge["recorded"])
    return links


def _columns(links: Mapping[tuple[str, str], bool]) -> dict[str, int]:
    """Put every node right of all that it comes from; circles end at the last layer."""
    column = {node: _BASE[family(node)[0]] for pair in links for node in pair}
    for _ in range(LAYERS):
        moved = False
        for src, dst in sorted(links):
            wanted = min(column[src] + 1, LAYERS)
            if column[dst] < wanted:
                column[dst], moved = wanted, True
        if not moved:
            break
    used = {old: new for new, old in enumerate(sorted(set(column.values())))}
    return {node: used[old] for node, old in column.items()}


def _condensed(columns: Mapping[str, int], asked: str) -> dict[str, str]:
    """Map each node to itself, or to a box that stands for many of its kind in its layer."""
    alike: dict[tuple[int, str], list[str]] = defaultdict(list)
    for node in sorted(columns):
        if node != asked:
            alike[columns[node], family(node)[0]].append(node)
    found = {node: node for node in columns}
    for (column, kind), nodes in sorted(alike.items()):
        if len(nodes) > MANY:
            found |= dict.fromkeys(nodes, f"many:{column}:{kind}:{len(nodes)}")
    return found


Route = dict[tuple[str, str], list[str]]


def _layers(places: Mapping[str, int], links: Mapping[tuple[str, str], bool]) -> tuple[list[list[str]], Route]:
    """Order each layer so that few lines cross; a line over several layers gets a lane in each of them."""
    layers: list[list[str]] = [[] for _ in range(max(places.values()) + 1)]
    for node, column in sorted(places.items()):
        layers[column].append(node)
    route: Route = {}
    for number, (src, dst) in enumerate(sorted(links)):
        between = [f"lane:{number}:{column}" for column in range(places[src] + 1, places[dst])]
        for column, lane in enumerate(between, places[src] + 1):
            layers[column].append(lane)
        route[src, dst] = [src, *between, dst]
    near: dict[str, list[str]] = defaultdict(list)
    for stops in route.values():
        for one, other in itertools.pairwise(stops):
            near[one].append(other)
            near[other].append(one)
    for sweep in range(6):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            _sort(layer, near, layers)
    return layers, route


def _sort(layer: list[str], near: Mapping[str, list[str]], layers: list[list[str]]) -> None:
    rank = {node: place / max(len(one) - 1, 1) for one in layers for place, node in enumerate(one)}
    middle = {node: sum(rank[n] for n in near[node]) / len(near[node]) if near.get(node) else rank[node] for node in layer}
    layer.sort(key=lambda node: (round(middle[node], 6), node))


def _drawing(layers: list[list[str]], route: Route, links: Mapping[tuple[str, str], bool], labels: "_Labels") -> Drawing:
    heights = [sum(LANE if node.startswith("lane:") else SLOT for node in layer) for layer in layers]
    tallest = max(heights)
    at: dict[str, tuple[float, float]] = {}
    for column, layer in enumerate(layers):
        y = TOP + (tallest - heights[column]) / 2
        for node in layer:
            step = LANE if node.startswith("lane:") else SLOT
            at[node] = column * (BOX + GAP), y + step / 2
            y += step
    real = [node for layer in layers for node in layer if not node.startswith("lane:")]
    nodes = tuple(labels.node(node, at[node]) for node in real)
    lines = tuple(Line(_curve([at[stop] for stop in stops]), links[pair]) for pair, stops in sorted(route.items()))
    recorded = sum(links.values())
    says = labels.voice.say(
        "{recorded} recorded and {inferred} inferred links between {number} boxes, from left to right.",
        recorded=recorded, inferred=len(links) - recorded, number=len(real),
    )  # fmt: skip
    width = len(layers) * (BOX + GAP) - GAP
    return Drawing(width, TOP + tallest, nodes, lines, _heads(layers, labels.voice), says, tuple(_stops(real, links, labels)))


def _stops(real: list[str], links: Mapping[tuple[str, str], bool], labels: "_Labels") -> Iterator[Stop]:
    place = {node: number for number, node in enumerate(real)}
    for node in real:
        kind, name = labels.words(node)
        to = sorted((place[dst], dst, recorded) for (src, dst), recorded in links.items() if src == node)
        yield Stop(kind, name, node == labels.asked, tuple((labels.words(dst)[1], recorded) for _, dst, recorded in to))


@dataclass(frozen=True, slots=True)
class _Labels:
    """What stands in the boxes."""

    asked: str
    name: Callable[[str], str]
    voice: Voice

    def words(self, node: str) -> tuple[Said, Said]:
        """Return what kind of thing a box is, and its name in full, or how many it stands for."""
        if node.startswith("many:"):
            _, _, kind, number = node.split(":")
            return self.voice.say("drawn as one"), self.voice.say("{number} × {kind}", number=int(number), kind=self.voice.say(_MANY[kind]))
        says = self.voice.say("change in question" if node == self.asked else family(node)[1])
        return says, self.voice.plain(fitted(self.name(node), 60))

    def node(self, node: str, at: tuple[float, float]) -> Node:
        """Return a box with its two lines."""
        x, y = at[0], at[1] - HIGH / 2
        if node.startswith("many:"):
            _, _, kind, number = node.split(":")
            return Node(x, y, kind, self.voice.say("drawn as one"), (fitted(f"× {number}", COLUMNS),), asked=False)
        kind, word = family(node)
        says = self.voice.say("change in question" if node == self.asked else word)
        return Node(x, y, kind, says, _in_two(self.name(node)), asked=node == self.asked)


def _in_two(text: str) -> tuple[Shown, ...]:
    """Break a label into two lines: at its first blank, at its last mark that fits, or where the line is full."""
    whole = fitted(text, 2 * COLUMNS - 2)
    if width(whole) <= COLUMNS:
        return (whole,)
    head, _, rest = whole.partition(" ")
    if rest and max(width(head), width(rest)) <= COLUMNS:
        return Shown(head), Shown(rest)
    full = next(n for n in range(len(whole), 0, -1) if width(whole[:n]) <= COLUMNS)
    mark = max(whole.rfind(sign, 0, full) for sign in "/:@-_.")
    cut = mark + 1 if mark >= full - NEAR and width(whole[mark + 1 :]) <= COLUMNS else full
    return Shown(whole[:cut].rstrip()), fitted(whole[cut:], COLUMNS)


def _curve(stops: list[tuple[float, float]]) -> Shown:
    """Draw from the right edge of the first box to the left edge of the last, straight through the lanes between."""
    x, y = stops[0][0] + BOX, stops[0][1]
    parts = [f"M{x:g} {y:g}"]
    for number, (left, middle) in enumerate(stops[1:], 1):
        half = max(GAP / 2, abs(left - x) / 2)
        parts.append(f"C{x + half:g} {y:g} {left - half:g} {middle:g} {left:g} {middle:g}")
        x, y = left, middle
        if number < len(stops) - 1:
            x = left + BOX
            parts.append(f"H{x:g}")
    return Shown("".join(parts))


def _heads(layers: list[list[str]], voice: Voice) -> tuple[tuple[float, Said], ...]:
    """Name each layer after what most of its boxes are; a name that stands at its left already is left out."""
    heads: list[tuple[float, Said]] = []
    last, jobs = "", False
    for column, layer in enumerate(layers):
        kinds = [node.split(":")[2] if node.startswith("many:") else family(node)[0] for node in layer if not node.startswith("lane:")]
        most = max(sorted(set(kinds)), key=kinds.count) if kinds else ""
        head = AFTER if most == "thing" and jobs else HEADS.get("hand" if most == "person" else most, "")
        jobs = jobs or most == "job"
        if head and head != last:
            heads.append((column * (BOX + GAP), voice.say(head)))
        last = head
    return tuple(heads)
