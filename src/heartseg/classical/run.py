"""From an image and a method to a segmentation on the image's own grid."""

from collections.abc import Mapping
from types import MappingProxyType

from heartseg.classical.method import Method
from heartseg.classical.scene import sight
from heartseg.core.anatomy import Structure
from heartseg.core.errors import StudyError
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Modality, Study, View
from heartseg.prepare.localise import Look
from heartseg.refine import refine_cine

LOOKS: Mapping[tuple[Modality, View], Look] = MappingProxyType(
    {
        (Modality.MR, View.SAX): "short-axis",
        (Modality.US, View.LAX_2CH): "apical",
        (Modality.US, View.LAX_4CH): "apical",
    }
)
"""What the methods know how to look at; the localiser has a prior for no other view."""


def segment_image(image: Image, method: Method, look: Look) -> Segmentation:
    """The LV of every frame of an image, and what else the method finds.

    Args:
        image: of a study, any grid.
        method: with its settings.
        look: what the planes show.

    Returns:
        Labels after the rules of `refine`, as a network's are.

    Raises:
        StudyError: no left ventricle was found.
        FormatError: the image has no contrast or holds NaN.
        MissingExtraError: the library that the method needs is not installed.
    """
    seen, structures = sight(image, look, method.seeds), method.finds(look)
    shares = (
        seen.shares(method.segment(seen.scene(index)), structures) for index in range(image.frames)
    )
    labels = refine_cine(shares, (Structure.BACKGROUND, *structures), image.geometry)
    if not (labels == Structure.LV_CAVITY).any():
        raise StudyError(
            "the left ventricle",
            got=f"none found by {method.paper} in any frame",
            do="try another method, or give a seed",
        )
    return Segmentation(labels, image.geometry, structures, image.times_ms)


def looks_of(study: Study) -> dict[View, Look]:
    """The views of a study that traditional methods can look at.

    As for the shipped models, an image that does not say what it shows is taken for short-axis MR.
    """
    modality = Modality.MR if study.modality is Modality.OTHER else study.modality
    found = {}
    for view in study.images:
        unsaid = view is View.UNKNOWN and modality is Modality.MR
        look = LOOKS.get((modality, View.SAX if unsaid else view))
        if look is not None:
            found[view] = look
    return found
