"""Who a model learns from, in numbers: what its card says of them."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from heartseg.read import Candidate
from heartseg.train.selection import Selection
from heartseg.train.split import patient_of


def cohort_of(chosen: Selection) -> dict[str, Any]:
    """Patients that train by data set and group, and how many others validate or are kept to test.

    Entries that nothing is known of are left out.

    Returns:
        `patients`; `data_sets` and `groups`: patients by the layout that read them and by the
        group that the data set names; `validation_patients`, `test_patients`.
    """
    training = _by_patient(chosen.training)
    groups = Counter(one.group for one in training.values() if one.group)
    validation = _by_patient(chosen.validation)
    kept = _by_patient(chosen.of(["test"])).keys() - training.keys() - validation.keys()
    return {
        "patients": len(training),
        "data_sets": dict(sorted(Counter(one.layout for one in training.values()).items())),
        **({"groups": dict(sorted(groups.items()))} if groups else {}),
        "validation_patients": len(validation),
        "test_patients": len(kept),
    }


def _by_patient(candidates: Iterable[Candidate]) -> dict[str, Candidate]:
    return {patient_of(one): one for one in candidates}
