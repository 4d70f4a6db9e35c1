"""How bright each tissue is."""

from dataclasses import dataclass


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
