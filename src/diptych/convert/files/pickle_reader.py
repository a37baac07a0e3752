"""A pickle read as data: its opcodes are interpreted here, and nothing that it names is imported, made or called.

Only what PyTorch's state dicts need has a meaning: plain values, OrderedDict, and tensors rebuilt from storages. Any
other name is refused, with the name; so are the opcodes that make objects. `pickletools` takes the bytes apart.
"""

from __future__ import annotations

import io
import pickletools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from diptych.convert.files import limits
from diptych.convert.files.printable import shown
from diptych.errors import RefusalError

OPCODES = 600_000
LONGEST_LINE = 1 << 16
LARGEST_KEY = 1 << 31  # larger numbers could be chosen to have one hash

REBUILD = ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor")
PARAMETER = ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state")
ORDERED = "collections.OrderedDict"
STORAGES = {
    "FloatStorage": "float32", "DoubleStorage": "float64", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8",
    "ByteStorage": "uint8", "BoolStorage": "bool", "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128", "UntypedStorage": "uint8",
}  # fmt: skip
# Types that stand for themselves, as values: torch.float32 and so on.
DTYPES = {"float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool", "complex64"}
ALLOWED = {
    *REBUILD, *PARAMETER, ORDERED, "torch.Size", "torch.device", "_codecs.encode", "builtins.set", "__builtin__.set",
    "builtins.bytes", "__builtin__.bytes",
    "torch.storage.UntypedStorage", *(f"torch.{name}" for name in (*STORAGES, *DTYPES)),
}  # fmt: skip


@dataclass(frozen=True)
class Name:
    """A class or function that the pickle names; it is not looked up."""

    path: str


@dataclass(frozen=True, eq=False)
class Storage:
    """Numbers that lie outside the pickle.

    Attributes:
        key: their name there.
        dtype: their type.
        count: how many there are.
    """

    key: str
    dtype: str
    count: int


@dataclass(frozen=True, eq=False)
class StoredTensor:
    """A view of a storage: `shape` numbers from `offset`, `strides` apart, both counted in numbers."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class BoundedFile:
    """A file of which no more than `limit` bytes can be read, and no line without end."""

    def __init__(self, path: Path, file: BinaryIO, limit: int = limits.HEADER) -> None:
        self._path, self._file, self._left = path, file, limit

    def read(self, count: int) -> bytes:
        if count > self._left:
            raise RefusalError(f"{self._path}: its pickle claims {count:,} bytes in one piece; it is damaged")
        self._left -= count
        return self._file.read(count)

    def readline(self) -> bytes:
        line = self._file.readline(min(LONGEST_LINE, self._left))
        self._left -= len(line)
        return line

    def tell(self) -> int:
        return self._file.tell()


def read_pickle(path: Path, file: BinaryIO | bytes) -> Any:
    """The value of one pickle; a file is left where the pickle ends.

    Returns:
        Plain values, dicts, lists and tuples of them, `StoredTensor`s, `Storage`s and `Name`s of types. Lists and dicts
        may hold themselves: go through them with a set of those seen.

    Raises:
        RefusalError: it is damaged, too long, or would run something.
    """
    source = BoundedFile(path, io.BytesIO(file) if isinstance(file, bytes) else file)
    machine = _Machine(path)
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(source)):  # type: ignore[arg-type]
            if count > OPCODES:
                raise RefusalError(f"{path}: its pickle has more than {OPCODES:,} operations; no state dict has")
            machine.step(opcode.name, argument)
        return machine.pop()
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, UnicodeError, AttributeError) as error:
        raise RefusalError(f"{path}: its pickle is damaged: {shown(str(error))}") from error


MARK = object()
# Opcodes that push their own argument, and those that push one fixed value.
PLAIN = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING",
    "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES",
    "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip
FIXED = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": (), "MARK": MARK}
EMPTY = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_SET": list}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class _Machine:
    """A pickle's stack and memo."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def pop(self) -> Any:
        value = self._stack.pop()
        if value is MARK:
            raise ValueError("a mark where a value was expected")
        return value

    def _pop_to_mark(self) -> list[Any]:
        at = len(self._stack) - 1
        while at >= 0 and self._stack[at] is not MARK:
            at -= 1
        if at < 0:
            raise ValueError("no mark")
        found = self._stack[at + 1 :]
        del self._stack[at:]
        return found

    def step(self, name: str, argument: Any) -> None:
        """One operation."""
        if name in PLAIN:
            self._stack.append(argument)
        elif name in FIXED:
            self._stack.append(FIXED[name])
        elif name in EMPTY:
            self._stack.append(EMPTY[name]())
        elif name in TUPLES:
            self._stack.append(tuple(reversed([self.pop() for _ in range(TUPLES[name])])))
        elif name in ("PROTO", "FRAME", "STOP"):
            pass
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self._memo[int(argument)] = self._top()
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = self._top()
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            self._stack.append(self._memo[int(argument)])
        else:
            self._build(name, argument)

    def _build(self, name: str, argument: Any) -> None:
        """An operation that puts values together."""
        if name in ("TUPLE", "LIST"):
            found = self._pop_to_mark()
            self._stack.append(tuple(found) if name == "TUPLE" else found)
        elif name == "DICT":
            self._stack.append(self._fill({}, self._pop_to_mark()))
        elif name in ("APPEND", "APPENDS", "ADDITEMS"):
            added = [self.pop()] if name == "APPEND" else self._pop_to_mark()
            self._top(list).extend(added)
        elif name in ("SETITEM", "SETITEMS"):
            added = [self.pop(), self.pop()][::-1] if name == "SETITEM" else self._pop_to_mark()
            self._fill(self._top(dict), added)
        elif name == "POP":
            self._stack.pop()
        elif name == "POP_MARK":
            self._pop_to_mark()
        elif name == "DUP":
            self._stack.append(self._top())
        elif name == "GLOBAL":
            self._stack.append(self._allowed(str(argument).replace(" ", ".", 1)))
        elif name == "STACK_GLOBAL":
            last, first = self.pop(), self.pop()
            self._stack.append(self._allowed(f"{first}.{last}"))
        elif name == "BINPERSID":
            self._stack.append(self._storage(self.pop()))
        elif name == "REDUCE":
            arguments, function = self.pop(), self.pop()
            self._stack.append(self._made(function, arguments))
        elif name == "BUILD":
            self.pop()  # a state dict's _metadata, a parameter's hooks: nothing of the weights
            self._top(dict, StoredTensor)
        else:
            raise RefusalError(
                f"{self._path}: its pickle makes an object by {name} of {shown(self._stack[-2:])}, which only running "
                f"its program could do; save model.state_dict() instead"
            )

    def _top(self, *kinds: type) -> Any:
        value = self._stack[-1]
        if value is MARK or (kinds and not isinstance(value, kinds)):
            raise ValueError(f"a {type(value).__name__} where a {' or '.join(k.__name__ for k in kinds)} was expected")
        return value

    def _fill(self, target: dict[Any, Any], items: list[Any]) -> dict[Any, Any]:
        if len(items) % 2:
            raise ValueError("a key without a value")
        for key, value in zip(items[::2], items[1::2]):
            if not (key is None or isinstance(key, str) or (isinstance(key, int) and abs(key) < LARGEST_KEY)):
                raise ValueError(f"the key {shown(key)}, expected a name or a number")
            target[key] = value
        return target

    def _allowed(self, path: str) -> Name:
        if path not in ALLOWED:
            raise RefusalError(
                f"{self._path}: its pickle names {shown(path)}, which only running a program restores; nothing of a "
                f"file is run here: load it where its program is trusted and save model.state_dict()"
            )
        return Name(path)

    def _storage(self, value: Any) -> Storage:
        """What stands in the pickle for numbers outside: ("storage", TYPE, KEY, place, COUNT)."""
        if not isinstance(value, tuple) or len(value) < 5 or value[0] != "storage":
            raise ValueError(f"a reference {shown(value)}, expected a storage")
        kind, key, count = value[1], value[2], value[4]
        dtype = STORAGES.get(kind.path.rpartition(".")[2]) if isinstance(kind, Name) else None
        if dtype is None or not isinstance(key, str) or type(count) is not int or not 0 <= count < limits.AXIS:
            raise ValueError(f"a storage {shown(value)}")
        return Storage(key, dtype, count)

    def _made(self, function: Any, arguments: Any) -> Any:
        """What a call to one of the allowed functions would give."""
        path = function.path if isinstance(function, Name) else shown(function)
        if not isinstance(arguments, tuple):
            raise ValueError(f"{path} is called with {shown(arguments)}")
        if path in REBUILD:
            return self._tensor(*arguments[:4])
        if path in PARAMETER and arguments and isinstance(arguments[0], StoredTensor):
            return arguments[0]
        if path == ORDERED and len(arguments) <= 1:
            pairs = [tuple(pair) for pair in arguments[0]] if arguments else []
            return self._fill({}, [item for pair in pairs for item in pair])
        if path in ("torch.Size", "builtins.set", "__builtin__.set") and len(arguments) == 1:
            return tuple(arguments[0])
        if path == "torch.device" and all(isinstance(each, str | int) for each in arguments):
            return ":".join(map(str, arguments))
        if path in ("builtins.bytes", "__builtin__.bytes") and not arguments:
            return b""
        if path == "_codecs.encode" and len(arguments) == 2 and arguments[1] == "latin1":
            return str(arguments[0]).encode("latin1")
        raise ValueError(f"{path} is called with {shown(arguments)}")

    def _tensor(self, storage: Any, offset: Any, shape: Any, strides: Any) -> StoredTensor:
        numbers = (offset, *shape, *strides)
        if not isinstance(storage, Storage) or not all(type(n) is int and 0 <= n < limits.AXIS for n in numbers):
            raise ValueError(f"a tensor of {shown((storage, offset, shape, strides))}")
        if len(shape) != len(strides) or len(shape) > limits.RANK:
            raise ValueError(f"a tensor of shape {shown(shape)} and strides {shown(strides)}")
        return StoredTensor(storage, offset, shape=tuple(shape), strides=tuple(strides))
