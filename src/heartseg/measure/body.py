"""Body surface, and the values per square metre of it."""

from typing import Literal

from heartseg.core.errors import MeasureError
from heartseg.core.study import Body

Formula = Literal["mosteller", "dubois"]

HEIGHT_CM = (50.0, 250.0)
WEIGHT_KG = (2.0, 400.0)
"""Outside these a number is taken for a slip (metres for centimetres) and asked, not used."""


def body_surface_m2(height_cm: float, weight_kg: float, formula: Formula = "mosteller") -> float:
    """Body surface area.

    Mosteller, N Engl J Med 1987;317:1098, or Du Bois and Du Bois, Arch Intern Med 1916;17:863.

    Raises:
        MeasureError: height or weight out of bounds.
    """
    problem = body_problem(Body(height_cm=height_cm, weight_kg=weight_kg))
    if problem:
        raise MeasureError("body surface area", got=problem)
    if formula == "dubois":
        return float(0.007184 * height_cm**0.725 * weight_kg**0.425)
    return float((height_cm * weight_kg / 3600.0) ** 0.5)


def body_problem(body: Body) -> str | None:
    """Why the body's size cannot be used; None when it can."""
    for name, value, unit, (low, high) in (
        ("height", body.height_cm, "cm", HEIGHT_CM),
        ("weight", body.weight_kg, "kg", WEIGHT_KG),
    ):
        if value is None:
            return f"{name} not known"
        if not low <= value <= high:
            return f"{name} {value:g} {unit} is outside {low:g} to {high:g} {unit}: please check it"
    return None
