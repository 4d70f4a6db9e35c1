"""What a name says of a file that no data set describes."""

import pytest

from heartseg.core.study import Modality, View
from heartseg.read.plain import modality_in, says_ct


@pytest.mark.parametrize(
    ("stem", "ct"),
    [
        ("phantom-0003_sax_ct", True),
        ("CT 12", True),
        ("heart.ct.late", True),
        ("octopus", False),
        ("direct_sax", False),
        ("ct12", False),
        ("", False),
    ],
)
def test_ct_is_a_word_of_the_name(stem: str, ct: bool) -> None:
    assert says_ct(stem) == ct


def test_the_name_counts_more_than_the_view() -> None:
    assert modality_in("p1_sax_ct", View.SAX) is Modality.CT
    assert modality_in("p1_sax", View.SAX) is Modality.MR
    assert modality_in("p1_late", View.LATE_ENHANCEMENT) is Modality.MR
    assert modality_in("p1", View.VOLUME) is Modality.OTHER
    assert modality_in("p1_ct", View.VOLUME) is Modality.CT
