"""Images come back later, by chance that a generator repeats."""

import pytest

torch = pytest.importorskip("torch")
from heartseg.train.history import History  # noqa: E402


def numbered(*numbers: int) -> "torch.Tensor":
    return torch.tensor(numbers, dtype=torch.float32).view(-1, 1, 1, 1)


def test_new_images_pass_until_it_is_full_then_every_other_one_is_old():
    history, generator = History(4), torch.Generator().manual_seed(1)
    assert history.exchange(numbered(0, 1, 2, 3), generator).flatten().tolist() == [0, 1, 2, 3]
    shown = [history.exchange(numbered(number), generator).item() for number in range(4, 2004)]
    old = [out for number, out in enumerate(shown, start=4) if out != number]
    assert len(old) == pytest.approx(1000, abs=90)
    assert len(set(shown)) == len(shown)  # what was shown again is gone: none comes twice


def test_none_is_kept_where_none_is_wanted():
    history = History(0)
    made = numbered(1, 2)
    assert history.exchange(made, torch.Generator()) is made
    assert history.state() == {"images": []}


def test_a_restored_one_goes_on_alike():
    one, first = History(3), torch.Generator().manual_seed(5)
    for number in range(10):
        one.exchange(numbered(number), first)
    other, second = History(3), torch.Generator()
    other.restore(one.state(), torch.device("cpu"))
    second.set_state(first.get_state())
    for number in range(10, 30):
        wanted = one.exchange(numbered(number), first)
        assert torch.equal(wanted, other.exchange(numbered(number), second))
