"""The doors that files come in by, each with small real files to damage.

Seeds are cut from the real images: a few slices of a few pixels, everything else as it was found.
A door is opened as a user's command would, down to the last voxel.
"""

import functools
import gzip
import io
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from fuzz_mutations import Packing

Seeds = dict[str, bytes]


def _beside_nothing(folder: Path, name: str, content: bytes) -> Path:
    """The input alone, under its name."""
    path = folder / name
    path.write_bytes(content)
    return path


def _nothing() -> None:
    """No library to load first."""


def _by_suffix(name: str) -> Packing:
    return "gzip" if name.endswith(".gz") else "png" if name.endswith(".png") else ""


def _lines(_: str) -> Packing:
    return "text"


@dataclass(frozen=True, kw_only=True)
class Door:
    """A way in.

    Attributes:
        name: for the command and the tables.
        make_seeds: (folder of real images) -> small files by name.
        open: reads an input as a command would.
        packing: what a seed is made of, by its name.
        place: puts an input and what lies beside it into a folder, gives what to open.
        warm: loads the libraries that the door needs, before memory is counted.
    """

    name: str
    make_seeds: Callable[[Path], Seeds]
    open: Callable[[Path], object]
    packing: Callable[[str], Packing] = _by_suffix
    place: Callable[[Path, str, bytes], Path] = _beside_nothing
    warm: Callable[[], None] = _nothing

    def seeds(self, data: Path) -> Seeds:
        """Small files by name.

        Raises:
            FileNotFoundError: the real images are not there.
        """
        return self.make_seeds(data)


def _read_all(path: Path) -> None:
    """Every study at a path, its pixels, and its references where it has some."""
    from heartseg.core.errors import HeartsegError
    from heartseg.read import find_studies

    refused = None
    for candidate in find_studies(path):
        try:
            candidate.load()
            if candidate.reference is not None:
                candidate.reference()
        except HeartsegError as fault:  # as a batch does: the others are still done
            refused = fault
    if refused is not None:
        raise refused


# Images


def _nifti_seeds(data: Path) -> Seeds:
    """The middle of an ACDC frame and of its labels, packed and plain, 2-D to 4-D."""
    import nibabel

    folder = data / "acdc" / "training" / "patient001"
    seeds: Seeds = {}
    for number, name in enumerate(("patient001_frame01", "patient001_frame12_gt")):
        image = nibabel.load(folder / f"{name}.nii.gz")
        i, j = (size // 2 for size in image.shape[:2])
        cut = image.slicer[i - 20 : i + 4 + number, j - 12 : j + 10, 2:6]
        seeds[f"stack{number}.nii"] = cut.to_bytes()
        seeds[f"stack{number}.nii.gz"] = gzip.compress(cut.to_bytes(), 1)
        voxels = np.asarray(cut.dataobj)
        cine = np.stack([voxels, voxels + 1, voxels], axis=3)
        seeds[f"cine{number}.nii"] = nibabel.Nifti1Image(cine, cut.affine).to_bytes()
        seeds[f"plane{number}.nii"] = nibabel.Nifti2Image(voxels[..., 0], cut.affine).to_bytes()
    return seeds


def _read_nifti(path: Path) -> None:
    from heartseg.core.anatomy import SCHEMES
    from heartseg.core.errors import LabelError
    from heartseg.formats import nifti

    _read_all(path)
    try:
        nifti.read_labels(path, SCHEMES["acdc"])
    except LabelError:
        return  # an image is no label file: that it is said is enough


def _volume_seeds(suffixes: tuple[str, ...], data: Path) -> Seeds:
    """The same volumes as SimpleITK writes them, packed and plain, 2-D to 4-D."""
    import SimpleITK

    seeds: Seeds = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, content in _nifti_seeds(data).items():
            if not name.endswith(".nii") or name.startswith("plane"):  # it reads no NIfTI-2
                continue
            (Path(folder) / name).write_bytes(content)
            image = SimpleITK.ReadImage(Path(folder) / name)
            images = {"": image} if image.GetDimension() == 4 else {"": image, "p": image[..., 0]}
            for (kind, one), suffix, packed in product(images.items(), suffixes, (0, 1)):
                file = Path(folder) / f"{name[:-4]}{kind}{packed}{suffix}"
                SimpleITK.WriteImage(one, file, useCompression=bool(packed))
                seeds[file.name] = file.read_bytes()
    return seeds


def _camus_seeds(data: Path) -> Seeds:
    """Headers whose voxels lie in a file beside them."""
    headers = sorted((data / "camus_original" / "patient0001").glob("*E[DS]*.mhd"))[:4]
    return {header.name: header.read_bytes() for header in headers}


def _beside_its_data(data: Path, folder: Path, name: str, content: bytes) -> Path:
    """A header beside the voxels that it names, which are not damaged."""
    raw = f"{Path(name).stem}.raw"
    if not (folder / raw).exists():
        shutil.copy(data / "camus_original" / "patient0001" / raw, folder)
    return _beside_nothing(folder, name, content)


def _picture_seeds(formats: Mapping[str, str], data: Path) -> Seeds:
    from PIL import Image

    seeds: Seeds = {}
    with Image.open(next((data / "camus" / "images").glob("*.png"))) as picture:
        small = picture.convert("L").resize((48, 40))
    for suffix, name in formats.items():
        for mode in ("L", "RGB", "I;16") if name != "JPEG" else ("L", "RGB"):
            stream = io.BytesIO()
            small.convert("I" if mode == "I;16" else mode).convert(mode).save(stream, name)
            seeds[f"{mode.replace(';', '')}{suffix}"] = stream.getvalue()
    return seeds


def _tiff_seeds(data: Path) -> Seeds:
    """Single and several pages, plain and packed, as Pillow and ImageJ's way of tifffile write."""
    import tifffile
    from PIL import Image

    seeds = _picture_seeds({".tif": "TIFF"}, data)
    cine = np.random.default_rng(1).integers(0, 250, (3, 2, 20, 24), np.uint8)
    for packing in (None, "zlib"):
        stream = io.BytesIO()
        tifffile.imwrite(stream, cine[:, 0], compression=packing, photometric="minisblack")
        seeds[f"pages-{packing}.tif"] = stream.getvalue()
    stream = io.BytesIO()
    Image.fromarray(cine[0, 0]).save(stream, "TIFF", compression="packbits")
    seeds["packbits.tif"] = stream.getvalue()
    stream = io.BytesIO()
    tifffile.imwrite(
        stream, cine, imagej=True, resolution=(2, 2), metadata={"axes": "TZYX", "unit": "mm"}
    )
    seeds["imagej.tif"] = stream.getvalue()
    return seeds


def _video_seeds(_: Path) -> Seeds:
    """A moving disc, as an echo machine exports it."""
    import av

    y, x = np.mgrid[:48, :64]
    kinds = ((".avi", "avi", "mjpeg", "yuvj420p"), (".mp4", "mp4", "mpeg4", "yuv420p"))
    seeds: Seeds = {}
    for suffix, container, codec, pixels in kinds:
        stream = io.BytesIO()
        with av.open(stream, "w", format=container) as out:
            video = out.add_stream(codec, rate=25)
            video.width, video.height, video.pix_fmt = 64, 48, pixels
            for number in range(4):
                disc = (np.hypot(y - 24, x - 25 - 4 * number) < 12).astype(np.uint8) * 180
                frame = av.VideoFrame.from_ndarray(disc, "gray").reformat(format=pixels)
                out.mux(video.encode(frame))
            out.mux(video.encode())
        seeds[f"disc{suffix}"] = stream.getvalue()
    return seeds


def _warm_video() -> None:
    import av  # noqa: F401


# DICOM


def _small_dicom(path: Path, rows: int = 24, columns: int = 20) -> bytes:
    """A real file with the middle of its pixels."""
    import pydicom

    dataset = pydicom.dcmread(path)
    top, left = (dataset.Rows - rows) // 2, (dataset.Columns - columns) // 2
    cut = dataset.pixel_array[..., top : top + rows, left : left + columns]
    pixels = np.ascontiguousarray(cut)
    dataset.PixelData, dataset.Rows, dataset.Columns = pixels.tobytes(), rows, columns
    stream = io.BytesIO()
    dataset.save_as(stream)
    return stream.getvalue()


def _dicom_seeds(data: Path) -> Seeds:
    from heartseg.formats.dicom import quiet

    cine = sorted((data / "sunnybrook" / "SC-HF-I-1" / "dicom").iterdir())
    with quiet():
        seeds = {f"{path.stem}.dcm": _small_dicom(path) for path in cine[:2]}
        seeds["emri.dcm"] = _small_dicom(data / "dicom" / "emri_small.dcm")
        seeds["ect.dcm"] = _small_dicom(data / "dicom" / "eCT_Supplemental.dcm")
    # Compressed ones cannot be cut without being made anew: the smallest as they are.
    whole = ("OBXXXX1A_rle_2frame", "examples_jpeg2k")
    for name in (*whole, "JPGLosslessP14SV1_1s_1f_8b", "examples_palette", "examples_ybr_color"):
        seeds[f"{name}.dcm"] = (data / "dicom" / f"{name}.dcm").read_bytes()
    return seeds


def _seg_seeds(data: Path) -> Seeds:
    names = ("liver_1frame", "seg_image_ct_binary", "seg_image_ct_binary_overlap")
    names = (*names, "seg_image_ct_true_fractional", "seg_image_ct_binary_single_frame")
    return {f"{name}.dcm": (data / "dicom" / f"{name}.dcm").read_bytes() for name in names}


def _read_seg(path: Path) -> None:
    from heartseg.formats import dicom_seg

    dicom_seg.read_seg(path)


def _directory_seeds(_: Path) -> Seeds:
    """The index of a small exchange medium."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage, generate_uid

    records = []
    for number in range(3):
        record = Dataset()
        record.OffsetOfTheNextDirectoryRecord = (
            record.OffsetOfReferencedLowerLevelDirectoryEntity
        ) = 0
        record.RecordInUseFlag, record.DirectoryRecordType = 0xFFFF, "IMAGE"
        record.ReferencedFileID = f"IM{number}"
        records.append(record)
    index = Dataset()
    index.FileSetID, index.DirectoryRecordSequence = "HEART", records
    index.file_meta = FileMetaDataset()
    index.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    index.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    index.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["fuzz"])
    stream = io.BytesIO()
    index.save_as(stream, enforce_file_format=True)
    return {"DICOMDIR": stream.getvalue()}


def _directory_place(data: Path, folder: Path, name: str, content: bytes) -> Path:
    for number, image in enumerate(list(_dicom_seeds_kept(data).values())[:3]):
        (folder / f"IM{number}").write_bytes(image)
    return _beside_nothing(folder, name, content)


@functools.cache
def _dicom_seeds_kept(data: Path) -> Seeds:
    return _dicom_seeds(data)


def _warm_dicom() -> None:
    import pydicom.pixels  # noqa: F401

    import heartseg.read.dicom_study  # noqa: F401


def _zip_seeds(data: Path) -> Seeds:
    seeds: Seeds = {}
    small = [one for one in _dicom_seeds(data).items() if len(one[1]) < 20_000]
    files = dict(small[1:3])
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as archive:
            for name, content in files.items():
                archive.writestr(f"study/{name}", content)
        seeds[f"packed{method}.zip"] = stream.getvalue()
    return seeds


# Texts that lie beside images, and settings


def _acdc_place(data: Path, folder: Path, name: str, content: bytes) -> Path:
    """A patient whose Info.cfg is the input."""
    patient = folder / "patient001"
    if not patient.is_dir():
        patient.mkdir()
        seeds = _nifti_seeds(data)
        for number in (1, 12):
            for ending in ("", "_gt"):
                file = patient / f"patient001_frame{number:02d}{ending}.nii.gz"
                file.write_bytes(seeds["stack1.nii.gz"])
    (patient / name).write_bytes(content)
    return patient


def _info_seeds(data: Path) -> Seeds:
    text = (data / "acdc" / "training" / "patient001" / "Info.cfg").read_bytes()
    return {"Info.cfg": text}


def _contour_seeds(data: Path) -> Seeds:
    files = (data / "sunnybrook" / "SC-HF-I-1" / "contours").rglob("*contour*.txt")
    return {f"c{number}.txt": file.read_bytes() for number, file in enumerate(sorted(files)[:3])}


def _read_contour(path: Path) -> None:
    from heartseg.read.contour import polygon_mask, read_points

    polygon_mask(read_points(path, 1.0), (256, 256))


def _scheme_seeds(_: Path) -> Seeds:
    return {"scheme.toml": b'[labels]\n1 = "lv"\n2 = "myo"\n# of our tool\n500 = "rv"\n'}


def _read_scheme(path: Path) -> None:
    from heartseg.core.anatomy import scheme

    scheme(str(path))


def _body_seeds(_: Path) -> Seeds:
    rows = "study,sex,age,height_cm,weight_kg,heart_rate\npatient001,F,57,164,72.5,66\np2,M,,,,\n"
    return {"bodies.csv": rows.encode(), "bom.csv": b"\xef\xbb\xbf" + rows.encode()}


def _read_bodies(path: Path) -> None:
    from heartseg.cli.options import bodies

    bodies(path)


def _run_seeds(_: Path) -> Seeds:
    runs = Path(__file__).resolve().parents[1] / "runs"
    others = {runs / "grids", runs / "translate"}  # a grid of runs is no run, a translator no model
    elsewhere = b'base = "../'  # they lie in one folder here
    return {
        file.name: content
        for file in sorted(runs.rglob("*.toml"))
        if not others & set(file.parents) and elsewhere not in (content := file.read_bytes())
    }


def _run_place(folder: Path, name: str, content: bytes) -> Path:
    """A run beside the others, which it may be based on."""
    for other, text in _run_seeds(folder).items():
        (folder / other).write_bytes(text)
    return _beside_nothing(folder, name, content)


def _read_run(path: Path) -> None:
    from heartseg.config import load
    from heartseg.train.settings import RunSettings

    load(RunSettings, path)


def _warm_run() -> None:
    import heartseg.train.run  # noqa: F401


# Models


def _shipped() -> Path:
    return Path(__file__).resolve().parents[1] / "src" / "heartseg" / "bundles" / "cine-mr"


def _onnx_seeds(_: Path) -> Seeds:
    """Small models, such as a stranger would send: the shipped one's bytes would cost an hour."""
    from onnx import TensorProto, helper, numpy_helper

    kernel = numpy_helper.from_array(np.ones((4, 1, 3, 3), np.float32), "kernel")
    nodes = [
        helper.make_node("Conv", ["pixels", "kernel"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Resize", ["b", "", "scales"], ["c"], mode="nearest"),
        helper.make_node("MaxPool", ["c"], ["logits"], kernel_shape=[2, 2], strides=[2, 2]),
    ]
    scales = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales")
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 1, "h", "w"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 4, "h", "w"])],
        [kernel, scales],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return {"model.onnx": model.SerializeToString()}


def _read_onnx(path: Path) -> None:
    from heartseg.segment import onnx_check

    onnx_check.read_onnx(path.read_bytes())


def _bundle_place(folder: Path, name: str, content: bytes) -> Path:
    bundle = folder / "bundle"
    if not bundle.is_dir():
        shutil.copytree(_shipped(), bundle)
    (bundle / name).write_bytes(content)
    return bundle


def _bundle_seeds(_: Path) -> Seeds:
    return {"model.toml": (_shipped() / "model.toml").read_bytes()}


def _read_bundle(path: Path) -> None:
    from heartseg.segment import load_bundle

    load_bundle(str(path))


def _table(doors: Iterable[Door]) -> Mapping[str, Door]:
    return {door.name: door for door in doors}


DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

DOORS = _table(
    [
        Door(name="nifti", make_seeds=_nifti_seeds, open=_read_nifti),
        Door(
            name="metaimage",
            make_seeds=functools.partial(_volume_seeds, (".mha",)),
            open=_read_all,
        ),
        Door(
            name="mhd",
            make_seeds=_camus_seeds,
            open=_read_all,
            packing=_lines,
            place=functools.partial(_beside_its_data, DATA),
        ),
        Door(
            name="nrrd",
            make_seeds=functools.partial(_volume_seeds, (".nrrd",)),
            open=_read_all,
        ),
        Door(
            name="jpeg",
            make_seeds=functools.partial(_picture_seeds, {".jpg": "JPEG"}),
            open=_read_all,
        ),
        Door(
            name="png",
            make_seeds=functools.partial(_picture_seeds, {".png": "PNG"}),
            open=_read_all,
        ),
        Door(name="tiff", make_seeds=_tiff_seeds, open=_read_all),
        Door(name="video", make_seeds=_video_seeds, open=_read_all, warm=_warm_video),
        Door(name="dicom-seg", make_seeds=_seg_seeds, open=_read_seg, warm=_warm_dicom),
        Door(
            name="dicomdir",
            make_seeds=_directory_seeds,
            open=_read_all,
            place=functools.partial(_directory_place, DATA),
            warm=_warm_dicom,
        ),
        Door(name="dicom", make_seeds=_dicom_seeds, open=_read_all, warm=_warm_dicom),
        Door(name="zip", make_seeds=_zip_seeds, open=_read_all, warm=_warm_dicom),
        Door(
            name="info",
            make_seeds=_info_seeds,
            open=_read_all,
            packing=_lines,
            place=functools.partial(_acdc_place, DATA),
        ),
        Door(name="contour", make_seeds=_contour_seeds, open=_read_contour, packing=_lines),
        Door(name="scheme", make_seeds=_scheme_seeds, open=_read_scheme, packing=_lines),
        Door(name="bodies", make_seeds=_body_seeds, open=_read_bodies, packing=_lines),
        Door(
            name="run",
            make_seeds=_run_seeds,
            open=_read_run,
            packing=_lines,
            place=_run_place,
            warm=_warm_run,
        ),
        Door(name="onnx", make_seeds=_onnx_seeds, open=_read_onnx),
        Door(
            name="bundle",
            make_seeds=_bundle_seeds,
            open=_read_bundle,
            packing=_lines,
            place=_bundle_place,
        ),
    ]
)
