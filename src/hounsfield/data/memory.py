"""Arrays handed over in memory."""

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.errors import ReadError
from hounsfield.core.image import Header, Image
from hounsfield.core.types import AnyArray
from hounsfield.data.npz import as_channels_first, check_array


class MemoryReader:
    """Reads ``cohort.arrays[ref.path]``; see `hounsfield.data.npz.as_channels_first` for the axes."""

    def sniff(self, head: bytes, name: str) -> bool:
        """Return False: no file is ever in memory."""
        return False

    def header(self, cohort: Cohort, ref: Ref) -> Header:
        """Return the shape and dtype of the array."""
        array = _array(cohort, ref)
        first = as_channels_first(array)
        return Header(tuple(first.shape[1:]), first.shape[0], array.dtype.itemsize * 8, "ARRAY", array.nbytes)

    def read(self, cohort: Cohort, ref: Ref) -> Image:
        """Return the array as an image; NaN and Inf are refused."""
        array = _array(cohort, ref)
        check_array(array, ref)
        return Image(as_channels_first(array))


def _array(cohort: Cohort, ref: Ref) -> AnyArray:
    if ref.path not in cohort.arrays:
        raise ReadError(
            "An array in memory is missing from the cohort.",
            expected="the cohort that the samples were handed over with",
            next_step="build the cohort again with understand(samples)",
        )
    return cohort.arrays[ref.path]
