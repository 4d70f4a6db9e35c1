"""The wire format, by hand: bytes from the encoding guide."""

import pytest

from heartseg.core.errors import ModelError
from heartseg.segment.wire import fields, integers, messages, text


def test_numbers_strings_and_fixed_values_are_told_apart() -> None:
    message = memoryview(
        b"\x08\x96\x01" + b"\x12\x02hi" + b"\x1d\x00\x00\x80\x3f" + b"\x21" + b"7" * 8
    )
    found = fields(message)
    assert integers(found, 1) == [150]
    assert text(found, 2) == "hi"
    assert bytes(found[3][0]) == b"\x00\x00\x80\x3f"
    assert bytes(found[4][0]) == b"7" * 8


def test_repeated_numbers_may_be_packed_or_not() -> None:
    assert integers(fields(memoryview(b"\x08\x03\x08\x8e\x02")), 1) == [3, 270]
    assert integers(fields(memoryview(b"\x0a\x03\x03\x8e\x02")), 1) == [3, 270]


def test_ten_bytes_of_minus_one_are_minus_one() -> None:
    assert integers(fields(memoryview(b"\x08" + b"\xff" * 9 + b"\x01")), 1) == [-1]


@pytest.mark.parametrize(
    "broken",
    [
        b"\x08",  # a tag and nothing
        b"\x08" + b"\xff" * 11,  # a number without an end
        b"\x12\x05hi",  # longer than the file
        b"\x1d\x00\x00",  # half a fixed value
        b"\x0b\x0c",  # a group
    ],
)
def test_broken_bytes_are_refused(broken: bytes) -> None:
    with pytest.raises(ModelError, match=r"model\.onnx"):
        fields(memoryview(broken))


def test_a_name_said_twice_is_refused() -> None:
    with pytest.raises(ModelError, match="twice"):
        text(fields(memoryview(b"\x12\x01a\x12\x01b")), 2)


def test_a_number_is_no_message() -> None:
    with pytest.raises(ModelError, match="in the place of a message"):
        messages(fields(memoryview(b"\x38\x01")), 7)
