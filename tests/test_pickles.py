"""Pickles, opcode by opcode: what is named, called and handed over; and that the reading follows CPython's unpickler, and never runs it."""

import io
import pickle
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.pickles import held, values, walk
from forensics.pickles.callables import Kind, classify, is_plain_class
from forensics.pickles.streams import read_stream
from forensics.pickles.values import Budget


def read(data: bytes, budget: Budget | None = None, name: str = "x.pkl"):
    stream = read_stream(lambda at, count: data[at : at + count], len(data), budget or Budget(), name=name)
    assert stream is not None
    return stream


def one(data: bytes):
    return read(data).pickles[0]


def only(data: bytes):
    (named,) = one(data).named
    return named


def test_global_and_its_place():
    named = only(b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R.")
    assert (named.full, named.opcode, named.start, named.end) == ("os.system", "GLOBAL", 2, 13)
    assert (named.called, named.runs, named.arguments) == (True, True, ("'id'",))


@pytest.mark.parametrize(
    "memo",
    [
        (b"p0\n", b"g0\n"),
        (b"p0000\n", b"g+0\n"),
        (b"q\x07", b"h\x07"),
        (b"r\xff\xff\x00\x00", b"j\xff\xff\x00\x00"),
        (b"\x94", b"h\x00"),
    ],
    ids=["PUT", "PUT with zeros", "BINPUT", "LONG_BINPUT", "MEMOIZE"],
)
def test_names_that_come_out_of_the_memo(memo):
    put, get = memo
    named = only(b"\x80\x04\x8c\x02os" + put + b"0" + get + b"\x8c\x06system\x93\x8c\x02id\x85R.")
    assert (named.full, named.opcode, named.called) == ("os.system", "STACK_GLOBAL", True)


@pytest.mark.parametrize(
    "string", [b"S'o\\x73'\n", b'S"o\\163"\n', b"Vo\\u0073\n", b"U\x02os", b"T\x02\0\0\0os", b"X\x02\0\0\0os", b"\x8d\x02\0\0\0\0\0\0\0os"]
)
def test_every_way_to_write_a_string(string):
    assert only(string + b"\x8c\x06system\x93.").full == "os.system"


@pytest.mark.parametrize(
    ("opcode", "data"),
    [
        ("REDUCE", b"cos\nsystem\n\x8c\x02id\x85R."),
        ("INST", b"(\x8c\x02idios\nsystem\n."),
        ("OBJ", b"(cos\nsystem\n\x8c\x02ido."),
        ("NEWOBJ", b"cos\nsystem\n\x8c\x02id\x85\x81."),
        ("NEWOBJ_EX", b"cos\nsystem\n\x8c\x02id\x85}\x92."),
        ("BUILD", b"cos\nsystem\n\x8c\x02idb."),
    ],
)
def test_every_way_to_call(opcode, data):
    named = only(data)
    assert (named.called, named.runs, named.arguments) == (True, True, ("'id'",)), opcode


def test_what_a_call_returned_is_called_for_whom_it_came_from():
    pickle_ = one(b"cbuiltins\ngetattr\n(c__builtin__\n__import__\n\x8c\x02os\x85R\x8c\x06systemtR\x8c\x06whoami\x85R.")
    assert [(n.full, n.called, n.arguments) for n in pickle_.named] == [
        ("builtins.getattr", True, ("'system'", "'whoami'")),
        ("__builtin__.__import__", True, ("'os'",)),
    ]


def test_a_callable_that_is_handed_over_may_run():
    partial, system = one(b"cfunctools\npartial\ncos\nsystem\n\x8c\x02id\x86R.").named
    assert (partial.called, partial.verdict.kind) == (True, Kind.OTHER)
    assert (system.called, system.passed, system.runs) == (False, True, True)


def test_a_callable_hidden_behind_many_arguments_counts_as_handed_over():
    many = b"(" + b"".join(b"(" + b"K\x01" * 20 + b"t" for _ in range(900)) + b"cos\nsystem\nt"
    pickle_ = one(b"cmine\nrun\n" + many + b"R.")
    assert pickle_.named[1].runs
    refs = b"(" + b"cmine\nX\n" * 1100 + b"cos\nsystem\nl"
    assert one(b"cmine\nrun\n" + refs + b"\x85R.").named[-1].runs


def test_named_and_never_used_is_no_call():
    named = only(b"cos\nsystem\n0N.")
    assert (named.called, named.passed, named.runs, named.verdict.kind) == (False, False, False, Kind.DANGEROUS)


def test_attributes_of_a_module_that_are_set():
    named = only(b"ctorch\nserialization\n}\x8c\x04load\x8c\x02ossb.")
    assert named.verdict == (Kind.DANGEROUS, "its attributes are set")
    assert only(b"cmine\ntable\n\x8c\x01aK\x01s.").verdict == (Kind.DANGEROUS, "its own contents are changed")


def test_names_that_are_computed():
    data = b"c_codecs\nencode\n\x8c\x02bf\x8c\x05rot13\x86R\x8c\x06system\x93\x8c\x02id\x85R."
    named = one(data).named[1]
    assert (named.full, named.verdict.why) == ("?.system", "its name is computed while it is loaded")
    assert named.runs


def test_extension_codes_and_persistent_ids():
    assert [n.full for n in one(b"\x80\x02\x82\x01)R0\x83\x01\x020\x84\x01\x00\x00\x000N.").named] == [
        "copyreg.extension.1",
        "copyreg.extension.513",
        "copyreg.extension.1",
    ]
    assert one(b"Pabc\nQ.").stopped


def test_the_builder_of_old_protocols_calls_the_class_it_gets():
    builder, made, _ = one(b"ccopy_reg\n_reconstructor\n(cmine\nThing\nc__builtin__\nobject\nNtR.").named
    assert builder.verdict.kind is Kind.HARMLESS
    assert made.called


def test_pickles_one_after_the_other():
    stream = read(b"N." + b"\x80\x04K\x01." + b"cos\nsystem\n)R." + b"\n\xff")
    assert [p.start for p in stream.pickles] == [0, 2, 7]
    assert stream.end == 21
    assert stream.broken == ""


def test_inner_pickles_and_where_they_stand():
    inner = pickle.dumps([1])
    data = b"\x80\x04ctorch.storage\n_load_from_bytes\nB" + struct.pack("<I", len(inner)) + inner + b"\x85R."
    ((start, end),) = one(data).inner
    assert data[start:end] == inner


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x80\x04cos\nsystem\n)R\x8c\xffabc", "breaks off: 255 bytes are announced, 3 are there"),
        (b"\x80\x04cos\nsystem\n)Rh\x07.", "the memo has no value 7 at 15"),
        (b"\x80\x04cos\nsystem\n)R00.", "a value is missing on the stack at 17"),
        (b"\x80\x04cos\nsystem\n)Rt.", "a mark is missing on the stack at 16"),
        (b"\x80\x04cos\nsystem\n)R\xff.", "byte 0xff at 15 is no opcode"),
        (b"\x80\x04cos\nsystem\n)RT\xff\xff\xff\xff.", "a negative length"),
        (b"\x80\x04cos\nsystem\n)RIx\n.", "a number is expected where 'x' stands"),
        (b"\x80\x04cos\nsystem\n)RSx\n.", "a string without its quotes"),
    ],
)
def test_what_breaks_says_where_and_keeps_what_came_before(data, why):
    pickle_ = one(data)
    assert pickle_.broken == why
    assert [n.full for n in pickle_.named] == ["os.system"]
    with pytest.raises((pickle.UnpicklingError, ValueError, EOFError, KeyError, IndexError, TypeError)):
        _never(data)


class _Never(pickle._Unpickler):
    """Python's own unpickler with all callables replaced by one that does nothing: the yardstick for what breaks."""

    def find_class(self, module, name):
        return lambda *_: None


def _never(data: bytes) -> object:
    return _Never(io.BytesIO(data)).load()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"hello\n",
        b"PK",
        b"cmod\n\xf8\n",
        b"{}",
        b"[1, 2]",
        b"class A:\n  pass\n",
        b"little",
        b"3\n",
        b"I am.\n",
        b"\x00" * 100,
    ],
)
def test_what_is_no_pickle(data):
    assert read_stream(lambda at, count: data[at : at + count], len(data), Budget()) is None


def test_limits(monkeypatch):
    assert "limit: a file's pickles" in one_with(b"\x80\x02" + b"N0" * 5000 + b"N.", Budget(opcodes=6000)).broken
    assert "callables are named" in one_with(b"\x80\x02" + b"ca\nb\n0" * 50 + b"N.", Budget(references=10)).broken
    monkeypatch.setattr(walk, "STACK", 100)
    assert "on the stack" in one(b"\x80\x02" + b"N" * 200 + b".").broken
    assert "marks" in one(b"\x80\x02" + b"(" * 200 + b".").broken
    monkeypatch.setattr(walk, "MEMO", 100)
    assert "in the memo" in one(b"\x80\x02" + b"".join(b"N\x940" for _ in range(200)) + b"N.").broken


def one_with(data, budget):
    return read(data, budget).pickles[0]


def test_containers_within_themselves_end(monkeypatch):
    assert only(b"]\x94h\x00a0cmine\nrun\nh\x00\x85R.").called
    monkeypatch.setattr(values, "LOOKS", 10)
    assert only(b"]\x94" + b"h\x00a" * 50 + b"0cmine\nrun\nh\x00\x85R.").called


def test_long_values_are_passed_over():
    size = 300 << 20

    def reader(at: int, count: int) -> bytes:
        head = b"\x80\x04B" + struct.pack("<I", size)
        tail = b"0cos\nsystem\n\x8c\x02id\x85R."
        assert count <= 1 << 16
        assert at + count <= len(head) + (1 << 16) or at >= len(head) + size
        return (head[at:] + b"\0" * count)[:count] if at < len(head) else tail[at - len(head) - size :][:count]

    stream = read_stream(reader, 7 + size + 21, Budget())
    assert stream is not None
    assert [n.full for n in stream.pickles[0].named] == ["os.system"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=30,
)


@given(value=VALUES, protocol=st.integers(0, 5))
def test_plain_values_name_nothing_but_the_harmless(value, protocol):
    data = pickle.dumps(value, protocol)
    stream = read(data)
    assert stream.end == len(data)
    assert stream.broken == ""
    assert all(n.verdict.kind is Kind.HARMLESS for p in stream.pickles for n in p.named)


@given(data=st.binary(max_size=200))
def test_any_bytes_are_survived(data):
    for start in (b"", b"\x80\x04", b"cos\nsystem\n"):
        text = start + data
        read_stream(lambda at, count, text=text: text[at : at + count], len(text), Budget(), name="x.pkl")


@pytest.mark.parametrize(
    ("module", "name", "kind"),
    [
        ("torch._utils", "_rebuild_tensor_v2", "harmless"),
        ("torch", "FloatStorage", "harmless"),
        ("torch.cuda", "HalfStorage", "harmless"),
        ("numpy._core.multiarray", "_reconstruct", "harmless"),
        ("__builtin__", "set", "harmless"),
        ("collections", "OrderedDict", "harmless"),
        ("os", "system", "dangerous"),
        ("os.path", "join", "dangerous"),
        ("builtins", "eval", "dangerous"),
        ("builtins", "some_new_one", "dangerous"),
        ("torch", "serialization.os.system", "dangerous"),
        ("torch.serialization", "os", "dangerous"),
        ("torch.hub", "load", "dangerous"),
        ("numpy", "testing._private.utils.runstring", "dangerous"),
        ("a." * 300, "b", "dangerous"),
        ("code", "InteractiveInterpreter.runcode", "dangerous"),
        ("pathlib", "Path.write_text", "dangerous"),
        ("code.models", "Ranker", "other"),
        ("test.models", "Ranker", "other"),
        ("operators", "Add", "other"),
        ("functools", "partial", "other"),
        ("torch.nn.functional", "gelu", "other"),
        ("torch.nn.modules.linear", "Linear", "other"),
        ("lab.models", "Ranker", "other"),
        ("", "", "other"),
    ],
)
def test_the_table(module, name, kind):
    verdict = classify(module, name)
    assert verdict.kind == kind
    assert verdict.why


def test_classes_of_libraries_for_training():
    assert is_plain_class("torch.nn.modules.linear", "Linear")
    assert is_plain_class("transformers.training_args", "TrainingArguments")
    assert not is_plain_class("torch.nn.functional", "gelu")
    assert not is_plain_class("torch.fx", "GraphModule")
    assert not is_plain_class("lab.models", "Ranker")


# --- tensors that torch's pickles describe


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def tensor(
    key: str, shape: bytes = b"K\x02K\x03\x86", steps: bytes = b"K\x03K\x01\x86", offset: bytes = b"K\x00", kind: str = "Half"
) -> bytes:
    storage = b"(" + text("storage") + b"ctorch\n" + kind.encode() + b"Storage\n" + text(key) + text("cpu") + b"K\x06tQ"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + offset + shape + steps + b"\x89}tR"


def described(data: bytes) -> dict[str, str]:
    return {name: f"{held.form_of(t)} {t.key}" for name, t in one(b"\x80\x02" + data).weights}


def test_tensors_are_told_by_where_they_are_held():
    parameter = b"ctorch._utils\n_rebuild_parameter\n(" + tensor("p", kind="BFloat16") + b"\x88}tR"
    ordered = b"ccollections\nOrderedDict\n)R(" + text("l.weight") + tensor("0") + text("l.bias") + parameter + b"u"
    module = b"cmylab\nNet\n)\x81}" + text("_parameters") + b"}" + text("w") + tensor("1") + b"ssb"
    state = b"}(" + text("model") + ordered + text("net") + module + b"K\x07](" + tensor("2") + tensor("2") + b"e" + text("lr") + b"K\x03u."
    assert described(state) == {
        "model.l.weight": "F16[2,3] 0", "model.l.bias": "BF16[2,3] p", "net._parameters.w": "F16[2,3] 1", "7.0": "F16[2,3] 2", "7.1": "F16[2,3] 2",
    }  # fmt: skip


def test_a_tensor_that_is_not_its_whole_storage_in_order_says_so():
    part = tensor("0", steps=b"K\x01K\x02\x86", offset=b"K\x04")
    assert described(b"}" + text("w") + part + b"s.") == {"w": "F16[2,3] from 4, steps 1,2 0"}


@pytest.mark.parametrize(
    "shape",
    [
        b"K\x02\x85",
        b"(" + b"K\x01" * 17 + b"t",
        b"\x8a\x09" + b"\x00" * 8 + b"\x01K\x02\x86",
        b"J\xff\xff\xff\xffK\x02\x86",
        b"NK\x02\x86",
        b"X\x01\0\0\0aK\x02\x86",
    ],
    ids=["too few", "too many", "too large", "negative", "nothing", "text"],
)
def test_a_shape_that_no_tensor_has_is_not_told(shape):
    assert described(b"}" + text("w") + tensor("0", shape=shape) + b"s.") == {}


def test_what_holds_itself_or_doubles_without_end_ends():
    itself = b"}q\x01(" + text("w") + tensor("0") + b"u" + text("again") + b"h\x01s."
    assert set(described(itself)) >= {"w"}
    doubled = b"}q\x00" + text("w") + tensor("0") + b"s"
    for n in range(1, 40):
        doubled += b"}q" + bytes([n]) + b"(" + b"".join(text(k) + b"h" + bytes([n - 1]) for k in "ab") + b"u"
    assert len(described(doubled + b".")) <= held.LISTED


def test_no_more_tensors_are_remembered_than_there_is_room_for():
    data = b"\x80\x02}(" + b"".join(text(str(n)) + tensor("0") for n in range(50)) + b"u."
    budget = Budget(weights=20)
    pickle_ = read(data, budget).pickles[0]
    assert (pickle_.stopped, pickle_.tensors, budget.weights) == (True, 50, 0)
    assert len(pickle_.weights) < 20
