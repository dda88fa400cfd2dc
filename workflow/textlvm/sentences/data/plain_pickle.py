"""Pickles of nothing but containers, texts and numbers.

A pickle is a program for a small machine, which may call any function. Here the machine lacks all but the
instructions that build dicts, lists, tuples, texts, bytes, numbers, true, false and none: what it cannot do
needs no filter. It is Python's own in Python; the faster one in C makes room for a memo of any size that a
pickle names, and has its instructions fixed.
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
DEEPEST = 100  # marks in marks, which containers in containers are built with

VALUES = (
    *(pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE),
    *(pickle.INT, pickle.BININT, pickle.BININT1, pickle.BININT2),
    *(pickle.LONG, pickle.LONG1, pickle.LONG4, pickle.FLOAT, pickle.BINFLOAT),
    *(pickle.STRING, pickle.BINSTRING, pickle.SHORT_BINSTRING, pickle.UNICODE, pickle.SHORT_BINUNICODE),
    *(pickle.BINUNICODE, pickle.BINUNICODE8, pickle.SHORT_BINBYTES, pickle.BINBYTES, pickle.BINBYTES8),
)
BUILDING = (
    *(pickle.EMPTY_LIST, pickle.EMPTY_DICT, pickle.EMPTY_TUPLE, pickle.LIST, pickle.DICT, pickle.TUPLE),
    *(pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3, pickle.MARK),
    *(pickle.PUT, pickle.BINPUT, pickle.LONG_BINPUT, pickle.MEMOIZE),
)
FILLING = (pickle.APPEND, pickle.APPENDS, pickle.SETITEM, pickle.SETITEMS)
# Of those that fill a dict: where its keys lie on the stack.
KEYS = {pickle.SETITEM: slice(-2, -1), pickle.SETITEMS: slice(0, None, 2), pickle.DICT: slice(0, None, 2)}
MOVING = (
    *(pickle.PROTO, pickle.FRAME, pickle.STOP, pickle.POP, pickle.POP_MARK, pickle.DUP),
    *(pickle.GET, pickle.BINGET, pickle.LONG_BINGET),
)
# These ask for a function or a class; they are here to say for which.
ASKING = (pickle.GLOBAL, pickle.STACK_GLOBAL, pickle.INST)
# What the machine raises for bytes that are no pickle.
DAMAGE = (
    *(pickle.UnpicklingError, EOFError, AttributeError, LookupError, MemoryError, ArithmeticError),
    *(RecursionError, TypeError, ValueError, struct.error),
)

Instruction = Callable[[Any], None]


class NotPlain(Exception):
    """Why bytes are no pickle of containers, texts and numbers, as a clause."""


def load(data: bytes) -> Any:
    """Load a pickle. Texts that Python 2 wrote come as bytes: their encoding is not recorded.

    Raises `NotPlain` for anything else than containers, texts and numbers, and for keys that are containers.
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
    """An instruction that takes memory, within bounds."""

    def instruction(machine: Any) -> None:
        machine.built += 1
        if machine.built > MOST_BUILT:
            raise pickle.UnpicklingError(f"it builds more than {MOST_BUILT:,} things")
        if len(machine.metastack) > DEEPEST:
            raise pickle.UnpicklingError(f"it nests more than {DEEPEST} containers")
        build(machine)

    return instruction


def _keyed(fill: Instruction, keys: slice) -> Instruction:
    """An instruction that fills a dict, with keys that are no containers: deep ones cannot be hashed."""

    def instruction(machine: Any) -> None:
        if any(isinstance(key, tuple) for key in machine.stack[keys]):
            raise pickle.UnpicklingError("it has a key that is a container")
        fill(machine)

    return instruction


_OWN: dict[int, Instruction] = pickle._Unpickler.dispatch  # type: ignore[attr-defined]
for _code in (*VALUES, *FILLING, *MOVING, *ASKING):
    _Unpickler.dispatch[_code[0]] = _OWN[_code[0]]
for _code in BUILDING:
    _Unpickler.dispatch[_code[0]] = _counted(_OWN[_code[0]])
for _code, _keys in KEYS.items():
    _Unpickler.dispatch[_code[0]] = _keyed(_Unpickler.dispatch[_code[0]], _keys)
