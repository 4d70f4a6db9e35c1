import time

import pytest

from heartseg.core.errors import ConfigError
from heartseg.report.phrases import LONGEST, Pattern, Phrases

TABLE = {
    "LV cavity": "полость ЛЖ",
    "4ch": "4-камерная",
    "end-diastole": "конец диастолы",
    "no {structure} in frame {frame:n}": "в кадре {frame} нет: {structure}",
    "no {structure} in frame {frame:n}: look at it": "посмотрите, {structure}, кадр {frame}",
    "{view}: {reason}": "{view} — {reason}",
    "read from {place:raw}": "из {place}",
    "not measured: {views:list}": "не измерено: {views}",
    "from {low:n} to {high:n} {unit}, {unit}": "{low}–{high} {unit}",
    "mL": "мл",
}


def comma(text: str) -> str:
    return text.replace(".", ",")


PHRASES = Phrases(TABLE, comma)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("LV cavity", "полость ЛЖ"),
        ("no LV cavity in frame 3", "в кадре 3 нет: полость ЛЖ"),
        ("no LV cavity in frame 3, 4 and 12", "в кадре 3, 4, 12 нет: полость ЛЖ"),
        ("no LV cavity in frame 3: look at it", "посмотрите, полость ЛЖ, кадр 3"),
        ("4ch: no LV cavity in frame 1.5", "4-камерная — в кадре 1,5 нет: полость ЛЖ"),
        ("read from patient 7 {x}", "из patient 7 {x}"),
        ("not measured: 4ch, LV cavity and end-diastole",
         "не измерено: 4-камерная, полость ЛЖ, конец диастолы"),
        ("from 0.5 to 7 mL, mL", "0,5–7 мл"),
        ("LV cavity; end-diastole", "полость ЛЖ; конец диастолы"),
        ("3 – 4", "3 – 4"),
    ],
)  # fmt: skip
def test_a_sentence_is_said_with_its_numbers_and_names(text: str, said: str) -> None:
    assert PHRASES.translate(text) == said


@pytest.mark.parametrize(
    "text",
    [
        "no aorta in frame 3",  # a name that is not known
        "no LV cavity in frame three",  # no number
        "LV cavity; something else",
        "from 1 to 2 mL, g",  # the same placeholder twice is the same text twice
        "lv cavity",
    ],
)
def test_a_part_that_is_not_known_leaves_the_whole_in_english(text: str) -> None:
    assert PHRASES.translate(text) is None


@pytest.mark.parametrize("said", ["в кадре нет: {structure}", "{structure} {frame} {other}"])
def test_a_translation_that_loses_a_number_is_refused(said: str) -> None:
    with pytest.raises(ConfigError, match="each placeholder"):
        Pattern.of("no {structure} in frame {frame:n}", said)


def test_hostile_texts_take_no_time() -> None:
    begin = time.perf_counter()
    for text in (
        "a: " * (LONGEST // 3),
        "no " * (LONGEST // 3),
        "no x in frame 1, " * 29,
        "x" * 9999,
    ):
        assert PHRASES.translate(text) is None
    assert time.perf_counter() - begin < 1.0
