import pytest

from heartseg.report.lettering import Lettering
from heartseg.report.setting import Style, Text, lines_of

STYLE = Style(8.0, "#000000")


@pytest.fixture(scope="module")
def lettering() -> Lettering:
    return Lettering()


@pytest.mark.parametrize("width", [30.0, 55.0, 90.0, 400.0])
@pytest.mark.parametrize(
    "text",
    [
        "the myocardium rings the RV, not the LV: swapped labels?",
        "миокард окружает ПЖ, а не ЛЖ: перепутаны метки?",
        "舒张末期容积可能偏低：电影序列覆盖的心动周期不足 95%。",
        "0f" * 64,
        "a-very/long–name" * 6,
    ],
)
def test_lines_fit_and_nothing_is_lost(text: str, width: float, lettering: Lettering) -> None:
    lines = lines_of(text, width, STYLE, lettering)
    assert all(lettering.width(line, STYLE.size) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert len(lines) <= 3 + 2.5 * lettering.width(text, STYLE.size) / width


def test_chinese_breaks_between_signs_but_not_before_a_closing_one(lettering: Lettering) -> None:
    text = "左心室，右心室，左心房，右心房（主动脉）。" * 3
    for width in range(40, 100, 7):
        for line in lines_of(text, float(width), STYLE, lettering):
            assert line[0] not in "，。）"
            assert line[-1] != "（"


def test_words_are_not_cut(lettering: Lettering) -> None:
    words = ["cavity", "and", "trabeculae", "count"]
    for line in lines_of(" ".join(words), 50.0, STYLE, lettering):
        assert set(line.split()) <= set(words)


def test_an_option_is_not_cut(lettering: Lettering) -> None:
    for width in range(60, 120, 6):
        lines = lines_of("pass its size with --spacing-mm", float(width), STYLE, lettering)
        assert any("--spacing-mm" in line for line in lines)


def test_a_paragraph_goes_on_on_the_next_page(lettering: Lettering) -> None:
    text = Text("one two three four five six seven eight nine ten", STYLE, lettering)
    _, high = text.wrap(60.0, 1000.0)
    first, rest = text.split(60.0, high - STYLE.leading)
    assert first.text + " " + rest.text == text.text
    assert first.wrap(60.0, 1000.0)[1] + rest.wrap(60.0, 1000.0)[1] == pytest.approx(high)


def test_a_letter_is_as_wide_as_the_font_says(lettering: Lettering) -> None:
    from reportlab.pdfbase.pdfmetrics import stringWidth

    assert lettering.width("Масса", 10.0) == pytest.approx(
        stringWidth("Масса", "DejaVuSansCondensed", 10.0)
    )
    assert lettering.width("心", 10.0) == pytest.approx(10.0)
    assert lettering.width("Масса", 10.0, bold=True) > lettering.width("Масса", 10.0)
