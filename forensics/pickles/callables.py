"""What a callable that a pickle names is known for: the one table, with the reason beside each entry.

Three answers. `harmless`: checkpoints of torch, numpy and the standard library always have it, and all that it does is build data.
`dangerous`: called with arguments of the file's choosing it runs code, starts programs, or reaches files, the network or the interpreter.
`other`: neither is known; a fact about the file, and no accusation.
"""

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple


class Kind(StrEnum):
    """What is known of a callable."""

    HARMLESS = "harmless"
    DANGEROUS = "dangerous"
    OTHER = "other"


class Verdict(NamedTuple):
    """A kind, and why."""

    kind: Kind
    why: str


_OLD_NAMES = {"__builtin__": "builtins", "__builtins__": "builtins", "copy_reg": "copyreg"}
"""modules as Python 2 called them; unpicklers map them (fix_imports)"""

NOT_KNOWN = "not known"
"""why a callable is `other` of which the table says nothing"""
LONGEST = 512
"""a name longer than this belongs to no library"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# --- harmless -----------------------------------------------------------------------------------------------------

_TORCH_DTYPES = (
    "float16 float32 float64 float half double bfloat16 float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz complex32 complex64 "
    "complex128 uint8 uint16 uint32 uint64 int8 int16 int32 int64 short int long bool qint8 quint8 qint32 quint4x2 quint2x4 "
    "strided sparse_coo sparse_csr sparse_csc per_tensor_affine per_channel_affine contiguous_format channels_last preserve_format"
)
_BUILDERS = {
    "torch's tensors, storages and their kinds": (
        "torch:Size device dtype layout Tensor Generator " + _TORCH_DTYPES,
        (
            "torch._utils:_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_parameter _rebuild_parameter_with_state "
            "_rebuild_sparse_tensor _rebuild_sparse_csr_tensor _rebuild_qtensor _rebuild_meta_tensor_no_storage _rebuild_nested_tensor "
            "_rebuild_device_tensor_from_numpy _rebuild_device_tensor_from_cpu_tensor _rebuild_xla_tensor _rebuild_wrapper_subclass"
        ),
        "torch._tensor:_rebuild_from_type_v2 _rebuild_from_type",
        "torch.nn.parameter:Parameter Buffer UninitializedParameter",
        "torch.nn:Parameter",
        "torch.serialization:_get_layout _get_dtype",
        "torch.storage:UntypedStorage TypedStorage _TypedStorage _UntypedStorage",
        "torch.jit._pickle:build_intlist build_tensorlist build_doublelist build_boollist build_tensor_from_id restore_type_tag",
    ),
    "numpy's arrays, scalars and their kinds": (
        (
            "numpy:ndarray dtype generic float16 float32 float64 float128 longdouble int8 int16 int32 int64 uint8 uint16 uint32 uint64 "
            "bool_ bool str_ bytes_ void complex64 complex128 datetime64 timedelta64 object_ intc uintc longlong ulonglong matrix recarray"
        ),
        "numpy.core.multiarray:_reconstruct scalar",
        "numpy._core.multiarray:_reconstruct scalar",
        "numpy.core.numeric:_frombuffer",
        "numpy._core.numeric:_frombuffer",
        "numpy.ma.core:_mareconstruct MaskedArray",
        "numpy.random:RandomState Generator",
        "numpy.random._pickle:__randomstate_ctor __generator_ctor __bit_generator_ctor",
        "numpy.random._mt19937:MT19937",
        "numpy.random._pcg64:PCG64",
    ),
    "plain containers and values": (
        "collections:OrderedDict defaultdict Counter deque UserDict UserList",
        (
            "builtins:set frozenset list dict tuple int float complex bool str bytes bytearray object slice range NoneType ellipsis "
            "unicode long xrange basestring Ellipsis NotImplemented None True False"
        ),
        "datetime:datetime date time timedelta timezone",
        "decimal:Decimal",
        "fractions:Fraction",
        "uuid:UUID",
        "pathlib:Path PurePath PosixPath WindowsPath PurePosixPath PureWindowsPath",
        "pathlib._local:Path PurePath PosixPath WindowsPath PurePosixPath PureWindowsPath",
        "argparse:Namespace",
        "types:SimpleNamespace NoneType",
        "array:array _array_reconstructor",
    ),
    "pickle's own way to build an object; the class stands beside it": ("copyreg:_reconstructor __newobj__ __newobj_ex__",),
    "pickle's own way to write bytes": ("_codecs:encode",),
}
_STORAGE = re.compile(r"torch(\.cuda|\.storage)?\.[A-Z][A-Za-z0-9]{0,20}Storage", re.ASCII)
_NUMPY_KIND = re.compile(r"numpy\.dtypes\.[A-Z][A-Za-z0-9]{0,20}DType", re.ASCII)


# --- dangerous ----------------------------------------------------------------------------------------------------

_WHOLE = {
    "reaches the operating system: programs, processes, files": (
        "os posix nt subprocess _posixsubprocess _winapi pty shutil multiprocessing concurrent popen2 pexpect plumbum "
        "ptyprocess tempfile winreg _winreg msvcrt fcntl mmap _aix_support _osx_support _pyrepl psutil "
        "asyncio"
    ),
    "runs code that it is given": (
        "runpy codeop bdb pdb cProfile _lsprof timeit doctest pydoc idlelib lib2to3 unittest pytest _pytest nose test.support IPython "
        "ipykernel rlcompleter cgitb torch.utils.bottleneck torch._inductor torch._dynamo torch.fx torch.jit.unsupported_tensor_ops "
        "torch.utils._config_module torch.utils.cpp_extension torch.utils.collect_env torch.testing._internal torch.package torch.distributed.rpc "
        "torch.distributed.run torch.distributed.launcher torch.multiprocessing torch.ops numpy.f2py numpy.testing numpy.distutils "
        "numpy.ctypeslib sympy jinja2 mako numexpr"
    ),
    "imports modules, or loads or installs code": (
        "importlib imp _imp _frozen_importlib _frozen_importlib_external zipimport pkgutil modulefinder pkg_resources pip _pip ensurepip "
        "setuptools distutils easy_install conda venv virtualenv sitecustomize compileall py_compile torch.hub cffi "
        "ctypes _ctypes"
    ),
    "reaches the running interpreter": "sys gc _thread threading _testcapi _xxsubinterpreters _interpreters faulthandler atexit",
    "loads another pickle, or code that is stored as data": (
        "pickle _pickle cPickle pickletools dill cloudpickle marshal shelve jsonpickle dbm yaml ruamel torch.utils.data.datapipes.utils.decoder"
    ),
    "opens network connections": (
        "socket _socket ssl _ssl http httplib urllib urllib2 urllib3 requests aiohttp httpx ftplib telnetlib smtplib poplib "
        "imaplib nntplib xmlrpc socketserver SocketServer paramiko webbrowser websocket websockets pycurl wget boto3 botocore wsgiref "
        "BaseHTTPServer xmlrpclib"
    ),
}
_MODULES = {
    "runs code that it is given": "code trace profile commands cmd sh",
    "reaches the operating system: programs, processes, files": (
        "io _io fileinput linecache zipfile tarfile logging.config platform glob signal resource site fabric invoke sched"
    ),
}
"""modules whose names others use for packages of their own: only the module itself counts, not what lies below one of that name"""
_NAMES = {
    "runs code that it is given": (
        "builtins:exec eval compile execfile apply map filter breakpoint help",
        "functools:reduce",
        "torch.jit:load CompilationUnit",
        "torch.jit._script:CompilationUnit",
        "torch:compile",
        "pandas:eval",
        "pandas.core.computation.eval:eval",
        "weakref:finalize",
    ),
    "makes functions or code objects": (
        "types:FunctionType LambdaType CodeType MethodType ModuleType BuiltinFunctionType FrameType new_class coroutine",
        "new:code function instancemethod module",
    ),
    "reaches any attribute of any object": (
        "builtins:getattr setattr delattr globals locals vars __build_class__ super",
        "operator:attrgetter methodcaller call",
        "_operator:attrgetter methodcaller call",
        "inspect:getattr_static",
    ),
    "imports modules, or loads or installs code": (
        "builtins:__import__ reload __loader__ __spec__",
        "torch:import_ir_module classes ops library",
        "numpy:load fromfile memmap save savez savetxt genfromtxt loadtxt DataSource",
        "torch.library:load",
    ),
    "reads or writes files": (
        "builtins:open file input raw_input",
        "codecs:open",
        "logging:FileHandler basicConfig",
        "distutils.file_util:write_file",
        "torch:save",
        "torch.serialization:save",
        "pandas:read_csv read_json read_html read_sql read_excel",
    ),
    "loads another pickle, or code that is stored as data": (
        "torch:load",
        "torch.serialization:load _load _legacy_load",
        "joblib:load",
        "joblib.numpy_pickle:load",
        "pandas:read_pickle read_hdf",
        "pandas.io.pickle:read_pickle",
        "keras.models:load_model model_from_json",
        "tensorflow.keras.models:load_model",
    ),
    "reaches the operating system: programs, processes, files": (
        "uuid:_get_command_stdout _popen",
        "logging.handlers:SocketHandler DatagramHandler SMTPHandler HTTPHandler RotatingFileHandler TimedRotatingFileHandler",
    ),
}
_REACHED = _words(
    "os sys subprocess builtins __builtins__ __builtin__ importlib shutil socket posix nt pty ctypes runpy pickle marshal eval "
    "exec execfile system popen __import__ __globals__ __subclasses__ __bases__ __mro__ __code__ __reduce__ __reduce_ex__ __dict__ "
    "__getattribute__"
)
"""names through which a harmless module's attributes lead to a dangerous one: `torch.serialization` has an `os`"""

_OTHERS = {
    "functools.partial": "binds arguments to a callable, which stands beside it",
    "operator.itemgetter": "picks an item",
    "_operator.itemgetter": "picks an item",
    "re._compile": "a compiled pattern",
    "io.BytesIO": "bytes in memory",
    "_io.BytesIO": "bytes in memory",
    "_io.StringIO": "text in memory",
    "builtins.type": "tells a value's type, or makes a class",
    "torch.storage._load_from_bytes": "loads the pickle that its bytes hold; those are read, too",
}
_PLAIN_BUILTINS = _words(
    "abs all any ascii bin chr divmod enumerate format hash hex iter len max min next oct ord pow repr reversed round sorted sum "
    "zip callable isinstance issubclass unichr print id dir hasattr memoryview classmethod staticmethod property"
)


# --- plain classes ------------------------------------------------------------------------------------------------

_LIBRARIES = _words(
    "torch torchvision torchaudio torchtext torchmetrics transformers tokenizers datasets accelerate peft diffusers "
    "sentence_transformers lightning pytorch_lightning lightning_fabric lightning_utilities fairseq fairseq2 omegaconf hydra "
    "sklearn xgboost lightgbm catboost numpy scipy pandas joblib deepspeed megatron apex timm mmcv mmengine mmdet detectron2 "
    "espnet espnet2 speechbrain nemo jax flax optax keras tensorflow safetensors esm gensim spacy thinc open_clip fvcore iopath "
    "__torch__ bitsandbytes trl ray"
)
_CLASS = re.compile(r"_{0,3}[A-Z]\w{0,80}", re.ASCII)


def _exact(table: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Lay a table out as full name -> reason."""
    found = {}
    for why, lines in table.items():
        for line in lines:
            module, _, names = line.partition(":")
            found.update({f"{module}.{name}": why for name in names.split()})
    return found


_HARMLESS = _exact(_BUILDERS)
_DANGEROUS = _exact(_NAMES)
_TREES = {module: why for why, modules in _WHOLE.items() for module in modules.split()}
_ALONE = {module: why for why, modules in _MODULES.items() for module in modules.split()}


@lru_cache(maxsize=4096)
def classify(module: str, name: str) -> Verdict:
    """Say what is known of a callable, by the module and the (possibly dotted) name under which a pickle asks for it."""
    module = _OLD_NAMES.get(module, module)
    full = f"{module}.{name}"
    if len(full) > LONGEST:
        return Verdict(Kind.DANGEROUS, "a name longer than any library's")
    if full in _HARMLESS:
        return Verdict(Kind.HARMLESS, _HARMLESS[full])
    if _STORAGE.fullmatch(full) or _NUMPY_KIND.fullmatch(full):
        return Verdict(Kind.HARMLESS, "torch's and numpy's kinds of data")
    if full in _OTHERS:
        return Verdict(Kind.OTHER, _OTHERS[full])
    why = _danger(module, name, full)
    if why:
        return Verdict(Kind.DANGEROUS, why)
    if is_plain_class(module, name):
        return Verdict(Kind.OTHER, "a class of a library for training")
    return Verdict(Kind.OTHER, NOT_KNOWN)


def _danger(module: str, name: str, full: str) -> str:
    """Return why a name is dangerous; empty where it is not known to be."""
    steps = full.split(".")
    for end in range(1, len(steps) + 1):
        part = ".".join(steps[:end])
        if part in _TREES:
            return _TREES[part]
        if part in _DANGEROUS:
            return _DANGEROUS[part]
    if module in _ALONE:
        return _ALONE[module]
    reached = next((step for step in name.split(".") if step in _REACHED), "")
    if reached:
        return f"reaches {reached} through another module's attributes"
    if module == "builtins" and not (name in _PLAIN_BUILTINS or name.endswith(("Error", "Exception", "Warning", "Exit", "Interrupt"))):
        return "a built-in that is no plain value"
    if module in ("pathlib", "pathlib._local") and "." in name:
        return "reads or writes files"
    return ""


def of_library(module: str) -> bool:
    """Tell whether a module bears the name of a library for training."""
    return module.partition(".")[0] in _LIBRARIES


def is_plain_class(module: str, name: str) -> bool:
    """Tell whether this is named like a class of a library for training, and nothing dangerous is known of it."""
    if not of_library(module) or _danger(module, name, f"{module}.{name}"):
        return False
    return _CLASS.fullmatch(name.rpartition(".")[2]) is not None
