"""What a pickle's opcodes do to stack and memo, followed without doing it: references to callables, calls, literal arguments.

The rules are those of CPython's unpickler, which raises where a rule is broken: here the reading ends there, and says so.
Reference: https://docs.python.org/3/library/pickle.html, https://peps.python.org/pep-0307/, https://peps.python.org/pep-3154/
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from forensics.errors import RecordError
from forensics.pickles import arrays, held, opcodes
from forensics.pickles.callables import Kind, classify
from forensics.pickles.cursor import Cursor
from forensics.pickles.values import OPCODES, REFERENCES, Budget, Bytes, Container, Pickle, Reference, Result, shown

STACK = 2_000_000
MEMO = 2_000_000
TEXT = 64 << 20
"""characters of strings that are remembered; beyond them, short ones alone"""
_SHORT = 64
_SHOWN_ARGUMENTS = 16
_LOOKED_AT = 1000
"""values of one call's arguments that are looked at"""
_NOTHING = Result(None)
_PLAIN = {"BINFLOAT", "FLOAT", "NONE", "NEWTRUE", "NEWFALSE", "PERSID", "NEXT_BUFFER"}
_STRINGS = {"STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}
_BYTES = {"SHORT_BINBYTES": 2, "BINBYTES": 5, "BINBYTES8": 9, "BYTEARRAY8": 9}
"""how far behind the opcode the bytes begin"""
_LOADERS = {
    "pickle.loads", "_pickle.loads", "cPickle.loads", "dill.loads", "dill._dill.loads", "cloudpickle.loads", "torch.storage._load_from_bytes",
}  # fmt: skip
_INNER = 10_000
_DEEPEST = 20
"""arrays of objects inside each other"""
_NUMBERS = {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"}


def read_one(cursor: Cursor, budget: Budget, depth: int = 0) -> Pickle:
    """Read one pickle from where the cursor stands; it never raises, and says where it broke.

    What joblib takes for an array, every other loader takes for opcodes: such bytes are read both ways.
    """
    start = cursor.at
    found, arrays_passed = _read(cursor, budget, depth, plain=False)
    if not arrays_passed or depth:
        return found
    other, _ = _read(cursor.again(start), budget, depth, plain=True)
    known = {named.start for named in found.named}
    return replace(found, named=(*found.named, *(named for named in other.named if named.runs and named.start not in known)))


def _read(cursor: Cursor, budget: Budget, depth: int, *, plain: bool) -> tuple[Pickle, bool]:
    """Read one pickle, and tell whether arrays were passed over; `plain`: as a loader does that knows nothing of arrays."""
    start = cursor.at
    machine = _Machine(cursor, budget, depth, plain=plain)
    count = 0
    broken = ""
    try:
        while not machine.stopped:
            machine.step(opcodes.read(cursor))
            count += 1
    except RecordError as error:
        broken = error.what
    named = tuple(reference.done(unsure=machine.unsure) for reference in machine.references)
    named += tuple(found for inner in machine.within for found in inner.named)
    parts = tuple(part for inner in machine.within for part in inner.inner)
    tensors = machine.tensors + sum(inner.tensors for inner in machine.within)
    pickle = Pickle(
        start, cursor.at, named, count, tensors, (*machine.inner, *parts), machine.number, machine.stopped, broken, held.flat(machine.top)
    )
    return pickle, machine.arrays > 0


class _Machine:
    """Stack, marks and memo of one pickle."""

    def __init__(self, cursor: Cursor, budget: Budget, depth: int, *, plain: bool) -> None:
        self.cursor, self.budget, self.depth, self.plain = cursor, budget, depth, plain
        self.arrays = 0
        self.within: list[Pickle] = []
        """pickles between the opcodes of this one: arrays of objects"""
        self.stack: list[object] = []
        self.marks: list[int] = []
        self.memo: dict[int, object] = {}
        self.references: list[Reference] = []
        self.text = TEXT
        self.tensors = 0
        self.inner: list[tuple[int, int]] = []
        self.unsure = False
        """a call had more arguments than are looked at"""
        self.number: int | None = None
        self.top: object = None
        """the value that it ends with"""
        self.stopped = False

    def step(self, opcode: opcodes.Opcode) -> None:
        """Follow one opcode."""
        if self.budget.opcodes <= 0:
            raise RecordError(f"limit: a file's pickles of more than {OPCODES} opcodes are not read to their end")
        self.budget.opcodes -= 1
        name = opcode.name
        if name in _STRINGS:
            self._push(self._kept(opcode.argument))
        elif name in _NUMBERS:
            self._push(opcode.argument)
        elif name in _BYTES:
            data = self._kept(opcode.argument)
            self._push(Bytes(data if isinstance(data, bytes) else b"", opcode.position + _BYTES[name], self.cursor.at))
        elif name in _PLAIN:
            self._push(_NOTHING)
        else:
            _STEPS[name](self, opcode)

    # --- stack, marks, memo

    def _push(self, value: object) -> None:
        if len(self.stack) >= STACK:
            raise RecordError(f"limit: more than {STACK} values on the stack")
        self.stack.append(value)

    def _kept(self, value: opcodes.Literal) -> opcodes.Literal:
        if not isinstance(value, (str, bytes)):
            return value
        if len(value) > _SHORT:
            if self.text < len(value):
                return None  # as a name it would be one that is not known: never a shorter one
            self.text -= len(value)
        return value

    def _pop(self) -> object:
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise RecordError(f"a value is missing on the stack at {self.cursor.at}")
        return self.stack.pop()

    def _top(self) -> object:
        value = self._pop()
        self.stack.append(value)
        return value

    def _to_mark(self) -> list[object]:
        if not self.marks:
            raise RecordError(f"a mark is missing on the stack at {self.cursor.at}")
        mark = self.marks.pop()
        values = self.stack[mark:]
        del self.stack[mark:]
        return values

    def mark(self, _: opcodes.Opcode) -> None:
        if len(self.marks) >= STACK:
            raise RecordError(f"limit: more than {STACK} marks")
        self.marks.append(len(self.stack))

    def pop(self, _: opcodes.Opcode) -> None:
        if self.marks and self.marks[-1] == len(self.stack):
            self.marks.pop()
        else:
            self._pop()

    def pop_mark(self, _: opcodes.Opcode) -> None:
        self._to_mark()

    def dup(self, _: opcodes.Opcode) -> None:
        self._push(self._top())

    def put(self, opcode: opcodes.Opcode) -> None:
        key = opcode.argument if isinstance(opcode.argument, int) else len(self.memo)
        if key not in self.memo and len(self.memo) >= MEMO:
            raise RecordError(f"limit: more than {MEMO} values in the memo")
        self.memo[key] = self._top()

    def get(self, opcode: opcodes.Opcode) -> None:
        key = opcode.argument
        if not isinstance(key, int) or key not in self.memo:
            raise RecordError(f"the memo has no value {key!r} at {opcode.position}")
        self._push(self.memo[key])

    def none(self, _: opcodes.Opcode) -> None:
        """Pass over what only frames or announces (PROTO, FRAME), or changes nothing that is followed (READONLY_BUFFER)."""

    def persistent(self, _: opcodes.Opcode) -> None:
        value = self._pop()
        storage = held.storage_of(value) if self.budget.weights > 0 else None
        self.budget.weights -= storage is not None
        self._push(Result(None, held=storage) if storage is not None else _NOTHING)

    def stop(self, _: opcodes.Opcode) -> None:
        value = self.top = self._pop()
        self.number = value if isinstance(value, int) else None
        self.stopped = True

    # --- containers

    def empty(self, _: opcodes.Opcode) -> None:
        self._push(Container())

    def packed(self, opcode: opcodes.Opcode) -> None:
        """Make a container of what stands above the mark, or of the last one to three values."""
        count = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}.get(opcode.name, 0)
        values = [self._pop() for _ in range(count)][::-1] if count else self._to_mark()
        container = Container()
        self._note(container, values, pairs=opcode.name == "DICT")
        container.add(values)
        self._push(container)

    def _note(self, container: Container, values: list[object], *, pairs: bool) -> None:
        """Remember the tensors among members by their keys, or their numbers."""
        for n, value in enumerate(values):
            within = held.holding(value) if isinstance(value, (Result, Container)) else None
            if within is None or (pairs and n % 2 == 0) or self.budget.weights <= 0:
                continue
            self.budget.weights -= 1
            key = values[n - 1] if pairs else container.count + n
            container.named = container.named or {}
            container.named[str(key) if isinstance(key, str) or held.is_number(key) else "?"] = within

    def added(self, opcode: opcodes.Opcode) -> None:
        """Add to the container below; where a callable stands there instead, its own contents are changed (`sys.modules`)."""
        count = {"APPEND": 1, "SETITEM": 2}.get(opcode.name, 0)
        values = [self._pop() for _ in range(count)][::-1] if count else self._to_mark()
        below = self._top()
        inner = below.held if isinstance(below, Result) else below
        if isinstance(inner, Container):
            self._note(inner, values, pairs=opcode.name.startswith("SETITEM"))
        if isinstance(below, Container):
            below.add(values)
        elif isinstance(below, Reference):
            below.odd = "its own contents are changed"
            self._called(below, values)
        elif (
            isinstance(below, Result) and below.root is not None and classify(below.root.module, below.root.name).kind is not Kind.HARMLESS
        ):
            self._called(below.root, values)

    # --- callables

    def _name(self, opcode: opcodes.Opcode, module: object, name: object) -> Reference:
        if self.budget.references <= 0:
            raise RecordError(f"limit: more than {REFERENCES} callables are named")
        self.budget.references -= 1
        known = isinstance(module, str) and isinstance(name, str)
        reference = Reference(
            module if isinstance(module, str) else "?",
            name if isinstance(name, str) else "?",
            opcode.name,
            opcode.position,
            self.cursor.at,
            "" if known else "its name is computed while it is loaded",
        )
        self.references.append(reference)
        return reference

    def named(self, opcode: opcodes.Opcode) -> None:
        self._push(self._name(opcode, opcode.argument, opcode.second))

    def stack_named(self, opcode: opcodes.Opcode) -> None:
        name, module = self._pop(), self._pop()
        self._push(self._name(opcode, module, name))

    def extension(self, opcode: opcodes.Opcode) -> None:
        """Name what is registered under a number (PEP 307); which callable that is, only the loading program knows."""
        self._push(self._name(opcode, "copyreg.extension", str(opcode.argument)))

    def reduce(self, _: opcodes.Opcode) -> None:
        arguments, callee = self._pop(), self._pop()
        self._call(callee, [arguments])

    def instance(self, opcode: opcodes.Opcode) -> None:
        self._call(self._name(opcode, opcode.argument, opcode.second), self._to_mark())

    def construct(self, _: opcodes.Opcode) -> None:
        values = self._to_mark()
        if not values:
            raise RecordError(f"OBJ names no class at {self.cursor.at}")
        self._call(values[0], values[1:])

    def new(self, opcode: opcodes.Opcode) -> None:
        arguments = [self._pop() for _ in range(2 if opcode.name == "NEWOBJ_EX" else 1)]
        self._call(self._pop(), arguments[::-1])

    def build(self, _: opcodes.Opcode) -> None:
        """Set the state of an instance. On a callable itself (a module, a class) it sets attributes for the whole program."""
        state, below = self._pop(), self._top()
        if isinstance(below, Reference):
            below.odd = "its attributes are set"
        root = below if isinstance(below, Reference) else below.root if isinstance(below, Result) else None
        if isinstance(below, Result) and below.held is None:
            self.stack[-1] = replace(below, held=held.holding(state))
        if root is not None:
            self._called(root, [state])
            if not self.plain and f"{root.module}.{root.name}" in arrays.WRAPPERS and isinstance(below, Result):
                self.stack[-1] = _NOTHING  # joblib puts the array there
                self._array(state)

    def _array(self, state: object) -> None:
        """Pass over an array that joblib wrote behind its description; one of Python objects is a pickle of its own, and read."""
        self.arrays += 1
        facts = arrays.facts_of(state)
        length = arrays.length_of(facts)
        self.tensors += 1
        if length != arrays.OBJECTS:
            if "numpy_array_alignment_bytes" in facts:
                self.cursor.take(self.cursor.byte())
            self.cursor.take(length, 0)
            return
        if self.depth >= _DEEPEST:
            raise RecordError(f"limit: arrays inside arrays, deeper than {_DEEPEST}")
        inner = read_one(self.cursor, self.budget, self.depth + 1)
        self.within.append(inner)
        if inner.broken:
            raise RecordError(inner.broken)

    def _call(self, callee: object, arguments: list[object]) -> None:
        root = callee if isinstance(callee, Reference) else callee.root if isinstance(callee, Result) else None
        if root is None:
            for value in self._within(arguments):
                if isinstance(value, Reference):
                    value.passed = True
            self._push(_NOTHING)
            return
        self._called(root, arguments)
        self.tensors += callee is root and _is_tensor(root)
        kind = arrays.kind_of(arguments[0]) if root.name == "dtype" and arguments else ""
        made = held.made(root, arguments) if callee is root and self.budget.weights > 0 else None
        self.budget.weights -= made is not None
        self._push(Result(root, kind, made))

    def _called(self, root: Reference, arguments: list[object]) -> None:
        """Book a call of a callable: its literal arguments, and the callables among them."""
        root.called = True
        loads = f"{root.module}.{root.name}" in _LOADERS
        builds = classify(root.module, root.name).why.startswith("pickle's own way to build")
        for value in self._within(arguments):
            if isinstance(value, Reference):
                value.passed = True
                value.called |= builds
            elif loads and isinstance(value, Bytes) and len(self.inner) < _INNER:
                self.inner.append((value.start, value.end))
            if len(root.arguments) < _SHOWN_ARGUMENTS and isinstance(value, str | Bytes | Reference):
                root.arguments.append(shown(value))

    def _within(self, values: list[object]) -> Iterator[object]:
        """Yield the values inside containers, in order, up to a limit: a container may hold itself."""
        left = _LOOKED_AT
        waiting = values[::-1]
        while waiting:
            if not left or self.budget.looks <= 0:
                self.unsure = True
                return
            value = waiting.pop()
            left -= 1
            self.budget.looks -= 1
            if isinstance(value, Container):
                self.unsure |= value.dropped
                waiting.extend(reversed(value.items))
            else:
                yield value


def _is_tensor(root: Reference) -> bool:
    """Tell whether a call makes a tensor or an array."""
    if root.module == "torch._utils":
        return root.name.startswith("_rebuild_") and "tensor" in root.name
    return root.name == "_reconstruct" and root.module in ("numpy.core.multiarray", "numpy._core.multiarray")


_Step = Callable[[_Machine, opcodes.Opcode], None]

_GROUPS: dict[_Step, str] = {
    _Machine.mark: "MARK",
    _Machine.pop: "POP",
    _Machine.pop_mark: "POP_MARK",
    _Machine.dup: "DUP",
    _Machine.put: "PUT BINPUT LONG_BINPUT MEMOIZE",
    _Machine.get: "GET BINGET LONG_BINGET",
    _Machine.none: "PROTO FRAME READONLY_BUFFER",
    _Machine.persistent: "BINPERSID",
    _Machine.stop: "STOP",
    _Machine.empty: "EMPTY_LIST EMPTY_TUPLE EMPTY_DICT EMPTY_SET",
    _Machine.packed: "TUPLE TUPLE1 TUPLE2 TUPLE3 LIST DICT FROZENSET",
    _Machine.added: "APPEND APPENDS SETITEM SETITEMS ADDITEMS",
    _Machine.named: "GLOBAL",
    _Machine.stack_named: "STACK_GLOBAL",
    _Machine.extension: "EXT1 EXT2 EXT4",
    _Machine.reduce: "REDUCE",
    _Machine.instance: "INST",
    _Machine.construct: "OBJ",
    _Machine.new: "NEWOBJ NEWOBJ_EX",
    _Machine.build: "BUILD",
}
_STEPS = {name: step for step, names in _GROUPS.items() for name in names.split()}
