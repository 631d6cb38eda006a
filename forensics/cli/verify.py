"""`forensics verify`: the first thing that is wrong with a bundle."""

from pathlib import Path

import click

from forensics.cli.terms import CONTEXT, common, data
from forensics.telling.evidence_text import visible


@click.command(context_settings=CONTEXT, short_help="Check a bundle: the first thing that is wrong with it.")
@click.argument("bundle", metavar="BUNDLE", type=click.Path(exists=True, path_type=Path))
@click.option("--key", "signer", metavar="FINGERPRINT", help="The key that has to have signed it, as its owner told you.")
@click.option("--head", metavar="HASH", help="The end of the custody log, as somebody outside noted it.")
@click.option(
    "--authority",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The time stamp authority's certificates (PEM).",
)
@common
def verify(bundle: Path, signer: str | None, head: str | None, authority: Path | None) -> None:
    """Check a bundle, a folder or a zip: every list and hash, the signature, the root, the custody log, the arithmetic of every ratio.

    Ends with 4 at the first thing that is wrong. The bundle may come from anybody: nothing in it is unpacked, executed or followed. `verify.py` in the
    bundle does the same without this program.
    """
    from forensics.telling.handoff.checking import Pinned, check

    found = check(bundle, Pinned(signer, head, authority))
    told = found.told
    data(
        visible(line)
        for line in (
            "it holds",
            f"case:     {told['case']}, view {told['view']}, made {told['time']} by {told['examiner']} with {told['tool']}",
            f"root:     {told['case_root']}",
            f"key:      {told['key'] or '-'}",
            f"checked:  {found.files} files, {told['custody_entries']} entries of custody, {found.ratios} likelihood ratios",
            f"withheld: {found.withheld}",
            *([f"replaces: {told['replaces']['statement_sha256']}, made {told['replaces']['time']}"] if told["replaces"] else []),
            *(f"note:     {note}" for note in found.notes),
        )
    )
