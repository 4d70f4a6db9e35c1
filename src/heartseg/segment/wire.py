"""The few rules of the protocol-buffers wire format that reading an ONNX file takes.

A message is a row of fields: a varint holds number and kind, the value follows. Encoding guide:
https://protobuf.dev/programming-guides/encoding/. Nothing is copied: values are views.
"""

from collections.abc import Iterator

from heartseg.core.errors import ModelError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED_SIZE = {FIXED64: 8, FIXED32: 4}
_LONGEST_VARINT = 10

Value = int | memoryview
Fields = dict[int, list[Value]]


def fields(message: memoryview) -> Fields:
    """All fields of a message by number, in order: integers, or views of bytes.

    Raises:
        ModelError: the bytes are no message.
    """
    found: Fields = {}
    for number, value in _walk(message):
        found.setdefault(number, []).append(value)
    return found


def messages(found: Fields, *numbers: int) -> list[memoryview]:
    """The embedded messages, or strings, under these numbers.

    Raises:
        ModelError: a number stands there instead.
    """
    values = [value for number in numbers for value in found.get(number, [])]
    return [value for value in values if _is_view(value)]  # type: ignore[misc]


def text(found: Fields, number: int) -> str:
    """The one string under a number, "" when absent.

    Raises:
        ModelError: it stands there twice (readers differ in which they believe), or is no text.
    """
    strings = messages(found, number)
    if len(strings) > 1:
        raise _broken(f"field {number} twice")
    try:
        return bytes(strings[0]).decode("utf-8") if strings else ""
    except UnicodeDecodeError as fault:
        raise _broken("a name that is no UTF-8 text") from fault


def integers(found: Fields, number: int) -> list[int]:
    """The whole numbers under a number, whether packed or one by one; as signed 64-bit."""
    out: list[int] = []
    for value in found.get(number, []):
        out.extend([value] if isinstance(value, int) else _packed(value))
    return [value - 2**64 if value >= 2**63 else value for value in out]


def _is_view(value: Value) -> bool:
    if isinstance(value, int):
        raise _broken("a number in the place of a message")
    return True


def _packed(values: memoryview) -> Iterator[int]:
    at = 0
    while at < len(values):
        value, at = _varint(values, at)
        yield value


def _walk(message: memoryview) -> Iterator[tuple[int, Value]]:
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == VARINT:
            value, at = _varint(message, at)
            yield tag >> 3, value
            continue
        if kind == BYTES:
            size, at = _varint(message, at)
        elif kind in _FIXED_SIZE:
            size = _FIXED_SIZE[kind]
        else:
            raise _broken(f"wire type {kind}")
        if size > len(message) - at:
            raise _broken("a field longer than the file")
        yield tag >> 3, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for count, byte in enumerate(message[at : at + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value & (2**64 - 1), at + count + 1
    raise _broken("a number without an end")


def _broken(got: str) -> ModelError:
    return ModelError(
        "model.onnx", got=got, allowed="a whole ONNX file", do="fetch or export the bundle again"
    )
