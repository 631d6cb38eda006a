"""Words of the case's own folder, quoted as they were written: marked with the language that they seem to be in, since this page does not translate them."""

import re
from collections.abc import Iterable

from markupsafe import Markup

from forensics.telling.report.said import TAGS, Said, Voice

_SCRIPTS = (("ja", re.compile("[\u3040-\u30ff]")), ("ko", re.compile("[\uac00-\ud7a3]")), ("zh-Hans", re.compile("[\u4e00-\u9fff]")))
_LETTER = re.compile(r"[^\W\d_]")


def tongue(text: str) -> str:
    """Return the tag of the language that a text seems to be in, by its script; empty where that cannot be told, as HTML has it.

    https://html.spec.whatwg.org/multipage/dom.html#the-lang-and-xml:lang-attributes
    """
    if found := next((tag for tag, script in _SCRIPTS if script.search(text)), None):
        return found
    return "en" if text.isascii() and _LETTER.search(text) else ""


def original(text: object, voice: Voice, limit: int = 600, tag: str = "q") -> Markup:
    """Quote a text as it was written; `tag`: `q`, whose quotation marks the browser puts, or `span` where they stand already."""
    return Markup('<{0} class="ev" lang="{1}">{2}</{0}>').format(tag, tongue(str(text)), voice.shown(text, limit))


def titled(text: str, voice: Voice) -> Said:
    """Show a title: in quotation marks where it is in another language than the reader's; they are within, so that they are of its own script."""
    form = Markup('<span class="ev" lang="{0}">{1}{2}{3}</span>')
    its, shown_text = tongue(text), voice.shown(text)
    shown = {code: form.format(its, *(("", shown_text, "") if its == tag else ("“", shown_text, "”"))) for code, tag in TAGS.items()}
    return Said(**shown)


def abroad(said: Said, texts: Iterable[str]) -> Markup:
    """Say something to the readers of those languages that some of these texts are not in."""
    tongues = {tongue(text) for text in texts}
    each = {code: Markup('<span class="{0}" lang="{1}">{2}</span>').format(code, tag, getattr(said, code)) for code, tag in TAGS.items()}
    return Markup().join(shown for code, shown in each.items() if tongues - {TAGS[code]})
