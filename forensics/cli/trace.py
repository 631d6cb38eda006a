"""`forensics trace`: what led to something, and what came of it."""

from pathlib import Path

import click

from forensics.cli.terms import CONTEXT, common, data, examination, terms, zone_option


@click.command(context_settings=CONTEXT, short_help="What led to an object, and what came of it.")
@examination()
@click.argument("object", metavar="OBJECT")
@click.option("--back", is_flag=True, help="Only what led to it.")
@click.option("--forward", is_flag=True, help="Only what came of it.")
@click.option("--depth", type=click.IntRange(1, 1000), default=4, show_default=True, help="At most so many steps.")
@click.option("--width", type=click.IntRange(0), default=20, show_default=True, help="At most so many next steps of each thing; 0: all.")
@zone_option
@common
def trace(out: Path, object: str, back: bool, forward: bool, depth: int, width: int, zone: str) -> None:  # noqa: A002, FBT001 - click's
    """Show what led to an object, and what came of it, as a tree.

    OBJECT is any reference (git:train@3f2c..., slurm:gpu/1041, s3://bucket/key, gitlab:mei, ...), the first digits of a commit's id, or an
    event:<number>. Each line names the rule of its link, whether that is recorded or inferred, its time, and the record that shows it. The walk keeps to
    time: back, never to what is later than the link it came by; forward, never to what is earlier. Links without a time (a commit's parents) pass.
    """
    from forensics.tables import open_tables
    from forensics.telling import trace as room
    from forensics.telling.evidence_text import visible
    from forensics.telling.tree import tree

    ways = [way for way, wanted in ((room.Way.BACK, back), (room.Way.FORWARD, forward)) if wanted or back == forward]
    with open_tables(out / "tables") as tables:
        start = room.resolve(tables, object)
        roots = [(way, room.walk(tables, start, way, depth, width)) for way in ways]
        found = [node for _, root in roots for node in room.nodes(root)]
        ids = {node.step.event for node in found if node.step and node.step.event is not None}
        ids |= {number for node in found if (number := room.event_id(node.name)) is not None}
        labels = room.labels(tables, ids)
    data([visible(start)])
    for way, root in roots:
        data(tree(root, way, labels, zone))
    if any(node.cut == "depth" for node in found):
        terms().say(f"the walk ended after {depth} steps; --depth goes further")
