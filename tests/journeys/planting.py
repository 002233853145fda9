"""Two dozen files with one person's identifiers planted in as many places, and what must be left of each."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from PIL import Image, ImageDraw, PngImagePlugin
from pydicom import Dataset, dcmread

from hounsfield.core.types import AnyArray
from tests.data_room.dicom import planted

SECRETS = (
    "Kowalewska", "Zofia", "PID-778899", "ACC4455667", "Feldmann", "Ulrich", "19510923", "20190412",
    "2019-04-12", "12.04.2019", "Lindenweg", "山田", "Иванов", "zofia.k@mail.example", "030 555 0199",
)  # fmt: skip
GREY = planted.anatomy(96)[0]


@dataclass(frozen=True)
class Planted:
    """A file, and what its output must still hold.

    Parameters
    ----------
    path : str
        Where it lies below the input.
    content : bytes
    same : callable or None
        The part that must be equal in input and output; None where the file has to be withheld.
    """

    path: str
    content: bytes
    same: Callable[[bytes], object] | None


def dicom_pixels(content: bytes) -> object:
    return dcmread(io.BytesIO(content)).pixel_array.tobytes()


def dicom_rows(content: bytes) -> object:
    return dcmread(io.BytesIO(content)).SOPClassUID


def picture(content: bytes) -> object:
    with Image.open(io.BytesIO(content)) as opened:
        return opened.size, opened.mode, np.asarray(opened).tobytes(), opened.info.get("icc_profile")


def voxels(content: bytes) -> object:
    image = nib.Nifti1Image.from_bytes(gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)
    return np.asanyarray(image.dataobj).tobytes(), image.affine.tobytes(), image.header["datatype"].tobytes()


def _dicom(change: Callable[[Dataset], None] | None = None) -> bytes:
    dataset = planted.with_pixels(planted.plain(), GREY[None])
    if change is not None:
        change(dataset)
    return planted.stored(dataset)


def _nested(dataset: Dataset) -> None:
    item = Dataset()
    item.RequestingPhysician, item.ScheduledProcedureStepDescription = "Feldmann^Ulrich", "for Kowalewska"
    for _ in range(5):
        outer = Dataset()
        outer.ConceptNameCodeSequence = planted.nested(item)
        item = outer
    dataset.ProcedureCodeSequence = planted.nested(item)


def _private(dataset: Dataset) -> None:
    block = dataset.private_block(0x0029, "ACME PRIVATE", create=True)
    block.add_new(0x10, "OB", "Kowalewska PID-778899".encode("utf-16-le"))


def _overlay(dataset: Dataset) -> None:
    for element, vr, value in ((0x10, "US", 96), (0x11, "US", 96), (0x3000, "OW", b"Kowalewska".ljust(1152, b"\0"))):
        dataset.add_new(0x60000000 + element, vr, value)


def _icon(dataset: Dataset) -> None:
    icon = Dataset()
    icon.BitsAllocated, icon.PixelData = 8, b"Kowalewska"
    icon["PixelData"].VR = "OB"
    dataset.IconImageSequence = planted.nested(icon)


def _padding(dataset: Dataset) -> None:
    dataset.add_new(0xFFFCFFFC, "OB", b"Kowalewska")


def _in_script(charset: list[str], name: str) -> Callable[[Dataset], None]:
    def change(dataset: Dataset) -> None:
        dataset.SpecificCharacterSet = charset
        dataset.PatientName = name

    return change


def _preamble() -> bytes:
    return b"Kowalewska PID-778899".ljust(128, b"\0") + _dicom()[128:]


def burned_in() -> tuple[bytes, AnyArray, AnyArray]:
    """Return a cine with a name in its last frame only, its frames, and where the letters are."""
    frames = planted.anatomy(160, count=6)
    last = Image.fromarray(frames[-1])
    ImageDraw.Draw(last).text((20, 30), "KOWALEWSKA ZOFIA", fill=255)
    shown = frames.copy()
    shown[-1] = np.asarray(last)
    dataset = planted.with_pixels(planted.plain(planted.ULTRASOUND_CINE), shown)
    dataset.Modality = "US"
    return planted.stored(dataset), shown, shown[-1] != frames[-1]


def _frames_but_last(content: bytes) -> object:
    return dcmread(io.BytesIO(content)).pixel_array[:-1].tobytes()


def _compressed() -> bytes:
    dataset = planted.with_pixels(planted.plain(planted.SECONDARY), GREY[None])
    return planted.stored(planted.as_jpeg(dataset, [planted.jpeg_with_comment(GREY, b"Kowalewska PID-778899")]))


def _report() -> bytes:
    dataset = planted.plain(planted.REPORT)
    dataset.Modality, dataset.ValueType = "SR", "CONTAINER"
    text, person = Dataset(), Dataset()
    text.ValueType, text.TextValue = "TEXT", "Mrs Kowalewska, seen on 12.04.2019"
    person.ValueType, person.PersonName = "PNAME", "Feldmann^Ulrich"
    dataset.ContentSequence = planted.nested(text, person)
    return planted.stored(dataset)


def _document() -> bytes:
    dataset = planted.plain(planted.DOCUMENT)
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    dataset.EncapsulatedDocument = _pdf()
    return planted.stored(dataset)


def _pdf() -> bytes:
    page = zlib.compress(b"BT (Report on Zofia Kowalewska, PID-778899) Tj ET")
    return (
        b"%PDF-1.4\n1 0 obj <</Filter/FlateDecode/Length "
        + str(len(page)).encode()
        + b">>stream\n"
        + page
        + b"\nendstream\n%%EOF\n"
    )


def _png(**chunks: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    for key, value in chunks.items():
        info.add_text(key, value, zip=key == "Comment")
    out = io.BytesIO()
    Image.fromarray(GREY).save(out, "PNG", pnginfo=info)
    return out.getvalue()


def _jpeg(*, exif: bool) -> bytes:
    out, tags = io.BytesIO(), Image.Exif()
    if exif:
        tags[0x013B], tags[0x0132], tags[0x010E] = "Feldmann Ulrich", "2019:04:12 10:11:12", "Kowalewska"
        tags.get_ifd(0x8825)[1] = "N"
        tags.get_ifd(0x8825)[2] = (52.0, 13.0, 11.0)
    Image.fromarray(GREY).save(
        out, "JPEG", quality=90, exif=tags if exif else b"", comment=b"" if exif else b"Zofia Kowalewska 19510923"
    )
    return out.getvalue()


def _tiff() -> bytes:
    import tifffile

    out = io.BytesIO()
    tifffile.imwrite(
        out,
        GREY.astype(np.uint16) * 200,
        description="Kowalewska Zofia",
        software="PID-778899",
        datetime="2019:04:12 10:11:12",
    )
    return out.getvalue()


def _nifti() -> bytes:
    image = nib.Nifti1Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.diag([2.0, 2.0, 3.0, 1.0]))
    image.header["descrip"], image.header["aux_file"] = b"Kowalewska Zofia", b"PID-778899"
    image.header["db_name"] = b"19510923"
    image.header.extensions.append(nib.nifti1.Nifti1Extension(2, _dicom()))
    return gzip.compress(image.to_bytes())


VOXELS = np.arange(60, dtype="<i2").reshape(5, 4, 3)


def _nrrd() -> bytes:
    head = (
        "NRRD0005\n# Kowalewska\ntype: short\ndimension: 3\nsizes: 3 4 5\nendian: little\nencoding: gzip\n"
        "content: Zofia Kowalewska\nDICOM_0010_0020_PatientID:=PID-778899\nbirth:=2019-04-12\n\n"
    )
    return head.encode() + gzip.compress(VOXELS.tobytes())


def _metaimage() -> bytes:
    head = (
        "ObjectType = Image\nNDims = 3\nComment = Kowalewska^Zofia PID-778899\nBinaryData = True\nDimSize = 3 4 5\n"
        "AcquisitionDate = 2019-04-12\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    )
    return head.encode() + VOXELS.tobytes()


def text_voxels(content: bytes) -> object:
    if content[:4] == b"NRRD":
        return gzip.decompress(content.partition(b"\n\n")[2])
    return content.partition(b"LOCAL\n")[2]


def _npz() -> bytes:
    out = io.BytesIO()
    np.savez(out, train_images=VOXELS)
    with zipfile.ZipFile(out, "a") as archive:
        archive.comment = b"Kowalewska PID-778899"
    return out.getvalue()


def arrays(content: bytes) -> object:
    with np.load(io.BytesIO(content)) as archive:
        return {name: archive[name].tobytes() for name in archive}


EVENTS = b"+0\x14\x14\0+1.5\x14Sleep stage W\x14\0+3\x152\x14Kowalewska awake\x14\0"


def _edf() -> bytes:
    head = b"0".ljust(8) + b"PID-778899 F 23-SEP-1951 Zofia_Kowalewska".ljust(80)
    head += b"Startdate 12-APR-2019 ACC4455667 Feldmann Acme".ljust(80) + b"12.04.1910.11.12"
    head += b"768".ljust(8) + b"EDF+C".ljust(44) + b"1".ljust(8) + b"1".ljust(8) + b"2".ljust(4)
    fields = (
        (16, "EEG Fpz", "EDF Annotations"), (80, "Ag cup of Kowalewska", ""),
        (8, "uV", ""), (8, "-1", "-1"), (8, "1", "1"),
        (8, "-32768", "-32768"), (8, "32767", "32767"), (80, "HP:0.1Hz", ""), (8, "100", "60"), (32, "", ""),
    )  # fmt: skip
    for widths in fields:
        head += b"".join(str(text).encode().ljust(int(widths[0])) for text in widths[1:])
    return head + np.arange(100, dtype="<i2").tobytes() + EVENTS.ljust(120, b"\0")


def edf_samples(content: bytes) -> object:
    return content[768:968], content[968:].count(b"\x14"), b"Sleep stage W" in content


_HEADER = (
    b"kowalewska_778899 1 360 50 10:11:12 12/04/2019\n"
    b"kowalewska_778899.dat 16 200(0)/mV 16 0 0 0 0 MLII\n"
    b"# Zofia Kowalewska, born 23.09.1951\n# 67 F\n"
)
_CSV = (
    "patient_id,name,birth_date,visit,phone,mail,image,diagnosis,age,area_mm2,notes\n"
    "PID-778899,Zofia Kowalewska,23.09.1951,12.04.2019,030 555 0199,zofia.k@mail.example,"
    "kowalewska.png,benign,93,12.5,seen by Dr Feldmann for a lump in the left breast\n"
    "PID-112233,Jan Nowak,01.02.1960,13.04.2019,030 555 0211,jan.n@mail.example,"
    "nowak.png,malignant,51,17.25,second visit of the same patient in this year\n"
)


def _xlsx() -> bytes:
    import openpyxl
    from openpyxl.comments import Comment

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    book.properties.creator = "Feldmann Ulrich"
    for row in _CSV.splitlines():
        sheet.append(row.split(","))
    sheet["H2"].comment = Comment("Kowalewska, see letter", "Feldmann")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _parquet() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    table = pa.table(
        {"patient": ["PID-778899", "PID-112233"], "surname": ["Kowalewska", "Nowak"], "area": [12.5, 17.25]}
    )
    pq.write_table(table.replace_schema_metadata({"author": "Feldmann Ulrich"}), out)
    return out.getvalue()


def csv_figures(content: bytes) -> object:
    rows = [line.split(",") for line in content.decode().splitlines()]
    at = [rows[0].index(name) for name in ("diagnosis", "area_mm2")]
    return [[row[i] for i in at] for row in rows]


def xlsx_figures(content: bytes) -> object:
    import openpyxl

    rows = list(openpyxl.load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(values_only=True))
    at = [rows[0].index(name) for name in ("diagnosis", "area_mm2")]
    return [[row[i] for i in at] for row in rows]


def parquet_figures(content: bytes) -> object:
    import pyarrow.parquet as pq

    return pq.read_table(io.BytesIO(content)).column("area").to_pylist()


def _second_line(content: bytes) -> object:
    return content.split(b"\n")[1].split()[1:]


def planted_files() -> tuple[Planted, ...]:
    """Return all files, each with the secrets of one person in another place."""
    return (
        Planted("dicom/header.dcm", _dicom(), dicom_pixels),
        Planted("dicom/nested.dcm", _dicom(_nested), dicom_pixels),
        Planted("dicom/private utf-16.dcm", _dicom(_private), dicom_pixels),
        Planted("dicom/overlay.dcm", _dicom(_overlay), dicom_pixels),
        Planted("dicom/icon.dcm", _dicom(_icon), dicom_pixels),
        Planted("dicom/padding.dcm", _dicom(_padding), dicom_pixels),
        Planted("dicom/preamble.dcm", _preamble(), dicom_pixels),
        Planted(
            "dicom/japanese.dcm", _dicom(_in_script(["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎")), dicom_pixels
        ),
        Planted("dicom/cyrillic.dcm", _dicom(_in_script(["ISO_IR 144"], "Иванов^Пётр")), dicom_pixels),
        Planted("dicom/burned in.dcm", burned_in()[0], _frames_but_last),
        Planted("dicom/jpeg comment.dcm", _compressed(), dicom_pixels),
        Planted("dicom/report.dcm", _report(), dicom_rows),
        Planted("dicom/document.dcm", _document(), None),
        Planted("letter.pdf", _pdf(), None),
        Planted("pictures/text.png", _png(Author="Feldmann Ulrich", Comment="Zofia Kowalewska PID-778899"), picture),
        Planted("pictures/exif.jpg", _jpeg(exif=True), picture),
        Planted("pictures/comment.jpg", _jpeg(exif=False), picture),
        Planted("pictures/tags.tif", _tiff(), picture),
        Planted("Kowalewska_Zofia/19510923-PID-778899.png", _png(), picture),
        Planted("volume.nii.gz", _nifti(), voxels),
        Planted("volume.nrrd", _nrrd(), text_voxels),
        Planted("volume.mha", _metaimage(), text_voxels),
        Planted("data.npz", _npz(), arrays),
        Planted("sidecar.json", b'{"PatientName": "Kowalewska^Zofia", "EchoTime": 0.1}', None),
        Planted("sleep.edf", _edf(), edf_samples),
        Planted("kowalewska_778899.hea", _HEADER, _second_line),
        Planted("kowalewska_778899.dat", struct.pack("<50h", *range(50)), bytes),
        Planted("answers.csv", _CSV.encode(), csv_figures),
        Planted("answers.xlsx", _xlsx(), xlsx_figures),
        Planted("answers.parquet", _parquet(), parquet_figures),
        Planted("notes.txt", b"Zofia Kowalewska was here on 12.04.2019", None),
    )


def plant(root: Path) -> tuple[Planted, ...]:
    """Write all files below a folder."""
    files = planted_files()
    for file in files:
        place = root / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.content)
    return files


def opened_up(content: bytes) -> list[bytes]:
    """Return a content and what this test knows to be packed in it: zip members, gzip, PNG texts."""
    views = [content]
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            views += [file.read(n) for n in file.namelist()]
    if content[:2] == b"\x1f\x8b":
        views.append(gzip.decompress(content))
    if content[:4] == b"\x89PNG":
        with Image.open(io.BytesIO(content)) as opened:
            opened.load()
            views.append(repr(opened.info).encode())
    return views
