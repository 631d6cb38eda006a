"""What a walk through a pickle works with, and what it hands back."""

from dataclasses import dataclass, field

from forensics.pickles.callables import Kind, Verdict, classify

OPCODES = 6_000_000
"""opcodes of all pickles of one file; the largest tokenizers have some millions"""
REFERENCES = 100_000
"""callables that a file's pickles name"""
_SHOWN = 200
"""characters of an argument that are shown"""
LOOKS = 20_000_000
"""the same, of all calls of one file"""
WEIGHTS = 200_000
"""storages, tensors, and what holds them, that are remembered: some five for a tensor"""
_HELD = 16
"""members of a container that are remembered, and every callable among the rest up to..."""
_HELD_CALLABLES = 1000


@dataclass(slots=True)
class Budget:
    """What may still be spent on one file."""

    opcodes: int = OPCODES
    looks: int = LOOKS
    references: int = REFERENCES
    weights: int = WEIGHTS


@dataclass(frozen=True, slots=True)
class Storage:
    """Bytes that lie elsewhere in a torch file, under a key."""

    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor as a pickle describes it, in elements of its storage."""

    key: str
    kind: str
    """as safetensors calls it, `F32`"""
    offset: int
    shape: tuple[int, ...]
    steps: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """A callable that a pickle names, and what it does with it. Places are counted in the bytes that were read."""

    module: str
    name: str
    opcode: str
    start: int
    end: int
    called: bool
    """by REDUCE, INST, OBJ, NEWOBJ or BUILD, itself or what it returned"""
    passed: bool
    """handed to a call as an argument"""
    verdict: Verdict
    arguments: tuple[str, ...]
    """strings that the calls get, as Python writes them, and names of callables"""

    @property
    def full(self) -> str:
        """Return `module.name`."""
        return f"{self.module}.{self.name}"

    @property
    def runs(self) -> bool:
        """Tell whether loading runs something that is known to be dangerous, or hands it to what may run it."""
        return (self.called or self.passed) and self.verdict.kind is Kind.DANGEROUS


@dataclass(frozen=True, slots=True)
class Pickle:
    """One pickle, read to its STOP or to where it breaks."""

    start: int
    end: int
    named: tuple[Named, ...]
    opcodes: int
    tensors: int
    inner: tuple[tuple[int, int], ...]
    """bytes that a call loads as pickles of their own (`pickle.loads`, `torch.storage._load_from_bytes`)"""
    number: int | None
    """the value, where it is a number: torch's legacy files begin with a magic one"""
    stopped: bool
    broken: str = ""
    weights: tuple[tuple[str, Tensor], ...] = ()
    """tensors that it describes, by their names"""


@dataclass(slots=True)
class Reference:
    """A callable while its pickle is being read."""

    module: str
    name: str
    opcode: str
    start: int
    end: int
    odd: str = ""
    """why it is more than the table knows: a name that is computed, attributes that are set"""
    called: bool = False
    passed: bool = False
    arguments: list[str] = field(default_factory=list)

    def done(self, *, unsure: bool) -> Named:
        """Return what is known at the end; where arguments were too many to look at, the dangerous may have been among them."""
        verdict = Verdict(Kind.DANGEROUS, self.odd) if self.odd else classify(self.module, self.name)
        passed = self.passed or (unsure and not self.called and verdict.kind is Kind.DANGEROUS)
        return Named(self.module, self.name, self.opcode, self.start, self.end, self.called, passed, verdict, tuple(self.arguments))


@dataclass(frozen=True, slots=True)
class Result:
    """What a call returned, whatever that is."""

    root: Reference | None
    kind: str = ""
    """of a numpy.dtype: what it was made from"""
    held: object = None
    """a Storage, a Tensor, or a Container in which tensors are"""


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes in the file: their beginning, and where they stand."""

    data: bytes
    start: int
    end: int


@dataclass(slots=True)
class Container:
    """A list, tuple, dictionary or set: its first members, and the callables among all of them."""

    items: list[object] = field(default_factory=list)
    dropped: bool = False
    """callables were left out"""
    count: int = 0
    """members, remembered or not; of a dictionary keys and values"""
    named: dict[str, "Tensor | Container"] | None = None
    """tensors among its members, and what holds some, by key or number"""

    def add(self, values: list[object]) -> None:
        """Take in members, as far as they are remembered."""
        self.count += len(values)
        for value in values:
            holds = isinstance(value, (Reference, Container))
            if len(self.items) < (_HELD_CALLABLES if holds else _HELD):
                self.items.append(value)
            else:
                self.dropped |= holds


def shown(value: Reference | Bytes | str) -> str:
    """Write an argument for the reader: text as Python writes it, a callable by its name."""
    if isinstance(value, Reference):
        return f"{value.module}.{value.name}"[:_SHOWN]
    plain = value.data if isinstance(value, Bytes) else value
    text = repr(plain[:_SHOWN])
    return text if len(text) <= _SHOWN and len(plain) <= _SHOWN else text[: _SHOWN - 1] + "…"
