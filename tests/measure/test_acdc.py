"""The measures on the reference contours of ACDC (Bernard et al., IEEE TMI 2018)."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from heartseg.core.anatomy import SCHEMES
from heartseg.core.finding import Quality
from heartseg.core.geometry import Geometry
from heartseg.core.image import Segmentation
from heartseg.core.study import Body, Phases
from heartseg.measure.function import Function, measure_function
from heartseg.measure.phases import detect_phases
from heartseg.measure.plausibility import quality
from tests.measure.hearts import VENTRICLES


@dataclass(frozen=True)
class Patient:
    name: str
    group: str
    function: Function
    quality: Quality
    detected: Phases


def read(folder: Path) -> tuple[Segmentation, Body, str]:
    """ED and ES contours; the spacing is the header's zooms, the affine of some has none."""
    said = dict(line.split(":") for line in (folder / "Info.cfg").read_text().splitlines() if line)
    frames = []
    for phase in ("ED", "ES"):
        path = folder / f"{folder.name}_frame{int(said[phase]):02d}_gt.nii.gz"
        image = nib.load(path)
        frames.append(np.asarray(image.dataobj).T)
        zooms = tuple(float(zoom) for zoom in image.header.get_zooms()[:3])
    labels = SCHEMES["acdc"].read(np.stack(frames))
    geometry = Geometry.from_pixels(labels.shape[1:], zooms[::-1])
    body = Body(height_cm=float(said["Height"]), weight_kg=float(said["Weight"]))
    return Segmentation(labels, geometry, VENTRICLES), body, said["Group"].strip()


@pytest.fixture(scope="module")
def patients(real_data: Path) -> list[Patient]:
    folders = sorted((real_data / "acdc" / "training").glob("patient*"))
    if not folders:
        pytest.skip("no ACDC among the real images")
    found = []
    for folder in folders:
        seen, body, group = read(folder)
        function = measure_function(seen, Phases(ed=0, es=1, how="given"), body)
        verdict = quality(seen, function.phases, function.findings)
        found.append(Patient(folder.name, group, function, verdict, detect_phases(seen)))
    return found


@pytest.fixture(scope="module")
def by_group(patients: list[Patient]) -> dict[str, list[Patient]]:
    groups = defaultdict(list)
    for patient in patients:
        groups[patient.group].append(patient)
    return groups


def values(patients: list[Patient], key: str) -> np.ndarray:
    return np.array([patient.function.value(key) for patient in patients], float)


def test_every_number_is_there(patients):
    missing = {f.key for p in patients for f in p.function.findings if f.value is None}

    rates = {f"{side}_peak_{what}_rate_ml_s" for side in ("lv", "rv")
             for what in ("ejection", "filling")}  # fmt: skip
    # No heart rates, two frames, no atrium, no late enhancement.
    other = {"co_l_min", "co_l_min_per_m2", "la_esv_ml", "la_esv_ml_per_m2", "lv_scar_fraction"}
    assert missing == rates | other


def test_the_groups_have_their_ejection_fractions(by_group):
    """The groups' own definitions: DCM and MINF LVEF < 40 %, NOR and HCM above 50 %."""
    assert (values(by_group["DCM"], "lv_ef") < 0.40).all()
    assert np.mean(values(by_group["MINF"], "lv_ef") < 0.41) >= 0.85
    assert (values(by_group["NOR"], "lv_ef") > 0.50).all()
    assert (values(by_group["HCM"], "lv_ef") > 0.49).all()
    assert np.median(values(by_group["RV"], "rv_ef")) < 0.40


def test_the_groups_have_their_volumes(by_group):
    """DCM LVEDV > 100 mL/m2; RV enlarged: RVEDV > 110 mL/m2 in men, 100 in women, or low RVEF."""
    assert np.mean(values(by_group["DCM"], "lv_edv_ml_per_m2") > 100) >= 0.9
    assert np.median(values(by_group["NOR"], "lv_edv_ml_per_m2")) < 90
    rv = values(by_group["RV"], "rv_edv_ml_per_m2") > 100
    assert np.mean(rv | (values(by_group["RV"], "rv_ef") < 0.40)) >= 0.9


def test_thick_walls_are_those_of_the_hypertrophic_group(by_group):
    """HCM is defined by segments thicker than 15 mm; normal walls stay below 13."""
    thick, normal = (values(by_group[g], "lv_wall_max_mm") for g in ("HCM", "NOR"))

    assert np.mean(thick > 14.5) >= 0.9
    assert (normal < 13).all()
    assert (thick > normal.max()).all()


def test_mass_is_about_the_same_at_both_phases(patients):
    ratio = values(patients, "lv_mass_es_g") / values(patients, "lv_mass_g")

    assert np.median(ratio) == pytest.approx(1.1, abs=0.08)


def test_the_phases_of_the_file_are_those_of_the_curve(patients):
    assert {(p.detected.ed, p.detected.es) for p in patients} == {(0, 1)}


def test_at_most_one_in_twenty_experts_is_sent_to_review(patients):
    doubted = {p.name: p.quality.reasons for p in patients if p.quality.verdict != "pass"}

    assert len(doubted) <= 0.05 * len(patients), doubted
    assert not [p.name for p in patients if p.quality.verdict == "reject"]
