"""What heartseg may print is there in every shipped language."""

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from heartseg.api import measure_study
from heartseg.choice import Models
from heartseg.core.anatomy import Structure
from heartseg.core.errors import ConfigError
from heartseg.core.finding import Finding
from heartseg.core.image import Segmentation
from heartseg.core.study import View
from heartseg.given import GivenLabels
from heartseg.measure.doubts import NO_HEART
from heartseg.measure.measures import LONG_AXIS, LONGITUDINAL, RINGS, STACK
from heartseg.measure.table import Measure
from heartseg.pipeline import Settings, examine
from heartseg.read import find_studies, read_study
from heartseg.report import words
from heartseg.report.language import English, language, shipped
from heartseg.report.lettering import Lettering
from heartseg.report.page import page
from heartseg.segment.locate import NOT_FOUND

SOURCE = Path(__file__).parents[2] / "src" / "heartseg"
OTHERS = [name for name in shipped() if name != "en"]

SAYING = (
    *("aha", "apical", "apical_motion", "apical_strain", "apical_volumes", "apical_walls", "body"),
    *("choices", "contours", "conventions", "echo", "echo_quality", "echo_words", "endocardium"),
    *("function", "heart", "long_axis", "number", "phases", "plausibility", "ranges", "rates"),
    *("anatomy_traits", "confidence", "image_traits", "likeness"),
    *("short_axis_strain", "simpson", "stack", "study", "ventricles", "wall_strain"),
)
"""Modules of `measure` whose sentences stand on the page."""

PIECES = {
    "{} and {}", "{} to {}",  # joined into others
    "{} {} {} is outside {} to {} {}",  # `please check it` follows
    "{}: please check it",
    *(" and ", "Du Bois"),
    *("at frame {}{}", "{} frame with a contour", "{} frames with a contour"),
    *("{}: a peak takes a loop of at least {}", ", {} end-systole"),
    *("{} frame after", "{} frames after"),
    *("{} frame before", "{} frames before"),
    *("{}: no motion ({}).", "{}: no motion (the image has no spacing).", "{}: {}."),
    "{} at end-diastole and end-systole",
}  # fmt: skip


def holes(key: str) -> str:
    return re.sub(r"\{[a-z_]+(:\w+)?\}", "{}", key)


def written(node: ast.AST) -> list[str]:
    """What a string of the source can be, `{}` where something is put in."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    parts = []
    for part in node.values:
        chosen = part.value if isinstance(part, ast.FormattedValue) else None
        if isinstance(chosen, ast.IfExp) and isinstance(chosen.body, ast.Constant):
            parts.append([chosen.body.value, chosen.orelse.value])
        else:
            parts.append([part.value] if isinstance(part, ast.Constant) else ["{}"])
    return ["".join(one) for one in product(*parts)]


def sentences(file: Path) -> Iterator[str]:
    """Texts of more than one word, without docstrings and what errors say to programmers."""
    tree = ast.parse(file.read_text("utf-8"))
    left_out = set()
    for node in ast.walk(tree):
        documented = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        fault = isinstance(node, ast.Call) and any(key.arg == "got" for key in node.keywords)
        inside = isinstance(node, ast.JoinedStr)
        if documented or fault or inside:
            left_out |= {id(one) for one in ast.walk(node)} - ({id(node)} if inside else set())
    for node in ast.walk(tree):
        plain = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if (plain or isinstance(node, ast.JoinedStr)) and id(node) not in left_out:
            for text in written(node):
                if " " in text.strip() and re.search("[a-z]{2}", text):
                    yield text


@pytest.fixture(scope="module", params=OTHERS)
def spoken(request: pytest.FixtureRequest):
    return language(request.param)


def known(spoken) -> set[str]:
    return {holes(key) for key in spoken.phrases._table}


def test_every_sentence_of_the_measures_is_translated(spoken) -> None:
    found = {text for name in SAYING for text in sentences(SOURCE / "measure" / f"{name}.py")}
    assert len(found) > 100
    here = known(spoken)
    lost = {
        text
        for text in found - PIECES
        if text not in here and isinstance(spoken.say(text), English)
    }
    assert lost == set()


def _of(key: str, measure: Measure) -> Iterator[Finding]:
    """Findings with the names and units that a line of the table of measures makes."""
    places = [("4ch", "4-chamber"), ("2ch", "2-chamber"), ("3ch", "3-chamber")]
    for short, name in [(str(n), str(n)) for n in (1, 2)] if "{beat}" in key else places:
        place = "beat" if "{beat}" in key else "view"
        known = f"{{{place}}}"
        yield Finding(
            key=key.replace(known, short),
            name=measure.name.replace(known, name),
            value=1.0,
            unit=measure.kind.unit,
        )
        if known not in key:
            break
    if measure.indexed is not None:
        name, unit, _ = measure.per_m2()
        yield Finding(key=f"{key}_per_m2", name=name, value=1.0, unit=unit)


def test_every_name_and_short_name_of_a_finding_is_translated(spoken) -> None:
    tables = (STACK, RINGS), (LONG_AXIS, LONGITUDINAL)
    made = [
        [finding for table in pair for key, one in table.items() for finding in _of(key, one)]
        for pair in tables
    ]
    for group in (group for findings in made for group in words.groups(findings)):
        assert not isinstance(spoken.say(group.title), English)
        for finding in group.findings:
            for text in (finding.name, words.short_name(finding, group), words.unit(finding)):
                assert not isinstance(spoken.say(text), English), text


def test_structures_and_views_are_translated(spoken) -> None:
    for text in [*(one.title for one in Structure), *View, *map(words.view_title, View)]:
        assert not isinstance(spoken.say(text), English), text


def test_what_is_said_of_the_place_of_the_heart_is_translated(spoken) -> None:
    sees = "the network sees"
    for text in (
        "heart in sax",
        f"found by a coarse look at L -12, P 3, S 105 mm (97 % sure): {sees} 192 x 240 mm",
        f"{NOT_FOUND} (3 % sure): {sees} whole planes",
        NO_HEART,
    ):
        assert not isinstance(spoken.say(text), English), text


def test_the_languages_say_the_same_sentences() -> None:
    tables = [set(language(name).phrases._table) for name in OTHERS]
    assert all(table == tables[0] for table in tables)


def test_every_letter_of_a_translation_can_be_printed(spoken) -> None:
    lettering = Lettering()
    for said in spoken.phrases._table.values():
        assert lettering.width(said, 1.0) > 0
        assert lettering.width(said, 1.0, bold=True) > 0


def test_numbers_in_russian_have_a_comma() -> None:
    said = language("ru").say("LV mass at end-diastole, 1.05 g/mL.")
    assert "1,05" in said
    assert "1.05" in language("zh").say("LV mass at end-diastole, 1.05 g/mL.")


CASES = {
    "acdc": ("acdc/training/patient003", "acdc"),
    "camus": ("camus_original/patient0002", "camus"),
    "camus pictures": ("camus", "camus"),
    "emidec": ("emidec", "emidec"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_page_of_a_real_study_has_no_english_left(name: str, real_data: Path) -> None:
    place, scheme = CASES[name]
    folder = real_data / place
    candidate = find_studies(folder)[0]
    settings = Settings(given=GivenLabels(folder, scheme))
    report = examine(candidate, Models("cpu"), settings).report
    for other in OTHERS:
        made = page(report, language=language(other))
        assert made.untranslated == "", other
        assert not any(isinstance(text, English) for text in (made.about, made.licence))


def test_the_page_of_a_real_dicom_cine_has_no_english_left(real_data: Path) -> None:
    study = read_study(real_data / "sunnybrook" / "SC-HF-I-1")
    labels = np.zeros(study.images[View.SAX].voxels.shape, np.uint8)
    labels[:, 2:9, 100:140, 100:140], labels[:, 2:9, 106:134, 106:134] = 2, 1
    drawn = (Structure.LV_CAVITY, Structure.LV_MYOCARDIUM)
    image = study.images[View.SAX]
    segmentation = Segmentation(labels, image.geometry, drawn, image.times_ms)
    report = measure_study(study, {View.SAX: segmentation})
    for other in OTHERS:
        made = page(report, language=language(other))
        assert made.untranslated == "", other


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "got keys none"),
        ("code = 'de'\n", r"got keys code; allowed: code, name and decimal"),
        ("code = 'de'\nextra = 1\n[sentences]\n", "extra"),
        ("code = 'de'\n[sentences]\nPassed = 3\n", "of texts"),
        ("code = 'de'\ndecimal = ';'\n[sentences]\n", r"decimal: got ';'; allowed: '\.' or ','"),
        ("code = 'de'\n[sentences]\n'a {x:n}' = 'b'\n", "each placeholder"),
        ("code = \n", "a TOML file of sentences"),
    ],
)
def test_a_file_that_is_no_language_is_refused(text: str, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "de.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=complaint):
        language(str(file))


def test_an_unknown_language_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'fr'; allowed: en, ru, zh, or a \.toml file"):
        language("fr")
    with pytest.raises(ConfigError, match=r"none\.toml: got No such file"):
        language(str(tmp_path / "none.toml"))


def test_a_file_of_ones_own_speaks(tmp_path: Path) -> None:
    file = tmp_path / "de.toml"
    file.write_text(
        "code = 'de'\nname = 'Deutsch'\ndecimal = ','\n[sentences]\n"
        "'Passed' = 'Bestanden'\n'{n:n} beats' = '{n} Schläge'\n",
        encoding="utf-8",
    )
    spoken = language(str(file))
    assert spoken.say("Passed") == "Bestanden"
    assert spoken.say("2.5 beats") == "2,5 Schläge"
    assert isinstance(spoken.say("Rejected"), English)
    assert spoken.say("Rejected") == "Rejected"
