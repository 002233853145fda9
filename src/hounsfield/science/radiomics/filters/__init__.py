"""Image filters of the second chapter of the Image Biomarker Standardisation Initiative (IBSI 2, arXiv:2006.05470).

Enters: a volume ``z y x`` and its spacing in mm. Leaves: a response map of the same size, an image as any other.
"""

from hounsfield.core.tables import Table
from hounsfield.science.radiomics.filters.protocol import ImageFilter

FILTERS = Table(
    "image filter",
    {
        "mean": "hounsfield.science.radiomics.filters.mean:Mean",
        "laplacian": "hounsfield.science.radiomics.filters.laplacian:LaplacianOfGaussian",
        "laws": "hounsfield.science.radiomics.filters.laws:Laws",
        "gabor": "hounsfield.science.radiomics.filters.gabor:Gabor",
        "wavelet": "hounsfield.science.radiomics.filters.wavelet:Wavelet",
        "simoncelli": "hounsfield.science.radiomics.filters.simoncelli:Simoncelli",
        "riesz-laplacian": "hounsfield.science.radiomics.filters.riesz:RieszLaplacian",
        "riesz-simoncelli": "hounsfield.science.radiomics.filters.riesz:RieszSimoncelli",
    },
)
"""Image filters by name; adding one is a file and a line here."""


def resolve(name: str) -> type[ImageFilter]:
    """Return the class of an image filter.

    Parameters
    ----------
    name : str
        A key of :data:`FILTERS`.

    Returns
    -------
    type
        A frozen dataclass; its fields are the filter's parameters.

    Raises
    ------
    UnknownNameError
        If no filter has the name; the nearest one is named.
    TypeError
        If the table's line leads to something that is no filter.
    """
    found = FILTERS.resolve(name)
    if not (isinstance(found, type) and callable(getattr(found, "apply", None))):
        raise TypeError(f"the image filter {name} is no class with a method apply")
    return found
