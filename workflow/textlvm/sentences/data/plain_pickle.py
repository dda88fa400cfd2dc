"""Load pickles that contain only containers, texts and numbers.

A pickle is a program for a stack machine that may call any function. The unpickler here implements only the
instructions that build dicts, lists, tuples, texts, bytes, numbers, true, false and none. It is based on
Python's implementation in Python, because the one in C allocates a memo of any size that a pickle requests,
and its instructions cannot be restricted.
"""

import io
import pickle
import pickletools
import struct
from collections.abc import Callable
from typing import Any, NoReturn

__all__ = ["LARGEST", "NotPlain", "load"]

LARGEST = 1 << 28  # bytes of a pickle
# A container or an entry of the memo takes a hundred bytes of memory and one byte in a pickle.
MOST_BUILT = 10_000_000
DEEPEST = 100  # nested marks, which nested containers are built with

# Names of instructions. Those that load a function or a class are included for the error message.
BUILDING = """
EMPTY_LIST EMPTY_DICT EMPTY_TUPLE LIST DICT TUPLE TUPLE1 TUPLE2 TUPLE3 MARK PUT BINPUT LONG_BINPUT MEMOIZE
"""
OTHERS = """
NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING
SHORT_BINSTRING UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8 SHORT_BINBYTES BINBYTES BINBYTES8 APPEND
APPENDS SETITEM SETITEMS PROTO FRAME STOP POP POP_MARK DUP GET BINGET LONG_BINGET GLOBAL STACK_GLOBAL INST
"""
# Positions of the keys on the stack, for instructions that fill a dict.
KEYS = {"SETITEM": slice(-2, -1), "SETITEMS": slice(0, None, 2), "DICT": slice(0, None, 2)}
# Exceptions of the unpickler for bytes that are not a pickle.
DAMAGE = (
    *(pickle.UnpicklingError, EOFError, AttributeError, LookupError, MemoryError, ArithmeticError),
    *(RecursionError, TypeError, ValueError, struct.error),
)

Instruction = Callable[[Any], None]


class NotPlain(Exception):
    """Raised for bytes that are not a pickle of containers, texts and numbers; the message is a clause."""


def load(data: bytes) -> Any:
    """Load a pickle. Texts written by Python 2 are returned as bytes, because their encoding is unknown.

    Raises `NotPlain` for anything other than containers, texts and numbers, and for keys that are containers.
    """
    if len(data) > LARGEST:
        raise NotPlain(f"it has more than {LARGEST:,} bytes")
    try:
        return _Unpickler(io.BytesIO(data), encoding="bytes").load()
    except DAMAGE as error:
        raise NotPlain(" ".join(str(error).split())[:200] or type(error).__name__) from error


class _Instructions(dict[int, Instruction]):
    def __missing__(self, code: int) -> NoReturn:
        names = {ord(known.code): known.name for known in pickletools.opcodes}
        raise pickle.UnpicklingError(f"it has the instruction {names.get(code, code)}")


class _Unpickler(pickle._Unpickler):  # type: ignore[name-defined,misc]
    dispatch = _Instructions()
    built = 0

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def _counted(build: Instruction) -> Instruction:
    """Limit the number of objects and the nesting depth that an instruction may reach."""

    def instruction(machine: Any) -> None:
        machine.built += 1
        if machine.built > MOST_BUILT:
            raise pickle.UnpicklingError(f"it builds more than {MOST_BUILT:,} things")
        if len(machine.metastack) > DEEPEST:
            raise pickle.UnpicklingError(f"it nests more than {DEEPEST} containers")
        build(machine)

    return instruction


def _keyed(fill: Instruction, keys: slice) -> Instruction:
    """Reject containers as keys in an instruction that fills a dict: deep ones cannot be hashed."""

    def instruction(machine: Any) -> None:
        if any(isinstance(key, tuple) for key in machine.stack[keys]):
            raise pickle.UnpicklingError("it has a key that is a container")
        fill(machine)

    return instruction


for _name in (BUILDING + OTHERS).split():
    _code = getattr(pickle, _name)[0]
    _run = pickle._Unpickler.dispatch[_code]  # type: ignore[attr-defined]
    _run = _counted(_run) if _name in BUILDING.split() else _run
    _Unpickler.dispatch[_code] = _keyed(_run, KEYS[_name]) if _name in KEYS else _run
