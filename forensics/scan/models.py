"""Looks into a file that may hold pickles, and says which opcode names what is run on loading. Nothing is loaded."""

from collections.abc import Iterator

from forensics.containers import View
from forensics.pickles.callables import NOT_KNOWN, Kind, is_plain_class, of_library
from forensics.pickles.values import Named
from forensics.scan.finding import Finding, Scan, Unread, Weight
from forensics.sources.checkpoint.contents import Code, Contents, examine

_HONEST = ("a tool that pickles more than tensors", "a file of another framework's making")
_HONEST_CALL = ("a library's own way to build an object again", "a function of one's own project that does so")
_HONEST_CLASS = ("a class of one's own project that was pickled with the model",)
_SHOWN = 300


def look_at_model(file: str, view: View, found: Scan) -> Contents:
    """Book what a file's pickles name and call, and what of it could not be read."""
    contents = examine(view, file.rpartition("/")[2])
    found.findings.extend(_finding(file, code) for code in contents.code)
    found.unread.extend(Unread(file, place, why) for place, why in contents.problems)
    found.findings.extend(_of_the_whole(file, view.size, contents))
    return contents


def _of_the_whole(file: str, size: int, contents: Contents) -> Iterator[Finding]:
    """Yield what is odd about a file as such."""
    if contents.also:
        says = f"reads as {contents.format}, and behind that as {contents.also}"
        why = "programs that look at the beginning and those that look at the end load different things"
        yield Finding(file, (0, size), "byte", "two-formats", says, why, ("a self-extracting archive",))
    if contents.omitted:
        says = f"names {contents.omitted} more callables than are listed"
        yield Finding(file, (0, size), "byte", "pickle-many", says, "no checkpoint needs so many", _HONEST)


def _finding(file: str, code: Code) -> Finding:
    named = code.named
    rule, says, innocent, weight = _meaning(named)
    return Finding(
        file, (code.start, code.end), "byte", rule, says, named.verdict.why, innocent, weight, code.member, named.start if code.member else None,
        named.opcode, ", ".join(named.arguments)[:_SHOWN],
    )  # fmt: skip


def _meaning(named: Named) -> tuple[str, str, tuple[str, ...], Weight]:
    """Return rule, sentence, innocent explanations and weight of a callable that is not known to be harmless."""
    if named.runs:
        how = "calls" if named.called else "hands to a call"
        return "pickle-runs", f"loading it {how} {named.full}", _HONEST, Weight.LOOK
    if named.verdict.kind is Kind.DANGEROUS:
        return "pickle-names", f"loading it imports {named.full}, and does not call it", _HONEST, Weight.LOOK
    if named.called and not _like_a_class(named):
        strange = named.verdict.why == NOT_KNOWN and not of_library(named.module)
        return "pickle-calls", f"loading it calls {named.full}", _HONEST_CALL, Weight.LOOK if strange else Weight.NOTE
    return "pickle-class", f"loading it makes or imports {named.full}", _HONEST_CLASS, Weight.NOTE


def _like_a_class(named: Named) -> bool:
    """Tell whether a name is written as classes are: making one runs its `__new__` or `__setstate__`, whose code lies elsewhere."""
    last = named.name.rpartition(".")[2].lstrip("_")
    return last[:1].isupper() or is_plain_class(named.module, named.name)
