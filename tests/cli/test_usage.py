"""What was typed: wrong usage ends with exit code 2, one line, and nothing written."""

from pathlib import Path

import pytest

from heartseg.cli import options
from heartseg.core.errors import ConfigError
from heartseg.core.study import Body, Phases, View
from tests import doors
from tests.cli.door import heartseg


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scan")
    return doors.save_nifti(folder / "scan.nii.gz", doors.painted(doors.cine((8, 5))))


WRONG = {
    "unknown format": (["--formats", "nifti,docx"], "'nifti,docx'; allowed: nifti, json, html"),
    "no format": (["--formats", ","], "--formats"),
    "unknown view": (["--view", "sideways"], "--view: got 'sideways'; allowed: sax, 2ch"),
    "phases that are words": (["--phases", "ed,es"], "--phases: got 'ed,es'; allowed: two frames"),
    "one phase": (["--phases", "3"], "--phases"),
    "negative phase": (["--phases=-1,3"], "--phases: got '-1,3'"),
    "the same phase twice": (["--phases", "3,3"], "--phases: got '3,3'"),
    "two spacings": (["--spacing-mm", "1,2"], "--spacing-mm: got '1,2'; allowed: three distances"),
    "no spacing": (["--spacing-mm", "8,0,1"], "--spacing-mm: got '8,0,1'"),
    "spacing that is no number": (["--spacing-mm", "8,nan,1"], "0.02 to 50 mm"),
    "unknown device": (["--device", "tpu"], "--device: got 'tpu'; allowed: auto, cpu, cuda"),
    "three turns": (["--turns", "3"], "--turns: got 3; allowed: 1, 4, 8"),
    "unknown scheme": (["--labels", "mine"], "got 'mine'; allowed: acdc, mnms"),
    "scheme without a file": (["--labels", "mine.toml"], "--labels: label scheme mine.toml"),
    "height in metres": (["--height-cm", "1.75"], "height 1.75 cm is outside 30 to 250"),
    "no weight": (["--weight-kg", "0"], "weight 0 kg"),
    "age of a tree": (["--age", "300"], "age 300 years is outside"),
    "sex": (["--sex", "X"], "sex 'X' is neither F nor M"),
    "no table": (["--body", "none.csv"], "--body none.csv: got No such file"),
    "no jobs": (["--jobs", "0"], "--jobs"),
    "unknown option": (["--frobnicate"], "No such option"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_usage_is_said_and_nothing_is_written(case: str, scan: Path, tmp_path: Path) -> None:
    arguments, said = WRONG[case]
    done = heartseg("segment", scan, "-o", tmp_path / "out", *arguments)
    assert done.code == 2, done
    assert said in done.err
    assert "Traceback" not in done.err
    assert done.out == ""
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["measure", "a.nii", "--labels-from", "b.nii", "-o", "out", "--scheme", "mine"],
        ["evaluate", "a.nii", "b.nii", "--scheme", "mine"],
        ["inspect", "a.nii", "--view", "mine"],
        ["phantom", "-o", "out", "--kind", "mine"],
        ["phantom", "-o", "out", "--as", "mine"],
        ["phantom", "-o", "out", "-n", "0"],
        ["phantom", "-o", "out", "--exam", "enhanced"],
        ["phantom", "-o", "out", "--as", "dicom", "--exam", "mine"],
        ["demo", "--seed", "-1"],
        ["segment", "-o", "out"],
        ["segment", "a.nii"],
        ["mine"],
    ],
    ids=" ".join,
)
def test_wrong_usage_of_the_other_commands(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = heartseg(*arguments)
    assert done.code == 2, done
    assert done.err.strip()
    assert not list(tmp_path.iterdir())


def test_a_model_that_is_not_there_is_said_once_and_nothing_written(
    scan: Path, tmp_path: Path
) -> None:
    done = heartseg("segment", scan, scan, "-o", tmp_path / "out", "--model", "nothing")
    assert (done.code, done.out) == (1, "")
    assert done.err.count("no such model") == 1
    assert not (tmp_path / "out").exists()


def table(tmp_path: Path, text: str) -> Path:
    (tmp_path / "bodies.csv").write_text(text, encoding="utf-8")
    return tmp_path / "bodies.csv"


def test_a_table_of_bodies_is_read_by_study(tmp_path: Path) -> None:
    text = "\ufeffstudy,sex,age,height_cm,weight_kg,heart_rate\n a ,F,41,170,60.5,\nb,m,,,,72\n"
    assert options.bodies(table(tmp_path, text)) == {
        "a": Body(sex="F", age_years=41.0, height_cm=170.0, weight_kg=60.5),
        "b": Body(sex="M", heart_rate_bpm=72.0),
    }
    assert options.bodies(None) is None


def test_quotes_and_spaces_around_the_names_of_columns_change_nothing(tmp_path: Path) -> None:
    (body,) = options.bodies(table(tmp_path, '"study", height_cm\r\n"a",170.5\r\n')).values()
    assert body == Body(height_cm=170.5)
    assert body.sources == {"height_cm": "table bodies.csv"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("study,hight\na,170\n", "columns study, hight; allowed: study, sex, age, height_cm"),
        ("height_cm\n170\n", "columns height_cm"),
        ("", "columns none"),
        ("study,height_cm\na,1.70\n", "line 2: got height 1.7 cm is outside"),
        ("study,height_cm\na,tall\n", "line 2: got height is text, not a number"),
        ("study,height_cm\na,170\na,180\n", "line 3: got study 'a' again"),
        ("study,height_cm\n,170\n", "line 2"),
        ("study,height_cm\na,170,9\n", "line 2: got another number of cells"),
        ("study;height_cm\na;170,5\n", "semicolons or tabs between the cells"),
        ("study\theight_cm\na\t170\n", "semicolons or tabs between the cells"),
        ("study,height_cm\na,170,5\n", "write 170.5, not 170,5"),
        ('study,height_cm\na,"170,5"\n', "line 2: got height '170,5' is not a number"),
        ("study,height_cm\na,50 %\n", "height '50 %' is not a number"),
        ("study,height_cm\na,=A1*100\n", "height '=A1*100' is not a number"),
        ("study,height_cm\na,5'9\"\n", "is not a number"),
        ("study,weight_kg\na,180lb\n", "weight '180lb' is not a number"),
        ("study,weight_kg\na,1_80\n", "weight '1_80' is not a number"),
        ("study,height_cm\na,nan\n", "height nan is not a number"),
        ("study,height_cm\na,-170\n", "height -170 cm is outside"),
        ("study,sex\na,woman?\n", "sex is neither F nor M"),
        ("study,sex,sex\na,F,M\n", "columns study, sex, sex"),
        ('study,height_cm\n"a,170\n', "Error"),
    ],
)
def test_a_table_of_bodies_that_is_wrong_is_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        options.bodies(table(tmp_path, text))
    assert said in str(caught.value)
    assert "bodies.csv" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_what_is_right_becomes_what_the_library_takes(tmp_path: Path) -> None:
    assert options.phases("2,7") == Phases(ed=2, es=7, how="given")
    assert options.spacing("8,1.4,1.5") == (8.0, 1.4, 1.5)
    assert options.view("2ch") is View.LAX_2CH
    assert options.formats(" png , json") == ("png", "json")
    assert options.formats("png") == ("png", "json")  # it tells a finished study from another
    assert options.body("f", 40.0, None, 70.0, None) == Body(
        sex="F", age_years=40.0, weight_kg=70.0
    )
    assert [options.phases(None), options.spacing(None), options.view(None)] == [None] * 3
