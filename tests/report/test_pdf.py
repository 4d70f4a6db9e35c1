import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from heartseg.core.errors import ConfigError, OutputError
from heartseg.core.finding import Quality, Report
from heartseg.core.image import Segmentation
from heartseg.core.study import Patient, Study, View
from heartseg.report.language import language
from heartseg.report.lettering import FOLDER, Lettering
from heartseg.report.outputs import save_report
from heartseg.report.page import SECTIONS, page
from heartseg.report.pdf import pdf_bytes
from heartseg.report.pdf_sections import SETTERS
from heartseg.report.printing import Printing
from tests.report.cases import html_of, pdf_of
from tests.report.pdf_reading import pages_of, unembedded
from tests.report.test_html import hostile


def joined(content: bytes) -> str:
    """All text, however its lines were broken."""
    return " ".join(" ".join(pages_of(content)).split())


def seen(html: str) -> list[str]:
    """The texts of a page for the screen, without those of its drawings."""
    body = re.sub(r"<svg.*?</svg>", "", html.partition("<main>")[2], flags=re.DOTALL)
    texts = re.findall(r">([^<>]+)<", body)
    return [" ".join(text.split()) for text in texts if text.strip(" .\n")]


def test_the_pdf_says_what_the_page_says(report: Report) -> None:
    from html import unescape

    said = "".join(joined(pdf_of(report)).split())
    for text in seen(html_of(report)):
        assert "".join(unescape(text).split()).strip(".·") in said


def test_every_kind_of_section_is_printed_in_both() -> None:
    template = (Path(__file__).parents[2] / "src/heartseg/report/page.html.j2").read_text("utf-8")
    for kind in SECTIONS:
        assert kind.kind in SETTERS
        assert f"{{% macro {kind.kind}(section) %}}" in template
    assert set(SETTERS) == {kind.kind for kind in SECTIONS}


def test_each_page_tells_its_number_the_study_and_what_it_is_not_for(report: Report) -> None:
    many = replace(report, conventions=tuple(f"Rule number {n} of many." for n in range(320)))
    pages = pages_of(pdf_of(many))
    assert len(pages) >= 3
    for number, text in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in text
        assert "Research use only, not for diagnosis" in text
        assert "Model licence: CC BY 4.0" in text
        assert "case-7" in text
        assert "Patient: anonymous" in text
    assert all(f"Rule number {n} of many." in " ".join(pages) for n in range(320))


def test_the_same_report_gives_the_same_bytes_and_no_font_is_missing(report: Report) -> None:
    content = pdf_of(report)
    assert content == pdf_of(report)
    assert unembedded(content) == []
    assert b"/Title (heartseg" in content or b"/Title (\\376\\377" in content
    assert b"ReportLab" not in re.sub(rb"%.*", b"", content)
    assert b"(en)" in content


def test_the_interval_column_is_there_where_an_interval_is(report: Report) -> None:
    said = joined(pdf_of(report))
    assert "148 – 157" in said
    assert "Intervals: 90 % segmentation interval; reader and rescan variation not" in said
    plain = tuple(replace(finding, interval=None) for finding in report.findings)
    without = joined(pdf_of(replace(report, findings=plain, interval_level=None)))
    assert "Interval" not in without
    assert "80 – 140" in without


def test_hostile_text_is_text(report: Report) -> None:
    said = joined(pdf_of(hostile(report))).replace(" ", "")
    assert "<script>alert(1)</script>" in said
    assert "{{7*7}}" in said
    many = replace(report, quality=Quality(verdict="review", reasons=("=cmd|' /C calc'!A0",)))
    assert "=cmd|' /C calc'!A0" in joined(pdf_of(many))


@pytest.mark.parametrize(
    ("character", "what"),
    [
        ("\U00020bb7", "'𠮷' (U+20BB7 CJK UNIFIED IDEOGRAPH-20BB7), which no font at hand"),
        ("한", "U+D55C HANGUL SYLLABLE HAN"),
        ("א", "U+05D0 HEBREW LETTER ALEF) of a script that runs from right to left"),
        ("ا", "U+0627 ARABIC LETTER ALEF) of a script that runs from right to left"),
        ("ा", "U+093E DEVANAGARI VOWEL SIGN AA) of a script that joins its letters"),
        ("🫀", "ANATOMICAL HEART"),
    ],
)
def test_a_character_without_a_font_is_an_error_that_names_it(
    report: Report, character: str, what: str
) -> None:
    with pytest.raises(OutputError) as fault:
        pdf_of(report, patient=Patient(name=f"王{character}"))
    assert what in str(fault.value)
    assert "--formats" in str(fault.value)


@pytest.mark.parametrize(
    "name", ["王小东", "王小東", "山田太郎", "Ångström", "Άννα", "Соколова-Ёж"]
)
def test_names_of_many_scripts_are_printed_and_can_be_selected(report: Report, name: str) -> None:
    content = pdf_of(report, patient=Patient(name=name, number="4711", birth_date="1961-02-03"))
    assert all(f"Patient: {name} · No. 4711" in " ".join(p.split()) for p in pages_of(content))
    if shutil.which("pdftotext"):
        done = subprocess.run(
            ["pdftotext", "-", "-"], input=content, capture_output=True, check=True
        )
        assert name in done.stdout.decode()


@pytest.mark.parametrize("name", ["ru", "zh"])
def test_a_page_in_another_language_has_no_english_left(report: Report, name: str) -> None:
    spoken = language(name)
    honest = replace(
        report,
        findings=tuple(replace(f, name="LV ejection fraction") for f in report.findings[2:3]),
        quality=Quality(verdict="review", reasons=("the LV volume curve is not smooth",)),
        conventions=("Papillary muscles and trabeculae count as LV cavity.",),
        strategy={},
        interval_covers=None,
    )
    made = page(honest, language=spoken)
    assert made.untranslated == ""
    content = pdf_bytes(made, Lettering())
    first = joined(content)
    assert {"ru": "54,3", "zh": "54.3"}[name] in first
    assert {"ru": "Фракция выброса", "zh": "射血分数"}[name] in first
    assert spoken.code.encode() in content
    assert len(content) < 120_000


def test_what_has_no_translation_stays_in_english_and_is_counted(report: Report) -> None:
    odd = replace(report, conventions=("A sentence that nobody translated.",), strategy={})
    pages = pages_of(pdf_of(odd, language=language("ru")))
    assert "A sentence that nobody translated." in " ".join(pages)
    assert re.search(r"Тексты на английском языке, для которых нет перевода: \d", pages[0])
    html = html_of(odd, language=language("ru"))
    assert '<span lang="en">A sentence that nobody translated.</span>' in html
    assert '<html lang="ru">' in html


def test_the_mosaic_is_in_the_file_and_the_patient_only_where_asked(
    report: Report, study: Study, segmentation: Segmentation, tmp_path: Path
) -> None:
    named = replace(study, patient=Patient(name="Musterfrau, Erika", number="0815"))
    for identified in (False, True):
        folder = tmp_path / str(identified)
        save_report(
            report,
            folder,
            study=named,
            segmentations={View.SAX: segmentation},
            formats=["pdf", "html", "json", "png"],
            printing=Printing(language="zh", identified=identified),
        )
        content = (folder / "report.pdf").read_bytes()
        assert b"/DCTDecode" in content
        html = (folder / "report.html").read_text("utf-8")
        assert ("Musterfrau" in joined(content)) is identified
        assert ("Musterfrau" in html) is ("0815" in html) is identified
        assert "Musterfrau" not in (folder / "report.json").read_text("utf-8")
        assert b"Musterfrau" not in content  # not in its title either


def test_nothing_is_written_when_the_pdf_cannot_be(
    report: Report, study: Study, tmp_path: Path
) -> None:
    named = replace(study, patient=Patient(name="한"))
    with pytest.raises(OutputError, match="HANGUL"):
        save_report(
            report,
            tmp_path,
            study=named,
            formats=["json", "pdf"],
            printing=Printing(identified=True),
        )
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_font_is_refused(report: Report, tmp_path: Path) -> None:
    file = tmp_path / "font.ttf"
    file.write_bytes(b"OTTO" + bytes(400))
    with pytest.raises(ConfigError, match=r"--font font\.ttf: got a file that is no TrueType font"):
        Lettering(file)
    with pytest.raises(ConfigError, match="no such file"):
        Lettering(tmp_path / "none.ttf")


def test_a_font_of_the_users_prints_what_ours_lack(report: Report, tmp_path: Path) -> None:
    """A font with one Hangul syllable: the shape of a letter of ours under another number."""
    from heartseg.report.lettering import REGULAR

    font = pytest.importorskip("fontTools.ttLib").TTFont(REGULAR)  # matplotlib brings it
    for table in font["cmap"].tables:
        table.cmap = {ord("한"): "H"} if table.isUnicode() else {}
    font.save(tmp_path / "site.ttf")
    content = pdf_bytes(
        page(report, patient=Patient(name="한 Kim")), Lettering(tmp_path / "site.ttf")
    )
    assert "Patient: 한 Kim" in pages_of(content)[0]
    usual = pages_of(pdf_of(report, patient=Patient(name="H Kim")))
    assert [text.replace("한", "H") for text in pages_of(content)] == usual


def test_every_font_that_is_shipped_has_its_licence_beside_it() -> None:
    licences = (FOLDER / "LICENCES.md").read_text("utf-8")
    for file in FOLDER.glob("*.ttf"):
        assert f"`{file.name}`" in licences
    assert "Permission is hereby granted" in licences
    assert "Apache 2.0" in licences
