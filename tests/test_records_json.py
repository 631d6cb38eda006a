"""JSON records know their bytes: lines, arrays, envelopes; whatever the blocks, the cuts and the damage."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forensics import records
from forensics.model import Event, Evidence, EvidenceFile, Piece, Reject, SourceConfig
from forensics.records import each_json, split_json

SOURCE = SourceConfig("log", "kind", "log.json")


def parse(data, start, end):
    return [Event(start, end, None, data.decode("latin-1"))]


class Log:
    """A file that is written, cut into pieces and read."""

    def __init__(self, folder: Path):
        self.path = folder / "log.json"

    def read(self, data: bytes) -> tuple[list[Event], list[Reject]]:
        self.path.write_bytes(data)
        evidence = Evidence(SOURCE, (EvidenceFile("", str(self.path), len(data)),))
        batches = [batch for piece in split_json(evidence) for batch in each_json(piece, parse)]
        events = [event for batch in batches for event in batch.events]
        rejects = [reject for batch in batches for reject in batch.rejects]
        assert sum(b.parsed + b.skipped for b in batches) + sum(r.end - r.start for r in rejects) == len(data)
        for event in events:
            record = data[event.start : event.end].removeprefix(b"\xef\xbb\xbf")
            assert record.rstrip(b"\r\n").decode("latin-1") == event.action
        return events, rejects

    def texts(self, data: bytes) -> list[str]:
        return [event.action for event in self.read(data)[0]]


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return Log(tmp_path_factory.mktemp("log"))


scalars = st.none() | st.booleans() | st.integers() | st.text(alphabet='ab"\\{}[],:\n\x00é梅', max_size=8)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('k"}]\\', max_size=3), inner, max_size=3), max_leaves=12
)
objects = st.dictionaries(st.text("abc", min_size=1, max_size=3), values, max_size=4)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(items, form, indent, ascii_only):
    texts = [json.dumps(item, ensure_ascii=ascii_only, indent=indent if form != "lines" else None) for item in items]
    if form == "lines":
        return ("".join(f"{text}\n" for text in texts)).encode(), texts
    body = json.dumps(items, ensure_ascii=ascii_only, indent=indent)
    return (body if form == "array" else f'{{"Records": {body}, "NextToken": "x"}}').encode(), texts


@quick
@given(items=st.lists(objects, min_size=1, max_size=5), form=st.sampled_from(["lines", "array", "envelope"]), indent=st.sampled_from([None, 0, 3]),
       ascii_only=st.booleans(), block=st.integers(1, 64))  # fmt: skip
def test_every_form_gives_its_records(shared, items, form, indent, ascii_only, block):
    data, texts = written(items, form, indent, ascii_only)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "BLOCK", block)
        events, rejects = shared.read(data)
    assert [json.loads(event.action.encode("latin-1")) for event in events] == [json.loads(text) for text in texts]
    assert not rejects


@quick
@given(
    items=st.lists(objects, min_size=1, max_size=4),
    form=st.sampled_from(["lines", "array", "envelope"]),
    place=st.floats(0, 1),
    block=st.integers(1, 32),
)
def test_cut_at_any_byte(shared, items, form, place, block):
    data, _ = written(items, form, None, False)
    cut = data[: int(len(data) * place)]
    whole = shared.texts(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "BLOCK", block)
        found = shared.texts(cut)
    same = [text for text, other in zip(found, whole, strict=False) if text == other]
    assert len(same) >= len(found) - 1  # only the last line may be a part of one


@quick
@given(data=st.binary(max_size=200) | st.text('[]{}",:\\ \nabR').map(str.encode), block=st.integers(1, 16), longest=st.integers(1, 40))
def test_any_bytes_are_accounted_for(shared, data, block, longest):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "BLOCK", block)
        patch.setattr(records, "LONGEST", longest)
        for head in (b"", b"[", b'{"Records":['):
            shared.read(head + data)


@quick
@given(data=st.lists(objects, min_size=1, max_size=6), size=st.integers(1, 80))
def test_lines_by_pieces(shared, data, size):
    content, texts = written(data, "lines", None, True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "PIECE", size)
        assert shared.texts(content) == texts


def test_byte_order_mark(log):
    for text in ('[{"a":1}]', '{"Records":[{"a":1}]}', '{"a":1}\n'):
        assert log.texts(b"\xef\xbb\xbf" + text.encode()) == ['{"a":1}']
    events, rejects = log.read(b'\xef\xbb\xbf[\r\n {"a":1}\r\n]\r\n')
    assert [e.action for e in events] == ['{"a":1}']
    assert not rejects


def test_lists_with_other_heads(log):
    for head in ('{ "Events" : [', '{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":['):
        events, rejects = log.read((head + '{"a":1},{"b":2}]}').encode())
        assert [e.action for e in events] == ['{"a":1}', '{"b":2}']
        assert not rejects


def test_documents_one_after_another(log):
    assert log.texts(b'[{"a":1}]\n[{"b":2}]\n') == ['{"a":1}', '{"b":2}']
    assert log.texts(b'{"Records":[{"a":1}]}{"Records":[]}\n{"Records":[{"b":2}],"x":null}') == ['{"a":1}', '{"b":2}']


def test_an_empty_document_says_nothing(log):
    for data in (b"[]", b"[ ]\n", b'{"Records":[]}', b'{"Records" : [ ] , "NextToken" : null }\n'):
        assert log.read(data) == ([], [])


def test_what_stands_between_records_is_no_envelope(log):
    events, rejects = log.read(b'[{"a":1},"hidden",{"b":2}]')
    assert [e.action for e in events] == ['{"a":1}', '{"b":2}']
    assert [(r.start, r.end) for r in rejects] == [(8, 18)]


def test_lines_after_a_document_are_not_swallowed(log):
    events, rejects = log.read(b'[{"a":1}]\n{"b":2}\n')
    assert [e.action for e in events] == ['{"a":1}']
    assert rejects[0].reason == "between records stands something that is none"


def test_a_document_that_breaks_off(log):
    _, rejects = log.read(b'[{"a":1}')
    assert [(r.start, r.end, r.reason) for r in rejects] == [(8, 8, "the document breaks off before its closing bracket")]
    _, rejects = log.read(b'[{"a":1},{"b":"x')
    assert rejects[0].reason.startswith("a record that is broken off")
    assert (rejects[0].start, rejects[0].end) == (8, 16)


def test_brackets_and_escapes_in_strings_across_blocks(log, monkeypatch):
    texts = ['{"a":"]}[{\\"},\\\\"}', '{"b":"\\\\\\"["}', '{"c":{"d":["}"]}}']
    data = ("[" + ",".join(texts) + "]").encode()
    for block in range(1, len(data) + 1):
        monkeypatch.setattr(records, "BLOCK", block)
        assert log.texts(data) == texts


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_a_record_longer_than_the_longest(log, monkeypatch, block):
    monkeypatch.setattr(records, "BLOCK", block)
    monkeypatch.setattr(records, "LONGEST", 100)
    for long in ('{"long":"' + 'x]}\\"' * 300 + '"}', '{"long":[' + '{"a":"}"},' * 200 + "1]}"):
        events, rejects = log.read(f'[{{"a":1}},{long},{{"b":2}}]'.encode())
        if block < len(long):
            assert [e.action for e in events] == ['{"a":1}', '{"b":2}']
            assert [(r.start, r.end) for r in rejects] == [(8, 9 + len(long))]
        else:
            assert len(events) in (2, 3)


def test_a_string_that_never_ends(log, monkeypatch):
    monkeypatch.setattr(records, "BLOCK", 10)
    monkeypatch.setattr(records, "LONGEST", 100)
    events, rejects = log.read(b'[{"a":1},{"b":"' + b"x" * 5000)
    assert [e.action for e in events] == ['{"a":1}']
    assert [(r.start, r.end) for r in rejects] == [(8, 5015)]


def test_much_between_records_costs_no_record(log, monkeypatch):
    monkeypatch.setattr(records, "BLOCK", 10)
    monkeypatch.setattr(records, "LONGEST", 100)
    events, _ = log.read(b'[{"a":1},' + b"junk " * 100 + b',{"b":2}]')
    assert [e.action for e in events] == ['{"a":1}', '{"b":2}']


def test_deep_nesting_is_walked(log):
    deep = '{"a":' + "[" * 3000 + "]" * 3000 + "}"
    assert log.texts(f"[{deep}]".encode()) == [deep]


def test_blank_lines_and_carriage_returns_are_skipped(log):
    events, rejects = log.read(b'{"a":1}\r\n\r\n   \n{"b":2}')
    assert [e.action for e in events] == ['{"a":1}', '{"b":2}']
    assert not rejects


def test_a_document_is_one_piece(log, monkeypatch):
    monkeypatch.setattr(records, "PIECE", 4)
    log.path.write_bytes(b'[\n{"a":1},\n{"b":2}\n]\n')
    evidence = Evidence(SOURCE, (EvidenceFile("", str(log.path), 21),))
    assert list(split_json(evidence)) == [Piece(SOURCE, evidence.files[0], 0, -1)]
