"""What is withheld is nowhere; what speaks for the accused is everywhere; and each redaction says why."""

import base64
import contextlib
import hashlib
import html
import json
import re
import subprocess
import urllib.parse
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from forensics.errors import ForensicsError, UsageError
from forensics.telling.handoff.checking import Pinned, check
from forensics.telling.handoff.commitments import Salts, units
from forensics.telling.handoff.exculpatory import protected, speaking_for
from forensics.telling.handoff.pseudonyms import pseudonyms
from forensics.telling.handoff.redaction import Redaction, shown
from forensics.telling.handoff.views import NOTHING, VIEWS, Asked, View
from forensics.telling.handoff.words import words

SUBJECT = "p-002"
REDACTED = ("hr", "subject", "partner")


def words_of(material, kept: set[str]) -> set[str]:
    """Return what would tell who somebody is: ids, names and their parts, and what is theirs alone, with and without its namespace."""
    case = material.case
    found = {p.id for p in case.people if p.id not in kept} | {p.name for p in case.people if p.id not in kept}
    found |= {part for p in case.people if p.id not in kept for part in re.split(r"[ -]", p.name) if len(part) > 3}
    for row in case.identifiers:
        if row.kind == "personal" and row.person not in kept:
            value = row.identifier.partition(":")[2]
            found |= {row.identifier} | ({value, value.partition("@")[0]} if not value.lstrip("#").isdigit() else set())
    return found


def contents(built) -> dict[str, bytes]:
    """Return everything in a bundle that can be looked at: each file's name and bytes, and the zip's own."""
    held = {p.relative_to(built.folder).as_posix(): p.read_bytes() for p in built.folder.rglob("*") if p.is_file()}
    with zipfile.ZipFile(built.zip) as packed:
        held["zip names"] = "\n".join(packed.namelist()).encode() + packed.comment
    held["names"] = "\n".join(held).encode()
    return held


def dressed(data: bytes) -> Iterator[str]:
    """Yield all that a file could be read as: as it is, with each kind of escape undone, and what is packed in it."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)  # of a PDF, packed: there, letters are chance
    yield from (text for text in inflated(streams) if not text.startswith(("OTTO", "\0\1\0\0")))  # nor shapes of letters
    data = re.sub(rb"stream\r?\n.*?\r?\nendstream", b"", data, flags=re.DOTALL)
    text = data.decode("utf-8", "replace")
    yield text
    yield html.unescape(text)
    yield urllib.parse.unquote(text)
    yield re.sub(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})", lambda found: chr(int(found[1] or found[2], 16)), text)
    for found in re.finditer(rb"(?![0-9a-f]{64})[A-Za-z0-9+/_-]{12,}", data):
        if len(found[0]) % 4 != 1:
            packed = base64.b64decode(found[0].replace(b"-", b"+").replace(b"_", b"/") + b"==")
            yield from (packed.decode("utf-8", "ignore"), *inflated([packed]))


def inflated(packed: Iterable[bytes]) -> Iterator[str]:
    for data in packed:
        for form in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):
            with contextlib.suppress(zlib.error):
                yield zlib.decompress(data, form).decode("utf-8", "ignore")


def left(words: Iterable[str], data: bytes) -> set[str]:
    """Return the words that stand in a file, however it is read, in letters of any size and between any blanks."""
    wanted = re.compile("|".join(re.escape(w.lower()) for w in sorted(words, key=len, reverse=True)))
    return {word for text in dressed(data) for word in wanted.findall(re.sub(r"\s+", " ", text.lower()))}


@pytest.mark.parametrize("view", REDACTED)
def test_a_redacted_name_is_nowhere(bundles, material, view):
    words = words_of(material, {SUBJECT} if view == "subject" else set())
    assert len(words) > 60
    for name, data in contents(bundles[view]).items():
        assert not left(words, data), name


def test_the_search_finds_a_name_in_any_dress(material):
    word = "Ottoline"
    assert word in str(material.case.people)
    packed = zlib.compress(word.encode())
    for data in (
        b"otto&#108;ine", b"x%4fttoline", b'"\\u004fttoline"', b"OTTOLINE", base64.b64encode(b"by Ottoline here"), base64.b64encode(packed),
        b"<<>>stream\n" + packed + b"\nendstream", b"<p>Ottoline</p>",
    ):  # fmt: skip
        assert left([word], data) == {"ottoline"}, data
    assert left([word], b"otto line") == set()


@pytest.mark.parametrize("view", REDACTED)
def test_nor_is_a_plain_hash_of_it(bundles, material, view):
    words = words_of(material, {SUBJECT} if view == "subject" else set())
    small = [o.sha256 for o in material.originals if o.size < 1 << 20]
    guesses = {getattr(hashlib, kind)(w.encode()).hexdigest() for w in words for kind in ("md5", "sha1", "sha256", "sha512")} | set(small)
    guesses |= {hashlib.sha256(json.dumps(w).encode()).hexdigest() for w in words} | {e["hash"] for e in material.custody}
    guesses |= {o.sha256 for o in material.originals}
    for name, data in contents(bundles[view]).items():
        text = data.decode("utf-8", "replace").lower()
        assert not {g for g in guesses if g in text}, name


@pytest.mark.browser
@pytest.mark.parametrize("view", REDACTED)
def test_nor_is_it_in_the_pdf(bundles, material, view):
    path = bundles[view].folder / "data" / "memo.pdf"
    told = [
        subprocess.run([tool, *rest[:-1], path, *rest[-1:]], capture_output=True, check=True).stdout
        for tool, *rest in (["pdftotext", "-raw", "-"], ["pdftotext", "-layout", "-"], ["pdfinfo", "-meta"], ["pdfinfo", "-isodates"])
    ]
    words = words_of(material, {SUBJECT} if view == "subject" else set())
    assert all(len(text) > 100 for text in told)
    for text in (*told, *(re.sub(rb"-?\s+", b"", text) for text in told), path.read_bytes()):
        assert not left(words, text)


def test_the_search_would_find_a_name(bundles, material):
    words = words_of(material, set())
    assert len(left(words, b"\n".join(contents(bundles["responder"]).values()))) > 60


@pytest.mark.parametrize("view", REDACTED)
def test_what_speaks_for_the_accused_is_in_every_view(bundles, material, view):
    whole, told = material.findings, json.loads((bundles[view].folder / "data" / "findings.json").read_text())
    kept = {SUBJECT} if view == "subject" else set()
    names = pseudonyms(material.case, kept, bytes(range(32)), everything=VIEWS[view].everything)
    before, after = Counter(), Counter()  # the order of what differs in names alone is not that of the whole
    for (pointer, text), (other, seen) in zip(units(whole), units(told), strict=True):
        assert pointer == other
        if protected("data/findings.json", pointer):
            place = re.sub(r"/(candidates|alternatives)/\d+", r"/\1/n", pointer)
            before[place, json.dumps(names.value(json.loads(text)))] += 1
            after[place, json.dumps(json.loads(seen))] += 1
    assert before == after
    assert before
    page = (bundles[view].folder / "data" / "exculpatory.md").read_text()
    for _, _, sentences in speaking_for(told, lambda mechanism: words("en").word("mechanism", mechanism)):
        for sentence in sentences:
            assert re.sub(r"([<>\[\]`])", r"\\\1", sentence) in page


def test_the_rule_for_what_may_speak_for_somebody_covers_what_it_must(material):
    every = {pointer for pointer, _ in units(material.findings) if protected("data/findings.json", pointer)}
    assert {re.sub(r"/\d+", "/n", p) for p in every} >= {
        "/answers/n/candidates/n", "/answers/n/missing/n", "/answers/n/not_evaluated/n", "/answers/n/alternatives/n/lr/low", "/answers/n/flag_items/n/innocent/n",
        "/answers/n/rung", "/answers/n/support", "/answers/n/summary", "/statements/n/verdict", "/statements/n/why", "/sources/n/gaps/n/from", "/sources/n/status",
    }  # fmt: skip
    assert protected("data/findings.json", "/answers/0/against/3/says")


@pytest.mark.parametrize(
    "pointer", ["/answers/0/missing/0", "/answers/0/alternatives/0/lr/low", "/statements/0/verdict", "/answers/0/flag_items/0/innocent/0"]
)
def test_it_cannot_be_withheld_by_asking(make, pointer):
    with pytest.raises(UsageError, match="may speak for the accused"):
        make("hr", asked=Asked(values=(("data/findings.json", pointer, "we would rather not"),)))


def test_nor_by_a_view_that_somebody_adds(material):
    view = View("new", hidden=(("data/findings.json", "/answers/.*", "not-needed"),))
    names = pseudonyms(material.case, (), b"x")
    with pytest.raises(ForensicsError, match="may speak for the accused"):
        shown(Redaction(view, names, Salts(b"x"), NOTHING), "data/findings.json", material.findings)


@pytest.mark.parametrize("view", REDACTED)
def test_each_redaction_is_logged_with_its_reason(bundles, view, material):
    told = json.loads((bundles[view].folder / "data" / "redactions.json").read_text())
    assert all(len(words) > 10 for words in told["reasons"].values())
    logged = {(v["document"], v["pointer"]) for v in told["values"]}
    assert {v["reason"] for v in told["values"]} | {f["reason"] for f in told["files"]} == set(told["reasons"])
    whole, seen = material.findings, json.loads((bundles[view].folder / "data" / "findings.json").read_text())
    differ = {pointer for (pointer, a), (_, b) in zip(units(whole), units(seen), strict=True) if a != b}
    here = {pointer for document, pointer in logged if document == "data/findings.json"}
    assert differ <= here
    assert all(json.loads(dict(units(seen))[pointer]) is None for pointer in here - differ)  # nothing was there, and that is withheld, too
    assert len(logged) + len(told["files"]) == bundles[view].withheld == check(bundles[view].folder, Pinned()).withheld


def test_the_findings_keep_their_form(bundles):
    from pathlib import Path

    import jsonschema

    schema = json.loads((Path(__file__).parents[2] / "case" / "findings.schema.json").read_text())
    for built in bundles.values():
        jsonschema.validate(json.loads((built.folder / "data" / "findings.json").read_text()), schema)


def test_views_hold_what_they_promise(bundles):
    for view, built in bundles.items():
        held = {p.relative_to(built.folder / "data").as_posix() for p in (built.folder / "data").rglob("*") if p.is_file()}
        assert {
            "findings.json",
            "report.html",
            "memo.html",
            "exculpatory.md",
            "limitations.md",
            "method.md",
            "custody.jsonl",
            "sbom.cdx.json",
        } <= held
        raw = any(h.startswith(("case/", "tables/")) for h in held)
        assert raw == (view in ("responder", "counsel", "court"))
        assert ("statements/form.md" in held) == (view == "subject")
    partner = {p.name for p in (bundles["partner"].folder / "data").iterdir()}
    assert not partner & {"people.json", "mandate.json", "acquisition.json", "originals.json"}


def test_the_subject_finds_themselves(bundles, material):
    name = next(p.name for p in material.case.people if p.id == SUBJECT)
    folder = bundles["subject"].folder / "data"
    assert name in (folder / "report.html").read_text()
    assert SUBJECT in (folder / "findings.json").read_text()
    assert "I pushed nothing" in (folder / "mandate.json").read_text()


def test_words_and_values_that_the_caller_withholds(make):
    asked = Asked((("clipping", "a trade secret"),), (("data/mandate.json", "/questions/0/about", "a trade secret"),))
    built = make("hr", asked=asked)
    assert not any(b"clipping" in data.lower() for data in contents(built).values())
    told = json.loads((built.folder / "data" / "redactions.json").read_text())
    assert told["asked"] == [
        {"document": "data/mandate.json", "pointer": "/questions/0/about", "why": "a trade secret"},
        {"why": "a trade secret", "word": 1},
    ]
    assert json.loads((built.folder / "data" / "mandate.json").read_text())["questions"][0]["about"] == "withheld: asked"
    assert built.case_root == make("hr").case_root
    with pytest.raises(UsageError, match="without a reason"):
        make("hr", asked=Asked((("clipping", " "),), ()))
    with pytest.raises(UsageError, match="withholds nothing"):
        make("court", asked=asked)


def test_the_order_of_other_names_comes_from_the_secret(material):
    one, two = (pseudonyms(material.case, (), bytes([n]) * 32).ids for n in (1, 2))
    assert set(one.values()) == set(two.values())
    assert one != two


def test_names_in_another_dress_are_taken_out(material):
    names = pseudonyms(material.case, (), b"x" * 32)
    for text in ("ESTROUD", "E\u017ftroud", "/share/eStroud2/x", "Hua\u00a0Jinglan", "huaj\u0131nglan"):
        assert names.text(text) != text
        assert not {"estroud", "huajinglan", "jinglan"} & {w.lower() for w in names.text(text).replace("/", " ").split()}


def test_addresses_that_no_register_knows_are_taken_out(material):
    names = pseudonyms(
        material.case,
        ("p-001",),
        b"x" * 32,
        texts="by someone.else@home.example, and ovarga@ops.example; git@git.ops.example:a/b, name@1.2.3",
    )
    assert names.text("email:someone.else@home.example") == "email:address-1"
    assert names.text("ovarga@ops.example and git@git.ops.example:a/b") == "ovarga@ops.example and git@git.ops.example:a/b"


def named(material, *people: str, accounts: tuple[str, ...] = (), ours: str = ""):
    """Return the other words for people of these names, with these accounts."""
    someone = material.case.people[0]
    case = replace(
        material.case,
        people=tuple(replace(someone, id=f"q-{n}", name=name) for n, name in enumerate(people)),
        identifiers=tuple(replace(material.case.identifiers[0], identifier=a, person="q-0", kind="personal") for a in accounts),
        sources=(),
    )
    return pseudonyms(case, (), b"x" * 32, ours=ours)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Brenna Grünwald", "of grünwald"), ("Brenna Grünwald", "of Gru\u0308nwald"), ("Brenna Grünwald", "Gruenwald"), ("Brenna Grünwald", "/home/GRUNWALD2"),
        ("Zoë Ng", "Zoe and"), ("华景兰", "请景兰看"), ("欧阳景兰", "景兰说"), ("华 景兰", "景兰"), ("Ottoline Varga-Reyes", "Reyes"), ("Łucja Kowal", "lucja"),
        ("Li Wei", "Li pushed it"), ("Li Wei", "asked LI twice"), ("Li Wei", "由Li提交"), ("Li Wei", "/home/li/run"), ("Li Wei", "li@host"), ("Li Wei", "wei.li"),
        ("Li Wei", "liwei3"), ("Ng Pak", "by Ng."), ("Kim An", "asked An, who"), ("Kim An", "和An说"), ("Lê Văn Hà", "of Hà"), ("Lê Văn Hà", "of Le"),
        ("陆知微", "小陆说"), ("陆知微", "陆工"), ("欧阳景兰", "欧阳老师"), ("王某", "老王"),
    ],
)  # fmt: skip
def test_parts_and_spellings_of_a_name_are_taken_out(material, name, text):
    assert "x01" in named(material, name).text(text)


def test_a_name_that_is_an_ordinary_word_is_taken_out_where_it_names_somebody(material):
    names = named(material, "Will Page", accounts=("unix:will", "email:page@lab.example"), ours="the page that will show it")
    for text in ("by Will", "WILL", "/home/will/x", "will@host", "unix:will", "Will Page", "will page", "a/page", "page@lab.example"):
        assert "x01" in names.text(text), text
    for text in ("it will be shown on a page", "willing", "pages"):
        assert names.text(text) == text
    assert names.left("/home/will") == {"will"}
    assert "x01" in named(material, "Will Page").text("it will")  # where it is no word of ours


def test_an_examiner_whose_name_the_view_replaces_is_refused(material, make):
    with pytest.raises(UsageError, match="is a name that this view replaces"):
        make("hr", examiner=material.case.people[5].name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Li Wei", "a list of <li>, in li and lit"), ("Kim An", "An object was written; an act, PLAN"), ("No Ai", "No record. Of no use; the AI team"), ("Ip Wu", "the IP address, ip:10.0.0.1, wu"),
        ("Ma Yi", "ma, yi2 Mali"), ("陆知微", "大陆 陆续 微小"),
    ],
)  # fmt: skip
def test_ordinary_text_stays_beside_short_names(material, name, text):
    assert named(material, name).text(text) == text
    assert named(material, name).left(text) == set()


def test_what_several_people_bear_is_put_down_to_none_of_them(material):
    names = named(material, "Li Wei", "Li Na")
    assert names.text("Li or Wei or Na; 小Li") == "Person x?? or Person {} or Person {}; 小Person x??".format(
        *(names.ids[f"q-{n}"].removeprefix("p-") for n in (0, 1))
    )


def test_who_stays_keeps_a_name_that_holds_a_part_of_anothers(material):
    someone = material.case.people[0]
    people = (replace(someone, id="q-0", name="Li Wei"), replace(someone, id="q-1", name="Wei Chen"))
    held = (replace(material.case.identifiers[0], identifier="email:wei.li@lab.example", person="q-0", kind="personal"),)
    names = pseudonyms(replace(material.case, people=people, identifiers=held, sources=()), ("q-0",), b"x" * 32)
    text = names.text("Li Wei (email:wei.li@lab.example) and Wei Chen; Wei; Li")
    assert text == f"Li Wei (email:wei.li@lab.example) and Person {names.ids['q-1'][2:]}; Person x??; Li"
    assert names.left(text) == set()


def test_a_short_name_with_its_capital_is_found_where_it_was_left(material):
    assert named(material, "Li Wei").left("asked Li again") == {"li"}
    assert named(material, "Li Wei").left("<li>in a list</li>") <= {"li"}


def ids_in(value) -> list[list[str]]:
    """Return every list of people's ids in a document, and every run of them in a sentence."""
    if isinstance(value, dict):
        return [run for part in value.values() for run in ids_in(part)]
    if isinstance(value, list):
        own = [part for part in value if isinstance(part, str) and re.fullmatch(r"p-[\w-]+", part)]
        return [own] * (len(own) > 1) + [run for part in value for run in ids_in(part)]
    runs = re.findall(r"p-\w+(?:(?:, | and )p-\w+)+", value) if isinstance(value, str) else []
    return [re.findall(r"p-\w+", run) for run in runs]


def test_the_order_of_a_list_does_not_tell_who_is_who(bundles, material):
    whole, told = material.findings, json.loads((bundles["partner"].folder / "data" / "findings.json").read_text())
    assert sum(len(run) > 2 for run in ids_in(whole)) > 1
    assert ids_in(told)
    assert [run for run in ids_in(told) if run != sorted(run)] == []
    for answer in told["answers"]:
        for listed in (answer["alternatives"], *(w["compared"] for w in answer["weighings"])):
            alike: dict[str, list[str]] = {}
            for one in listed:
                alike.setdefault(json.dumps(one | {"person": ""}, sort_keys=True), []).append(one["person"] or "")
            if listed is answer["alternatives"]:
                assert all(run == sorted(run) for run in alike.values())
    people = json.loads((bundles["hr"].folder / "data" / "people.json").read_text())
    others = [p["id"] for p in people if p["id"].startswith("p-x")]
    assert others == sorted(others)
    assert check(bundles["partner"].folder, Pinned()).withheld  # and it still holds against the root, arithmetic and all


def test_the_readme_tells_of_other_names_where_there_are_any_and_of_doing_it_again_where_that_can_be(bundles):
    for view, built in bundles.items():
        text = (built.folder / "README.txt").read_text()
        assert ("NAMES IN THIS BUNDLE" in text) == (view in REDACTED)
        assert ("TO DO IT AGAIN" in text) == (view not in REDACTED)
        assert "$" not in text.replace("$(wc -c", "")


def test_the_form_says_in_plain_words_what_each_question_is_about(bundles, material):
    text = (bundles["subject"].folder / "data" / "statements" / "form.md").read_text()
    told = json.loads((bundles["subject"].folder / "data" / "findings.json").read_text())
    abouts = [answer["about"] for answer in told["answers"] if answer.get("about")]
    assert abouts
    assert all(about in text for about in abouts)


def test_what_speaks_for_somebody_says_each_thing_once(bundles):
    for built in bundles.values():
        lists = (built.folder / "data" / "exculpatory.md").read_text().split("\n**")
        for one in lists:
            lines = [line for line in one.splitlines() if line.startswith("- ")]
            assert len(lines) == len(set(lines))
