"""Every format of the table, written by foreign libraries; the contract tests go through them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import nrrd
import numpy as np
import SimpleITK
import tifffile
from numpy.typing import NDArray
from PIL import Image as Pictures

from tests import foreign

STEP_MS = 40.0


@dataclass(frozen=True)
class Writer:
    """A way to write (t, z, y, x) voxels.

    Attributes:
        format: name in the table.
        file: name of the file.
        write: of (path, voxels), on the oblique grid of `foreign` where the format has a place.
        axes: the largest number of axes that it can hold.
        place, spacing, times: whether the file states them.
        exact: whether voxels come back as they are.
        whole: how much of the file has to be there at least for it to be whole.
    """

    format: str
    file: str
    write: Callable[[Path, NDArray], None]
    axes: int = 4
    place: bool = False
    spacing: bool = False
    times: bool = False
    exact: bool = True
    whole: float = 1.0


def _nifti(path: Path, voxels: NDArray) -> None:
    affine = foreign.TO_RAS @ foreign.affine_lps()[:, [2, 1, 0, 3]]
    stored = voxels.transpose(3, 2, 1, 0)
    image = nib.Nifti1Image(stored if len(voxels) > 1 else stored[..., 0], affine)
    image.header.set_xyzt_units("mm", "msec")
    if len(voxels) > 1:
        image.header["pixdim"][4] = STEP_MS
    nib.save(image, path)


def _itk(path: Path, voxels: NDArray) -> None:
    matrix = foreign.affine_lps()[:3, [2, 1, 0]]
    spacing = np.linalg.norm(matrix, axis=0)
    turned, origin, steps = matrix / spacing, foreign.ORIGIN_LPS, spacing.tolist()
    if len(voxels) > 1:
        whole = np.eye(4)
        whole[:3, :3] = turned
        turned, origin, steps = whole, (*origin, 0.0), [*steps, STEP_MS]
    stored = voxels if len(voxels) > 1 else voxels[0]
    image = SimpleITK.GetImageFromArray(stored, isVector=False)
    image.SetSpacing(steps)
    image.SetOrigin(origin)
    image.SetDirection(turned.ravel().tolist())
    SimpleITK.WriteImage(image, str(path))


def _nrrd(path: Path, voxels: NDArray) -> None:
    """As 3D Slicer does: RAS, gzip, frames on the first axis."""
    matrix = np.diag([-1.0, -1.0, 1.0]) @ foreign.affine_lps()[:3, [2, 1, 0]]
    header = {
        "space": "right-anterior-superior",
        "space directions": matrix.T,
        "space origin": np.array([-1.0, -1.0, 1.0]) * foreign.ORIGIN_LPS,
    }
    stored = voxels.transpose(0, 3, 2, 1)
    if len(voxels) > 1:
        header["space directions"] = np.vstack([[np.nan] * 3, matrix.T])
        header["kinds"] = ["list", "domain", "domain", "domain"]
        header["spacings"] = [STEP_MS, np.nan, np.nan, np.nan]
    nrrd.write(str(path), stored if len(voxels) > 1 else stored[0], header)


def _imagej(path: Path, voxels: NDArray) -> None:
    z, y, x = foreign.SPACING
    said = {"axes": "TZYX", "spacing": z, "unit": "mm", "finterval": STEP_MS / 1000}
    tifffile.imwrite(path, voxels, imagej=True, resolution=(1 / x, 1 / y), metadata=said)


def _ome(path: Path, voxels: NDArray) -> None:
    said: dict[str, object] = {"axes": "TZYX", "TimeIncrement": STEP_MS, "TimeIncrementUnit": "ms"}
    for axis, length in zip("ZYX", foreign.SPACING, strict=True):
        said |= {f"PhysicalSize{axis}": length, f"PhysicalSize{axis}Unit": "mm"}
    tifffile.imwrite(path, voxels, ome=True, metadata=said)


def _pages(path: Path, voxels: NDArray) -> None:
    pages = [Pictures.fromarray(plane) for plane in voxels[0]]
    pages[0].save(path, save_all=True, append_images=pages[1:], compression="tiff_lzw")


def _picture(path: Path, voxels: NDArray) -> None:
    Pictures.fromarray(voxels[0, 0]).save(path)


def _video(path: Path, voxels: NDArray) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.height, stream.width, stream.pix_fmt = *voxels.shape[2:], "gray"
        for plane in voxels[:, 0]:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(plane), format="gray")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


_STATED = {"spacing": True, "times": True}
_PLACED = {"place": True, **_STATED}

WRITERS = (
    Writer("nifti", "a.nii", _nifti, **_PLACED),
    Writer("nifti", "a.nii.gz", _nifti, **_PLACED),
    Writer("metaimage", "a.mha", _itk, **_PLACED),
    Writer("metaimage", "a.mhd", _itk, **_PLACED),
    Writer("nrrd", "a.nrrd", _itk, **_PLACED),
    Writer("nrrd", "b.nrrd", _nrrd, **_PLACED),
    Writer("nrrd", "a.nhdr", _nrrd, **_PLACED),
    Writer("tiff", "imagej.tif", _imagej, whole=0.95, **_STATED),
    Writer("tiff", "a.ome.tiff", _ome, whole=0.95, **_STATED),
    Writer("tiff", "pages.tif", _pages, axes=3, whole=0.95),
    Writer("png", "a.png", _picture, axes=2, whole=0.8),
    Writer("jpeg", "a.jpg", _picture, axes=2, exact=False, whole=0.9),
    Writer("video", "a.avi", _video, times=True, whole=0.7),
    Writer("video", "a.mkv", _video, times=True, whole=0.7),
)
"""Video has frames of one plane: of four axes, z is 1."""

FLAT = ("png", "jpeg", "video")


def values(writer: Writer, axes: int, dtype: str = "uint8") -> NDArray:
    """(t, z, y, x) that the format can hold, with the marked voxel of `foreign` brightest."""
    frames = 3 if axes == 4 else 1
    slices = foreign.SHAPE[0] if axes > 2 and writer.format not in FLAT else 1
    voxels = np.stack([foreign.voxels(dtype) + 2 * t for t in range(frames)]).astype(dtype)
    return np.ascontiguousarray(voxels[:, 1 : 1 + slices] if slices == 1 else voxels)
