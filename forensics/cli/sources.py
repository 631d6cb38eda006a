"""`forensics sources`: which kinds of evidence can be read, and how to collect each."""

import json

import click

from forensics.cli.terms import CONTEXT, common, data, style
from forensics.telling.evidence_text import columns


@click.command(context_settings=CONTEXT, short_help="Which evidence can be read, and how to collect it.")
@click.argument("kinds", metavar="[KIND]...", nargs=-1)
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="A table for people, or JSON."
)
@common
def sources(kinds: tuple[str, ...], form: str) -> None:
    """List every kind of evidence: what it reads, how to collect it, and how hard it is to falsify.

    Tiers: T1 self-asserted; T2 host log that local root can edit; T3 server-side log that its administrators can edit; T4 append-only, off-host,
    third party, or a verified digest chain; T5 hardware or externally anchored.
    """
    from forensics.source import Source, load
    from forensics.source import kinds as known

    if unknown := sorted(set(kinds) - set(known())):
        raise click.BadParameter(f"no kind is called {', '.join(unknown)}", param_hint="KIND")
    found = [load(kind) for kind in kinds or known()]
    if form == "json":
        data([json.dumps([_facts(source) for source in found], indent=2, ensure_ascii=False)])
        return

    def collecting(source: Source) -> list[str]:
        return ["", style(source.name, bold=True), *(f"  {command}" for command in source.collect)]

    rows = [["kind", "tier", "reads"]] + [[s.name, s.tier.value, s.reads] for s in found]
    data([*columns(rows), "", "How to collect them:"])
    for source in found:
        data(collecting(source))
        data([f"  kept: {source.keeps}", f"  format: {source.reference}"])
        if source.needs:
            data([f"  needs in case.toml: {', '.join(source.needs)}"])


def _facts(source: object) -> dict[str, object]:
    keys = ("name", "reads", "collect", "tier", "keeps", "needs", "reference")
    return {key: getattr(source, key) for key in keys}
