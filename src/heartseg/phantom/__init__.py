"""Synthetic beating hearts whose volumes, mass and ejection fraction are known exactly.

The geometry (`heart`, `shape`, `anatomy`), in the heart's frame with w along the long axis:

* LV cavity and LV with its wall are truncated ellipsoids: cross-section areas
  A(w) = A_max (2 q - q^2), q = (w - apex) / (e h), up to the basal plane at w = apex + h, so that
  V = A_max h (3 e - 1) / (3 e^2); e is the share of the height h at which they are widest.
* In each plane the epicardium and the endocardium are closed curves about their own axes,
  r(t)^2 = A(w) / pi (1 + sum_n a_n cos(n t - p_n)): neither the wobble, nor a bent axis, nor a
  cavity off the centre changes an area, so volumes stay what they were.
* The RV is the crescent between the epicardium and r(t)^2 + 2 L(w) b(t), with bumps b of unit
  integral about the septum: its area is L(w) exactly, L a profile of the same family with an apex
  and a (tricuspid) plane of its own. No quadrature is needed anywhere.
* Papillary muscles are bumps in the cavity, made the same way; they count as cavity unless asked.
* Over the beat the volume curve gives V(t); the basal planes move towards the apex by a share of
  the ejected volume; A_max follows. The epicardial volume is V(t) + mass / 1.05 g/mL, so the wall
  thickens and the mass stays.
* Atria and great vessels lie above the basal planes; they are shown, not labelled.

`draw_heart`, `Acquisition.random` and `Torso.random` draw plausible examples; `make_study` puts
them together from one seed, `make_ct_study` shows the same scene as CT, and `write` makes folders
of either. `make_exam` scans such a heart from all sides as a whole MR examination, which
`write_exam` lays out as one of three kinds of scanner do it.
"""

from heartseg.phantom.acquisition import Acquisition
from heartseg.phantom.attenuation import Attenuation
from heartseg.phantom.cine_mr import render
from heartseg.phantom.contrast import Contrast
from heartseg.phantom.ct import CtScanner, render_ct
from heartseg.phantom.cycle import Motion
from heartseg.phantom.draw import draw_heart
from heartseg.phantom.exam import Exam, make_exam
from heartseg.phantom.exam_files import ExamLayout, write_exam
from heartseg.phantom.heart import KINDS, Heart, Kind
from heartseg.phantom.labels import labels
from heartseg.phantom.study import PHANTOMS, make_ct_study, make_study, write, write_study
from heartseg.phantom.torso import Torso
from heartseg.phantom.truth import Truth, truth

__all__ = [
    "KINDS",
    "PHANTOMS",
    "Acquisition",
    "Attenuation",
    "Contrast",
    "CtScanner",
    "Exam",
    "ExamLayout",
    "Heart",
    "Kind",
    "Motion",
    "Torso",
    "Truth",
    "draw_heart",
    "labels",
    "make_ct_study",
    "make_exam",
    "make_study",
    "render",
    "render_ct",
    "truth",
    "write",
    "write_exam",
    "write_study",
]
