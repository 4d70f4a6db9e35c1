"""How bright each tissue is in cine MR."""

from dataclasses import dataclass

from heartseg.phantom.palette import Palette


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """Signal of tissues in balanced steady-state free precession at 1.5 T, over that of LV blood.

    About T2 / T1 at a flip angle of 50-60 degrees (Scheffler 2003); measured inside ACDC's
    reference contours the myocardium has 0.36 to 0.5 and the RV 0.7 to 0.87 of the LV's blood. Fat
    is as bright as blood but of opposite sign at the usual echo time: where both share a voxel they
    cancel, and a black line is drawn around every organ in fat.
    """

    lv_blood: float = 1.0
    rv_blood: float = 0.88
    myocardium: float = 0.37
    papillary: float = 0.36
    fat: float = 0.80
    muscle: float = 0.26
    lung: float = 0.05
    liver: float = 0.42
    spleen: float = 0.55
    marrow: float = 0.50
    fluid: float = 1.05

    @property
    def palette(self) -> Palette:
        """What the painters lay down: fat is negative, bone and air are dark."""
        fat = -self.fat
        return Palette(
            unevenness=1.0,
            lv_blood=self.lv_blood,
            rv_blood=self.rv_blood,
            la_blood=0.95 * self.lv_blood,
            aorta=self.lv_blood,
            myocardium=self.myocardium,
            papillary=self.papillary,
            rv_wall=0.8 * self.myocardium,
            atrial_wall=0.5 * self.myocardium,
            epicardial_fat=0.9 * fat,
            pericardium=0.08,
            fat=fat,
            muscle=self.muscle,
            rib_cortex=0.05,
            rib_marrow=0.4 * fat,
            pleural_fat=0.5 * fat,
            lung=self.lung,
            lung_vessels=(2.1, 0.35),
            abdominal_fat=(0.65, 0.10),
            liver=self.liver,
            liver_vessels=0.5,
            spleen=self.spleen,
            stomach=(0.5, 0.3),
            mediastinum=(0.0, self.fat),
            bone_cortex=0.03,
            marrow=self.marrow,
            disc=0.25,
            fluid=self.fluid,
            cord=0.45,
            vessel_wall=0.12,
            oesophagus=0.3,
        )
