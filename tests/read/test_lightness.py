import subprocess
import sys

from tests.read.test_bad_input import save


def test_a_nifti_study_is_read_without_the_libraries_of_other_formats(tmp_path):
    path = save(tmp_path / "a.nii.gz")
    code = (
        "import sys; from pathlib import Path; from heartseg.read import read_study; "
        f"read_study(Path({str(path)!r})); "
        "print([m for m in ('pydicom', 'nibabel', 'scipy', 'PIL', 'torch') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
