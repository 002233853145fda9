"""What a data set says its pixels are, checked against itself before a byte of them is touched."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hounsfield.core.errors import ReadError, case_id
from hounsfield.data.dicom import values
from hounsfield.data.dicom.limits import Limits

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

NATIVE = frozenset(("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"))
"""Transfer syntaxes whose pixel data are not encapsulated."""
_GREY = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT", "YBR_PARTIAL_422", "YBR_PARTIAL_420")
_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


@dataclass(frozen=True)
class Form:
    """The pixel module of a data set (PS3.3 C.7.6.3), every value in its legal range.

    Parameters
    ----------
    keyword : str
        Which element holds the pixels: ``PixelData``, ``FloatPixelData`` or ``DoubleFloatPixelData``.
    syntax : str
        Transfer syntax UID; ``""`` where the file states none, then the pixels are native.
    little : bool
        Byte order of native pixels.
    rows, columns, samples, frames : int
    allocated, stored, high : int
        Bits of a cell, bits of a value, and its highest bit.
    signed : bool
    planar : int
        1 where colours lie one after another as planes.
    photometric : str
    case : str
        What messages call the file.
    """

    keyword: str
    syntax: str
    little: bool
    rows: int
    columns: int
    samples: int
    frames: int
    allocated: int
    stored: int
    high: int
    signed: bool
    planar: int
    photometric: str
    case: str

    @property
    def native(self) -> bool:
        """Whether the pixels are uncompressed."""
        return self.syntax in NATIVE or not self.syntax

    @property
    def cells(self) -> int:
        """Samples of one frame."""
        return self.rows * self.columns * self.samples


def case_of(dataset: "Dataset") -> str:
    """Return what messages call a data set: the hash that it was opened under, or one of its UID."""
    return getattr(dataset, "case", "") or case_id(values.text(dataset, "SOPInstanceUID"))


def refused(case: str, found: str, expected: str, next_step: str = "leave the file out") -> ReadError:
    """Build the error for pixels that cannot be shown rightly."""
    return ReadError(f"Case {case}: {found}.", expected=expected, next_step=next_step)


def form_of(dataset: "Dataset", limits: Limits) -> Form:
    """Return what the pixels are.

    Raises
    ------
    ReadError
        If there are none, if a value of the pixel module is missing or impossible, or if one frame has more
        samples than `limits.frame_pixels`.
    """
    case = case_of(dataset)
    keywords = [keyword for keyword in _KEYWORDS if keyword in dataset]
    if len(keywords) != 1:
        found = "has no pixel data" if not keywords else "has pixel data of two kinds"
        raise refused(case, f"the file {found}", "one element with pixels")
    whole = _Checked(dataset, case)
    keyword = keywords[0]
    floating = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}.get(keyword, 0)
    samples = whole.take("SamplesPerPixel", (1, 3), 1)
    allocated = floating or whole.take("BitsAllocated", (1, 8, 16, 32, 64))
    stored = allocated if floating else whole.take("BitsStored", range(1, allocated + 1), allocated)
    high = whole.take("HighBit", range(stored - 1, allocated), stored - 1) if not floating else allocated - 1
    form = Form(
        keyword=keyword,
        syntax=_syntax(dataset),
        little=dataset.original_encoding[1] is not False,
        rows=whole.take("Rows", range(1, 65536)),
        columns=whole.take("Columns", range(1, 65536)),
        samples=samples,
        frames=whole.take("NumberOfFrames", range(1, 1 << 31), 1),
        allocated=allocated,
        stored=stored,
        high=high,
        signed=whole.take("PixelRepresentation", (0, 1), 0) == 1 and not floating,
        planar=whole.take("PlanarConfiguration", (0, 1), 0) if samples > 1 else 0,
        photometric=whole.photometric(samples),
        case=case,
    )
    if form.cells > limits.frame_pixels:
        raise refused(
            case,
            f"a frame of {form.rows} x {form.columns} x {samples} samples is promised and was not decoded",
            f"at most {limits.frame_pixels:,} samples",
        )
    return form


def _syntax(dataset: "Dataset") -> str:
    meta = getattr(dataset, "file_meta", None)
    return values.text(meta, "TransferSyntaxUID") if meta is not None else ""


@dataclass(frozen=True)
class _Checked:
    """Takes values of the pixel module, each within what is legal."""

    dataset: "Dataset"
    case: str

    def take(self, keyword: str, legal: "tuple[int, ...] | range", absent: int | None = None) -> int:
        if absent is not None and not values.stated(self.dataset, keyword):
            return absent
        found = values.integer(self.dataset, keyword)
        if found is None or found not in legal:
            shown = "is missing or is no whole number" if found is None else f"is {found}"
            spelt = f"{legal[0]} to {legal[-1]}" if isinstance(legal, range) else ", ".join(map(str, legal))
            raise refused(self.case, f"{keyword} {shown}", spelt)
        return found

    def photometric(self, samples: int) -> str:
        found = values.text(self.dataset, "PhotometricInterpretation").upper()
        legal = _GREY if samples == 1 else _COLOUR
        if not found:
            return "MONOCHROME2" if samples == 1 else "RGB"
        if found not in legal:
            known = found if found in _GREY + _COLOUR else "of a kind that is not known"
            raise refused(
                self.case,
                f"PhotometricInterpretation is {known} with {samples} sample(s) per pixel",
                ", ".join(legal),
            )
        return found
