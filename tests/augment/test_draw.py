"""Random numbers for a batch."""

import pytest

torch = pytest.importorskip("torch")
from heartseg.augment.draw import smooth_field  # noqa: E402


def test_a_field_is_bicubic_between_its_knots_as_torch_interpolates():
    field = smooth_field((2, 3, 17, 23), 5, torch.Generator().manual_seed(4))
    knots = torch.randn((2, 3, 5, 5), generator=torch.Generator().manual_seed(4))
    expected = torch.nn.functional.interpolate(knots, (17, 23), mode="bicubic", align_corners=True)
    torch.testing.assert_close(field, expected, atol=1e-5, rtol=0)
    assert field.is_contiguous()
