"""What the painters lay down for each tissue, whatever made the picture."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Value of each tissue on a linear scale on which air is 0, so that partial volume adds up.

    `Contrast` mixes one for cine MR (signed signal over that of blood, fat negative), `Attenuation`
    one for CT (attenuation over that of water).

    Attributes:
        unevenness: how uneven tissues are in their own value, 1 as in cine MR. Where borders run,
            and where vessels lie, does not depend on it.
        lv_blood, rv_blood, la_blood, aorta: pools; the right atrium is as bright as the RV.
        myocardium, papillary, rv_wall, atrial_wall: muscle of the heart.
        epicardial_fat, pericardium: around it.
        fat, muscle: of the body's wall and back.
        rib_cortex, rib_marrow, pleural_fat: of the chest wall.
        lung: air with tissue.
        lung_vessels: (from, gain): they begin where the unevenness is `from` and grow by `gain`;
            the denser they are, the smaller ones are seen.
        abdominal_fat: (middle, swing by unevenness) of the fat under the diaphragm, over `fat`.
        liver, liver_vessels, spleen: the vessels' is what they add.
        stomach: (middle, swing) of what is in it.
        mediastinum: (middle, swing) of fat with vessels and nodes.
        bone_cortex, marrow, disc: of the spine.
        fluid, cord: of the spinal canal.
        vessel_wall, oesophagus: behind the heart.
    """

    unevenness: float
    lv_blood: float
    rv_blood: float
    la_blood: float
    aorta: float
    myocardium: float
    papillary: float
    rv_wall: float
    atrial_wall: float
    epicardial_fat: float
    pericardium: float
    fat: float
    muscle: float
    rib_cortex: float
    rib_marrow: float
    pleural_fat: float
    lung: float
    lung_vessels: tuple[float, float]
    abdominal_fat: tuple[float, float]
    liver: float
    liver_vessels: float
    spleen: float
    stomach: tuple[float, float]
    mediastinum: tuple[float, float]
    bone_cortex: float
    marrow: float
    disc: float
    fluid: float
    cord: float
    vessel_wall: float
    oesophagus: float
