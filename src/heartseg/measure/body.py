"""Body surface, and the values per square metre of it."""

from typing import Literal

from heartseg.core.errors import MeasureError
from heartseg.core.study import Body
from heartseg.measure.number import Number

Formula = Literal["mosteller", "dubois"]

HEIGHT_CM = (50.0, 250.0)
WEIGHT_KG = (2.0, 400.0)
"""Outside these a number is taken for a slip (metres for centimetres) and asked, not used."""

BODY_MASS_INDEX = (8.0, 120.0)
"""kg/m2 of people from premature infants to the heaviest known: outside, a unit is wrong."""


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
    for key, name, unit, (low, high) in (
        ("height_cm", "height", "cm", HEIGHT_CM),
        ("weight_kg", "weight", "kg", WEIGHT_KG),
    ):
        value = body.known.get(key)
        if value is None:
            return body.not_used.get(key, f"{name} not known")
        if not low <= float(value) <= high:
            said = f"{name} {float(value):g} {unit} is outside {low:g} to {high:g} {unit}"
            return f"{said}: please check it"
    return _mass_problem(body)


def _mass_problem(body: Body) -> str | None:
    """Inches and pounds may each pass for a child's centimetres or kilograms, seldom both."""
    if body.height_cm is None or body.weight_kg is None:
        return None
    index = body.weight_kg / (body.height_cm / 100) ** 2
    low, high = BODY_MASS_INDEX
    if low <= index <= high:
        return None
    return (
        f"height {body.height_cm:g} cm and weight {body.weight_kg:g} kg make a body mass index of "
        f"{index:.0f}, outside {low:g} to {high:g}: please check them (inches or pounds?)"
    )


def body_surface(body: Body, formula: Formula = "mosteller") -> Number:
    """The body surface in m2, or the reason why it is not known."""
    problem = body_problem(body)
    if problem or body.height_cm is None or body.weight_kg is None:
        return Number(None, problem)
    return Number(body_surface_m2(body.height_cm, body.weight_kg, formula))


def per_square_metre(plain: Number, surface_m2: Number) -> Number:
    """A value per m2 of body surface, or the reason why there is none: the body's comes first."""
    return surface_m2 if surface_m2.value is None else plain.times(1.0 / surface_m2.value)
