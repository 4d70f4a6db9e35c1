"""DICOM data sets made in tests, with pydicom, GDCM and Pillow; no reader of heartseg in it."""

import io
import tempfile
from pathlib import Path

import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from heartseg.formats.box import Box
from heartseg.formats.dicom import Header, scan
from heartseg.formats.dicom_pixels import read_pixels


def data_set(
    pixels: NDArray, *, bits: int = 0, kind: str = "MONOCHROME2", **more: object
) -> Dataset:
    """(frames, rows, columns) or (frames, rows, columns, 3) as an uncompressed data set."""
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = MRImageStorage, generate_uid()
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3", "1.2.3.1"
    ds.Modality, ds.SeriesNumber = "MR", "7"
    ds.NumberOfFrames, ds.Rows, ds.Columns = pixels.shape[:3]
    ds.SamplesPerPixel = 3 if pixels.ndim == 4 else 1
    if pixels.ndim == 4:
        ds.PlanarConfiguration = 0
    ds.PhotometricInterpretation = kind
    ds.BitsAllocated = pixels.itemsize * 8
    ds.BitsStored = bits or ds.BitsAllocated
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    ds.PixelData = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    ds["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for keyword, value in more.items():
        setattr(ds, keyword, value)
    return ds


def save(path: Path, ds: Dataset) -> Path:
    """Write a whole DICOM file."""
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.save_as(path, enforce_file_format=True)
    return path


def enclosed(
    ds: Dataset, frames: list[bytes], syntax: str, *, fragments: int = 1, table: bool = True
) -> Dataset:
    """The data set with these compressed frames in place of its pixels."""
    ds.PixelData = encapsulate(frames, fragments_per_frame=fragments, has_bot=table)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    return ds


def by_gdcm(frame: NDArray, syntax: int, bits: int, *, lossy: bool = False) -> bytes:
    """One grey frame compressed by GDCM; `syntax` is a member of its TransferSyntax.

    From file to file: its Python objects fall when they are released in another order.
    """
    import gdcm

    with tempfile.TemporaryDirectory() as folder:
        plain = save(Path(folder, "plain.dcm"), data_set(frame[None], bits=bits))
        reader, change = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax()
        writer, codec = gdcm.ImageWriter(), gdcm.JPEGCodec()
        reader.SetFileName(str(plain))
        assert reader.Read()
        change.SetTransferSyntax(gdcm.TransferSyntax(syntax))
        if lossy:
            codec.SetLossless(False)
            codec.SetQuality(100)
            change.SetUserCodec(codec)
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer.SetFileName(str(plain.with_name("coded.dcm")))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        ds = pydicom.dcmread(plain.with_name("coded.dcm"))
    (coded,) = generate_frames(ds.PixelData, number_of_frames=1)
    return coded


def jpeg(frame: NDArray, **options: object) -> bytes:
    """One 8-bit frame as JPEG baseline by Pillow."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(frame).save(stream, "JPEG", quality=95, **options)
    return stream.getvalue()


def header_of(path: Path) -> tuple[Header, list[str]]:
    """The one header at a path, and the notes."""
    with Box(path) as box:
        (header,), notes = scan(box)
    return header, notes


def pixels_of(path: Path) -> NDArray:
    """(frames, rows, columns) as heartseg reads them."""
    header, _ = header_of(path)
    with Box(path) as box:
        return read_pixels(box, header)
