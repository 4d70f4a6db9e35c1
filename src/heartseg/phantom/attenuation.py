"""How dense each tissue is in CT."""

from dataclasses import dataclass

import numpy as np

from heartseg.phantom.palette import Palette

AIR_HU = -1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attenuation:
    """Hounsfield units of tissues in the arterial phase of an iodine bolus, about 100 to 120 kV.

    Without contrast agent: blood 45-65, liver 45-65, spleen 35-55, fat -100 to -50, lung in
    inspiration -910 to -850, compact bone 700 and more (Buzug 2008, Computed Tomography, table on
    page 475). With it, coronary CT wants 300 HU and more in the left heart and the aorta (Abbara
    2016, SCCT guidelines); the right heart is washed with saline and has less; perfused muscle and
    organs have taken up some. Liver veins are not reached yet.
    """

    lv_blood: float = 390.0
    rv_blood: float = 230.0
    myocardium: float = 105.0
    papillary: float = 105.0
    fat: float = -100.0
    epicardial_fat: float = -85.0
    muscle: float = 58.0
    lung: float = -860.0
    liver: float = 75.0
    spleen: float = 120.0
    rib_cortex: float = 700.0
    bone_cortex: float = 550.0
    marrow: float = 190.0
    disc: float = 85.0
    fluid: float = 10.0
    cord: float = 40.0
    wall: float = 45.0

    @classmethod
    def random(cls, rng: np.random.Generator) -> "Attenuation":
        """Draw a plausible bolus; the bones and the marrow of somebody younger or older."""
        left = rng.uniform(320.0, 470.0)
        muscle = rng.uniform(85.0, 125.0)
        return cls(
            lv_blood=left,
            rv_blood=left * rng.uniform(0.40, 0.85),
            myocardium=muscle,
            papillary=muscle,
            fat=rng.uniform(-112.0, -92.0),
            lung=rng.uniform(-900.0, -820.0),
            liver=rng.uniform(60.0, 90.0),
            spleen=rng.uniform(100.0, 150.0),
            bone_cortex=rng.uniform(450.0, 700.0),
            marrow=rng.uniform(110.0, 260.0),
        )

    @property
    def palette(self) -> Palette:
        """What the painters lay down: attenuation over that of water, 1 + HU / 1000."""
        part = relative
        return Palette(
            unevenness=0.12,  # tissues are far more alike in density than in relaxation
            lv_blood=part(self.lv_blood),
            rv_blood=part(self.rv_blood),
            la_blood=part(self.lv_blood),
            aorta=part(self.lv_blood),
            myocardium=part(self.myocardium),
            papillary=part(self.papillary),
            rv_wall=part(0.9 * self.myocardium),
            atrial_wall=part(self.wall),
            epicardial_fat=part(self.epicardial_fat),
            pericardium=part(self.wall),
            fat=part(self.fat),
            muscle=part(self.muscle),
            rib_cortex=part(self.rib_cortex),
            rib_marrow=part(self.marrow),
            pleural_fat=part(0.5 * self.fat),
            lung=part(self.lung),
            lung_vessels=(1.5, 0.7),
            abdominal_fat=(1.0, 0.008),
            liver=part(self.liver),
            liver_vessels=-0.03,
            spleen=part(self.spleen),
            stomach=(part(25.0), 0.02),
            mediastinum=(part(-45.0), 0.12),
            bone_cortex=part(self.bone_cortex),
            marrow=part(self.marrow),
            disc=part(self.disc),
            fluid=part(self.fluid),
            cord=part(self.cord),
            vessel_wall=part(self.wall),
            oesophagus=part(self.wall - 10.0),
        )


def relative(hounsfield: float) -> float:
    """Attenuation over that of water."""
    return 1.0 - hounsfield / AIR_HU
