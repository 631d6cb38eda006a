"""A trace as lines of text: one thing a line, with the rule that leads to it and the reference that shows it."""

from collections.abc import Iterator

from forensics.telling.evidence_text import visible
from forensics.telling.moments import moment
from forensics.telling.trace import Label, Node, Step, Way, event_id

_CUT = {"cycle": "(a cycle: it stands above)", "repeat": "(shown elsewhere in this tree)", "depth": ""}
_HEADS = {Way.BACK: "what led to it", Way.FORWARD: "what came of it"}


def tree(root: Node, way: Way, labels: dict[int, Label], zone: str) -> Iterator[str]:
    """Yield the lines of a tree; hidden characters are made visible."""
    yield f"{_HEADS[way]}:"
    if not root.children:
        yield "  no recorded or inferred link"
    stack = [(child, "", child is root.children[-1] and not root.more) for child in reversed(root.children)]
    if root.more:
        stack.insert(0, (_rest(root), "", True))
    while stack:
        node, indent, last = stack.pop()
        yield f"{indent}{'└─ ' if last else '├─ '}{_line(node, labels, zone)}"
        below = indent + ("   " if last else "│  ")
        children = [*node.children, *([_rest(node)] if node.more else [])]
        stack += [(child, below, child is children[-1]) for child in reversed(children)]


def _rest(node: Node) -> Node:
    return Node(f"... and {node.more} more (--width 0 shows all)", None, 0)


def _line(node: Node, labels: dict[int, Label], zone: str) -> str:
    if node.step is None:
        return visible(node.name)
    parts = [visible(_named(node.name, labels, zone)), f"[{_how(node.step, zone)}]"]
    shown = labels.get(node.step.event) if node.step.event is not None else None
    if shown:
        parts.append(visible(shown.ref))
    return "  ".join([*parts, *([_CUT[node.cut]] if _CUT.get(node.cut) else [])])


def _named(name: str, labels: dict[int, Label], zone: str) -> str:
    """Return the name; of an event also its time, action and actor."""
    number = event_id(name)
    label = labels.get(number) if number is not None else None
    if label is None:
        return name
    return f"{name} {moment(label.time, zone) or 'no time'} {label.action}" + (f" by {label.actor}" if label.actor else "")


def _how(step: Step, zone: str) -> str:
    words = [step.rule, "recorded" if step.recorded else "inferred"]
    if step.count > 1:
        words.append(f"{step.count} times")
    if step.first is not None:
        words.append(moment(step.first, zone) + (f" to {moment(step.last, zone)}" if step.count > 1 and step.last != step.first else ""))
    return ", ".join(words)
