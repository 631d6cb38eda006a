"""Reading JSON lines a block at a time gives the very rows of reading them one by one, whatever stands in them."""

import copy
import json
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forensics import blocks
from forensics.columns import instants
from forensics.errors import RecordError
from forensics.model import Batch, Event, Evidence, EvidenceFile, SourceConfig
from forensics.source import load
from forensics.times import instant

FIXTURES = Path(__file__).parent / "sources" / "fixtures"
KINDS = ("cloudtrail", "kubernetes_audit")
quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _values(data: bytes) -> list[object]:
    """Return the records of a fixture: its lines, or what its document holds."""
    found = []
    for line in data.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    try:
        document = json.loads(data)
    except ValueError:
        return found
    inner = next((v for v in document.values() if isinstance(v, list)), [document]) if isinstance(document, dict) else document
    return [*found, *inner]


@lru_cache(maxsize=2)
def _samples(kind: str) -> list[dict[str, object]]:
    files = (path for path in sorted((FIXTURES / kind).rglob("*")) if path.is_file() and "input" in str(path.relative_to(FIXTURES)))
    return [value for path in files for value in _values(path.read_bytes()) if isinstance(value, dict)]


ODD = ("", "x", "2024-06-01T00:00:60Z", "2024-02-30T00:00:00Z", "2024-06-01T00:00:00.123456Z", "2024-06-01 08:00:00+08:00", 7, -0.0, 1e400, 1 << 70, True,
       None, [], {}, [[]], {"key": None}, 'a"b\\c', "梅\n", "\ud800", "AWS", "s3.amazonaws.com", "DeleteObjects", "RequestReceived")  # fmt: skip
NOISE = (
    b"",
    b"\0",
    b"\r",
    b"\n",
    b"\\",
    b'"',
    b"{",
    b"}",
    b"}\n{",
    b",",
    b"\xff",
    b"\xef\xbb\xbf",
    b" ",
    b"NaN",
    b'"verb":"get",',
    b'"eventName":1,',
)


@st.composite
def _spoilt(draw: st.DrawFn, sample: dict[str, object]) -> dict[str, object]:
    """Put something odd in some place of a record, or take the place away."""
    record = json.loads(json.dumps(sample))
    for _ in range(draw(st.integers(0, 2))):
        node = record
        while isinstance(node, dict) and node:
            key = draw(st.sampled_from(sorted(node)))
            if isinstance(node[key], dict) and node[key] and draw(st.booleans()):
                node = node[key]
                continue
            if draw(st.booleans()):
                node[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
            else:
                del node[key]
            break
    return record


@st.composite
def _log(draw: st.DrawFn, kind: str) -> bytes:
    samples = st.sampled_from(_samples(kind))
    records = [draw(_spoilt(draw(samples))) for _ in range(draw(st.integers(1, 6)))]
    end = draw(st.sampled_from(["\n", "\n", "\n", "\r\n"]))
    data = "".join(json.dumps(r, ensure_ascii=draw(st.booleans()), separators=(",", ":")) + end for r in records).encode(
        "utf-8", "surrogatepass"
    )
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        place, gone = draw(st.integers(0, len(data))), draw(st.integers(0, 2))
        data = data[:place] + draw(st.sampled_from(NOISE)) + data[place + gone :]
    return data


class Log:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "log"
        self.fast = 0

    def read(self, kind: str, data: bytes) -> tuple[list[Event], list[object], int, int]:
        self.path.write_bytes(data)
        evidence = Evidence(SourceConfig("log", kind, "log", timezone="Asia/Shanghai"), (EvidenceFile("", str(self.path), len(data)),))
        source = load(kind)
        batches: list[Batch] = [batch for piece in source.split(evidence) for batch in source.read(piece)]
        rejects = [reject for batch in batches for reject in batch.rejects]
        return [e for b in batches for e in b.events], rejects, sum(b.parsed for b in batches), sum(b.skipped for b in batches)

    def both(self, kind: str, data: bytes) -> None:
        decoded = blocks._decoded

        def counted(*arguments):
            found = decoded(*arguments)
            self.fast += bool(found)
            return found

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(blocks, "_decoded", counted)
            fast = self.read(kind, data)
            patch.setattr(blocks, "_decoded", lambda *_: [])
            assert fast == self.read(kind, data)
        assert fast[2] + fast[3] + sum(r.end - r.start for r in fast[1]) == len(data)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return Log(tmp_path_factory.mktemp("log"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_record_of_the_fixtures(log, kind):
    before = log.fast
    for sample in _samples(kind):
        log.both(kind, json.dumps(sample).encode() + b"\n")
    assert log.fast > before


@pytest.mark.parametrize("kind", KINDS)
@quick
@given(data=st.data())
def test_spoilt_records(log, kind, data):
    log.both(kind, data.draw(_log(kind)))


def test_a_record_is_never_two_lines(log):
    for text in (
        b'{"a":\n{}}{}\n',
        b'{"verb":"get"\n}\n',
        b'{"verb":"get"}{"verb":"get"}\n{"verb":\n"get"}\n',
        b'{"a":{}\n{}}\n{}{}\n',
        b'{"a":"}\n{"}\n{}\n',
    ):
        log.both("kubernetes_audit", text)


times = st.sampled_from(
    [
        "2024-06-01T00:00:00Z",
        "2024-06-01T23:59:59.999999Z",
        "1969-12-31T23:59:59.000001Z",
        "2024-02-29T12:34:56Z",
        "2024-06-01T24:00:30Z",
        "2024-06-01 08:00:30Z",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(times, st.integers(0, 26), st.sampled_from(["", "0", "9", "x", ":", "Z", "梅", "\0", " ", "٣"])), max_size=6))
def test_times_are_those_that_are_read_one_by_one(cells):
    texts = [text[:place] + odd + text[place + 1 :] if odd else text for text, place, odd in cells]
    for text, found in zip(texts, instants(texts), strict=True):
        try:
            alone = instant(text, "UTC")
        except RecordError:
            alone = (None, None)
        if text in {t for t, _, odd in cells if not odd and "T24" not in t} and "".join(texts).isascii():
            assert found is not None
        assert found is None or (found, None) == alone
