"""`forensics bundle`: a bag that travels, and that nobody has to take on trust."""

import json
import tomllib
from pathlib import Path

import click

from forensics.cli.moment import moment, user
from forensics.cli.terms import CONTEXT, common, data, examination, terms, warn
from forensics.errors import UsageError
from forensics.telling.handoff.views import VIEWS, Asked

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(context_settings=CONTEXT, short_help="A bundle to hand over: signed, checkable, redacted where it must be.")
@examination()
@click.option("--for", "reader", type=click.Choice(list(VIEWS)), required=True, help="Who gets it.")
@click.option("--out", "target", metavar="DIR", required=True, type=click.Path(path_type=Path), help="Where to write; DIR.zip is the same.")
@click.option("--lang", "language", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Of memo, README and drafts.")
@click.option("--key", metavar="FILE", type=_FILE, help="Sign with this Ed25519 key (OpenSSH or PEM; a .pub: the ssh agent signs).")
@click.option(
    "--secret", metavar="FILE", type=_FILE, help="What the salts are made from: keep it, and use it for every bundle of the case."
)
@click.option("--person", "people", metavar="ID", multiple=True, help="Whose name stays, where names are replaced; whom `subject` is for.")
@click.option("--redact", metavar="FILE", type=_FILE, help="Further words and values to withhold, each with its reason (TOML).")
@click.option(
    "--replaces", metavar="BUNDLE", type=click.Path(exists=True, path_type=Path), help="An earlier bundle that this one replaces."
)
@click.option("--hashes-only", is_flag=True, help="Leave the originals out; their hashes stay.")
@click.option("--answer-by", metavar="DATE", default="", help="Until when the person concerned was asked to answer.")
@click.option("--no-pdf", is_flag=True, help="Leave memo.pdf out; memo.html stays.")
@click.option("--timestamp", metavar="URL", help="Ask this time stamp authority (RFC 3161). The one thing here that uses a network.")
@click.option("--examiner", envvar="FORENSICS_EXAMINER", show_envvar=True, help="Who hands it over.  [default: the system's user]")
@click.option("--time", "when", metavar="TIME", help="When (ISO 8601, UTC unless it says otherwise).  [default: now]")
@click.option("--case", metavar="CASE", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Where the case folder lies now, if it was moved.")  # fmt: skip
@common
def bundle(
    out: Path,
    reader: str,
    target: Path,
    language: str,
    key: Path | None,
    secret: Path | None,
    people: tuple[str, ...],
    redact: Path | None,
    replaces: Path | None,
    hashes_only: bool,  # noqa: FBT001 - click's
    answer_by: str,
    no_pdf: bool,  # noqa: FBT001 - click's
    timestamp: str | None,
    examiner: str | None,
    when: str | None,
    case: Path | None,
) -> None:
    """Write a bundle of an examination for one kind of reader.

    A folder (a BagIt bag) and the same as one zip, with the report, a memorandum, the findings, the custody log, the originals, what speaks for the
    persons concerned, drafts of statements, and verify.py, which checks all of it and needs nothing but Python. Views hr, subject and partner replace
    names and withhold raw records; commitments in their place let them be checked against the same root as a full bundle. The same case, time,
    examiner, secret and key give the same bytes.
    """
    from forensics import __version__
    from forensics.case.folder import open_case
    from forensics.case.originals import originals
    from forensics.telling.handoff import build as room
    from forensics.telling.handoff import kit, sbom, signing
    from forensics.telling.handoff import timestamp as stamps
    from forensics.telling.handoff.material import gather, sha256
    from forensics.telling.handoff.statement import replaced

    if target.resolve().is_relative_to(out.resolve()):
        raise UsageError("lies inside the examination", where="--out", hint="choose a place outside")
    folder = case or Path(json.loads((out / "examination.json").read_text(encoding="utf-8"))["case"])
    if not folder.is_dir():
        raise UsageError("the case folder is not there any more", where=str(folder), hint="--case names it, if it was moved")
    if target.resolve().is_relative_to(folder.resolve()):
        raise UsageError("lies inside the case folder, and evidence is never written to", where="--out", hint="choose a place outside")
    config, _ = open_case(folder)
    terms().say("checking: every hash once more")
    found = gather(out, config, originals(config))
    if found.examination.get("code", sbom.code()) != sbom.code():
        warn("note: the examination was made by other code than this program's: data/rerun.json tells of that, data/sbom.cdx.json of this")
    request = room.Request(
        view=VIEWS[reader],
        time=moment(when),
        examiner=examiner or user(),
        tool=f"training-forensics {__version__}",
        language=language,
        people=people,
        secret=secret.read_bytes() if secret else b"",
        signer=signing.read_key(key) if key else None,
        replaces=replaced(replaces, sha256) if replaces else None,
        asked=_asked(redact),
        originals=not hashes_only,
        stamp=(lambda text: stamps.asked(timestamp, text)) if timestamp else None,
        pdf=not no_pdf and kit.prints(),
        answer_by=answer_by,
    )
    if not no_pdf and not request.pdf:
        warn("note: memo.pdf is left out, memo.html stays: pip install 'training-forensics[pdf]' (it needs Pango) makes it")
    terms().say("writing")
    built = room.build(found, request, target)
    if not request.signer:
        warn("note: it is not signed, so whoever holds it could make it anew (--key FILE signs)")
    data([
        f"folder:    {built.folder}",
        f"zip:       {built.zip}",
        f"root:      {built.case_root}",
        f"statement: {built.statement_sha256}",
        f"key:       {request.signer.fingerprint if request.signer else '-'}",
        f"withheld:  {built.withheld}",
    ])  # fmt: skip


def _asked(path: Path | None) -> Asked:
    """Read what the caller wants withheld: [[word]] text, reason; [[value]] document, pointer, reason."""
    if path is None:
        return Asked()
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        words = tuple((str(w["text"]), str(w["reason"])) for w in told.get("word", ()))
        values = tuple((str(v["document"]), str(v["pointer"]), str(v["reason"])) for v in told.get("value", ()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"can't be read: {error}", where=str(path), hint='[[word]] text = "...", reason = "..."; [[value]] document, pointer, reason'
        ) from error
    return Asked(words, values)
