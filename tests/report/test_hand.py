from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from heartseg.report.hand import IN_ENGLISH, Hand, hand_of
from heartseg.report.language import language
from heartseg.report.lettering import HAN, REGULAR


def written(hand: Hand, text: str) -> np.ndarray:
    picture = Image.new("L", (160, 30), 255)
    hand.write(ImageDraw.Draw(picture), (2, 2), text, (20, 0, 0.0))
    return np.asarray(picture)


def test_each_letter_is_drawn_by_the_font_that_has_it() -> None:
    hand = hand_of(language("zh"), None)
    assert [(face.name, run) for face, run in hand._runs("12 心底 x")] == [
        (REGULAR.name, "12 "),
        (HAN.name, "心底"),
        (REGULAR.name, " x"),
    ]
    assert (written(hand, "心") < 128).sum() > 20


def test_english_is_drawn_as_ever() -> None:
    assert hand_of(language("en"), None) is IN_ENGLISH


def test_a_text_is_as_long_as_what_is_drawn() -> None:
    hand = hand_of(language("ru"), None)
    columns = np.flatnonzero((written(hand, "верхушка 12") < 128).any(axis=0))
    assert columns.max() == pytest.approx(2 + hand.length("верхушка 12", 20), abs=5)
    assert hand.fitting("верхушка", 24, 48) < 24
    assert hand.length("верхушка", hand.fitting("верхушка", 24, 48)) <= 48


def test_what_no_font_draws_is_said_in_english(tmp_path: Path) -> None:
    file = tmp_path / "ko.toml"
    file.write_text("code = 'ko'\n[sentences]\nframe = '프레임'\nbase = 'Basis'\n", "utf-8")
    hand = hand_of(language(str(file)), None)
    assert hand.say("frame") == "frame"
    assert hand.say("base") == "Basis"
