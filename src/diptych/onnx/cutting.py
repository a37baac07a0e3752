"""An ONNX file without an output, and without the nodes and weights that led to it alone.

ONNX Runtime computes what no output needs, too, also where fewer outputs are asked for than there are; a shortlist
would save nothing.
See onnx.proto: a model's field 7 is its graph, whose fields 1, 5 and 12 are nodes, weights and outputs.
"""

from __future__ import annotations

from collections.abc import Iterator

from diptych.onnx.message import Message

GRAPH, NODE, WEIGHT, OUTPUT = 7, 1, 5, 12
LENGTH = 2  # the kind of a field that says how long it is
NAME, NODE_INPUT, NODE_OUTPUT, WEIGHT_NAME = 1, 1, 2, 8


def without(model: bytes, output: str) -> bytes:
    """The model (an ONNX file's bytes) without one of its outputs.

    Args:
        model: a file that Diptych wrote: it is not checked, and no node has a graph inside.
        output: a name.
    """
    cut = Message()
    for number, content in fields(model):
        _add(
            cut, number, _graph_without(content, output) if number == GRAPH and isinstance(content, bytes) else content
        )
    return b"".join(cut.pieces())


def _graph_without(graph: bytes, output: str) -> bytes:
    entries = list(fields(graph))
    outputs = [name for number, content in entries if number == OUTPUT for name in _names(content, NAME)]
    needed = set(outputs) - {output}
    kept: list[tuple[int, bytes | int]] = []
    for number, content in reversed(entries):  # a node stands behind those whose outputs it takes
        if number == OUTPUT and output in _names(content, NAME):
            continue
        if number == NODE:
            if not needed.intersection(_names(content, NODE_OUTPUT)):
                continue
            needed.update(_names(content, NODE_INPUT))
        kept.append((number, content))
    cut = Message()
    for number, content in reversed(kept):
        if number != WEIGHT or needed.intersection(_names(content, WEIGHT_NAME)):
            _add(cut, number, content)
    return b"".join(cut.pieces())


def fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Each field's number and value: a whole number, or what it holds."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        value, at = _varint(message, at)
        if key & 7 == LENGTH:
            yield key >> 3, message[at : at + value]
            at += value
        else:
            yield key >> 3, value


def _names(message: bytes | int, field: int) -> list[str]:
    found = fields(message) if isinstance(message, bytes) else ()
    return [content.decode() for number, content in found if number == field and isinstance(content, bytes)]


def _add(message: Message, number: int, value: bytes | int) -> None:
    if isinstance(value, bytes):
        message.data(number, value)
    else:
        message.integer(number, value)


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
