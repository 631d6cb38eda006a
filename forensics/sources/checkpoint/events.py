"""What was found in a file as events."""

from collections.abc import Iterable

from forensics.fields import attrs
from forensics.model import Event
from forensics.sources.checkpoint.contents import Code, Contents
from forensics.sources.checkpoint.digests import Forms

_NAMES = 200
"""names of one list; its full length stands beside it"""
_METADATA = 50
_VALUE = 500
_REASONS = 1000


def events_of(reference: str, digest: str, size: int, found: Contents, forms: Forms) -> list[Event]:
    """Return what a file is, and an event for every callable that is not known to be harmless."""
    content = Event(0, size, None, "object.content", object=reference, target=f"sha256:{digest}", attrs=attrs(_facts(found, forms)))
    told = [_tensors(reference, digest, forms)] if forms.tensors else []
    return [content, *told, *(_code(reference, code) for code in found.code)]


def _tensors(reference: str, digest: str, forms: Forms) -> Event:
    torch = forms.container != "safetensors"
    told: dict[str, object] = {"tensors": {name: [f.form, f.sha256, *([f.crc] if torch else [])] for name, f in forms.tensors}}
    told |= {"container": forms.container} if torch else {}
    return Event(forms.start, forms.end, None, "object.tensors", object=reference, target=f"sha256:{digest}", attrs=attrs(told))


def _facts(found: Contents, forms: Forms) -> dict[str, object]:
    return {
        "format": found.format,
        "also": found.also,
        "globals": _some(found.globals, found.dangerous),
        "globals_count": len(found.globals) or None,
        "calls": _some(found.calls, found.dangerous),
        "calls_count": len(found.calls) or None,
        "unsafe": _some(found.dangerous | found.unknown, found.dangerous),
        "unsafe_count": len(found.dangerous | found.unknown) or None,
        "dangerous": _some(found.dangerous, found.dangerous),
        "code_omitted": found.omitted or None,
        "pickles": found.pickles or None,
        "tensors": found.tensors or None,
        "tensors_not_told": (found.tensors and not forms.tensors) or None,
        "trailing": found.trailing or None,
        "metadata": {key[:_VALUE]: value[:_VALUE] for key, value in found.metadata[:_METADATA]},
        "metadata_count": len(found.metadata) or None,
        "broken": "; ".join(why for _, why in found.problems)[:_REASONS],
    }


def _some(names: Iterable[str], first: set[str]) -> list[str]:
    """Return names in order; where they are too many, those that run code are kept before others."""
    kept = sorted(names, key=lambda name: (name not in first, name))[:_NAMES]
    return sorted(kept)


def _code(reference: str, code: Code) -> Event:
    named = code.named
    facts = {
        "opcode": named.opcode,
        "position": named.start,
        "member": code.member,
        "called": named.called,
        "passed": named.passed or None,
        "args": list(named.arguments),
        "kind": named.verdict.kind.value,
        "why": named.verdict.why,
    }
    return Event(code.start, code.end, None, "object.code", object=reference, name=named.full[:300], attrs=attrs(facts))
