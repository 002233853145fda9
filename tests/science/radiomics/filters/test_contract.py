"""What holds for every filter of the table."""

import dataclasses
import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest

from hounsfield.core.errors import InputError, UnknownNameError
from hounsfield.core.streams import stream
from hounsfield.science.radiomics.filters import FILTERS, resolve
from hounsfield.science.radiomics.filters.boundaries import Boundary
from hounsfield.science.radiomics.filters.gabor import Gabor, Planes
from hounsfield.science.radiomics.filters.laplacian import LaplacianOfGaussian
from hounsfield.science.radiomics.filters.laws import Laws
from hounsfield.science.radiomics.filters.mean import Mean
from hounsfield.science.radiomics.filters.protocol import ImageFilter
from hounsfield.science.radiomics.filters.riesz import RieszLaplacian
from hounsfield.science.radiomics.filters.rotations import Pooling
from hounsfield.science.radiomics.filters.wavelet import Wavelet

SPACING = (2.0, 1.0, 1.0)


def _noise(*shape: int) -> npt.NDArray[np.float64]:
    return stream(0, "test contract", len(shape), sum(shape)).normal(size=shape)


def _filter(name: str) -> ImageFilter:
    return resolve(name)()


@pytest.mark.parametrize("name", FILTERS.names())
def test_a_filter_is_frozen_comparable_and_told_by_its_repr(name: str) -> None:
    made = _filter(name)
    assert hasattr(made, "__dataclass_fields__")
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(made, "boundary", Boundary.ZERO)  # noqa: B010  # said so that types do not forbid what is tested
    assert made == _filter(name)
    assert hash(made) == hash(_filter(name))
    assert made.ndim in (2, 3)


@pytest.mark.parametrize("name", FILTERS.names())
@pytest.mark.parametrize("boundary", Boundary)
def test_response_has_the_size_and_kind_of_the_volume(name: str, boundary: Boundary) -> None:
    made = dataclasses.replace(_filter(name), boundary=boundary)  # type: ignore[type-var]  # a dataclass, as above
    volume = _noise(6, 11, 9)
    kept = volume.copy()
    double = made.apply(volume, SPACING)
    single = made.apply(volume.astype(np.float32), SPACING)
    np.testing.assert_array_equal(volume, kept)
    assert (str(double.dtype), str(single.dtype)) == ("float64", "float32")
    assert double.shape == single.shape == volume.shape
    assert double.flags.c_contiguous
    np.testing.assert_allclose(single, double, atol=1e-5 * np.abs(double).max())
    np.testing.assert_array_equal(made.apply(np.asfortranarray(volume), SPACING), double)


@pytest.mark.parametrize("name", FILTERS.names())
def test_whole_numbers_are_as_good_as_floating_point(name: str) -> None:
    volume = (100 * _noise(4, 8, 8)).astype(np.int16)
    np.testing.assert_array_equal(
        _filter(name).apply(volume, SPACING), _filter(name).apply(volume.astype(np.float64), SPACING)
    )


@pytest.mark.parametrize("name", FILTERS.names())
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 7, 1), (1, 5, 8), (40, 1, 2)])
def test_thin_volumes(name: str, shape: tuple[int, int, int]) -> None:
    found = _filter(name).apply(_noise(*shape), SPACING)
    assert found.shape == shape
    assert np.isfinite(found).all()


@pytest.mark.parametrize("name", FILTERS.names())
def test_what_cannot_be_filtered_is_refused(name: str) -> None:
    made = _filter(name)
    for wrong in (np.zeros((3, 3)), np.zeros((0, 3, 3)), np.zeros((2, 2, 2), complex)):
        with pytest.raises(InputError):
            made.apply(wrong, SPACING)
    for spacing in ((0.0, 1.0, 1.0), (1.0, float("nan"), 1.0), (1.0, 1.0)):
        with pytest.raises(InputError):
            made.apply(np.zeros((2, 2, 2)), spacing)  # type: ignore[arg-type]  # that it is wrong is the point
    holed = np.zeros((3, 3, 3), np.float32)
    holed[0, 1, 2] = np.nan
    with pytest.raises(InputError, match="1 of 27 voxels"):
        made.apply(holed, SPACING)


REACHING: list[ImageFilter] = [
    Mean(5),
    Mean(7, ndim=2),
    LaplacianOfGaussian(1.5),
    Laws("L5E5E5", Pooling.MAX, energy_radius=3),
    Laws("E3L5", Pooling.AVERAGE),
    Laws("E3L5S5"),
    Wavelet("db3", "LLH", 2, Pooling.AVERAGE),
    Wavelet("db2", "LH", 1, Pooling.MAX),
    Gabor(1.0, 2.0, 1.5, theta_step=np.pi / 2, planes=Planes.ORTHOGONAL),
    Gabor(1.0, 2.0, 1.5),
]


@pytest.mark.parametrize("made", REACHING, ids=repr)
@pytest.mark.parametrize("boundary", [Boundary.MIRROR, Boundary.ZERO])
def test_a_region_with_its_margin_answers_as_the_whole_volume(made: ImageFilter, boundary: Boundary) -> None:
    made = dataclasses.replace(made, boundary=boundary)  # type: ignore[type-var]  # every filter is a dataclass
    volume = _noise(44, 46, 48)
    reach = made.reach(SPACING)
    assert reach is not None
    region = tuple(slice(20, 24) for _ in reach)
    box = tuple(slice(20 - m, 24 + m) for m in reach)
    inside = tuple(slice(m, m + 4) for m in reach)
    assert max(reach) <= 20
    whole = made.apply(volume, SPACING)
    # a Gabor kernel ends where its envelope is 3e-7
    np.testing.assert_allclose(made.apply(volume[box], SPACING)[inside], whole[region], atol=2e-6 * np.abs(whole).max())


def test_reach_counts_voxels_by_their_sides() -> None:
    assert LaplacianOfGaussian(3.0).reach((3.0, 1.0, 1.5)) == (4, 12, 8)
    assert LaplacianOfGaussian(3.0, ndim=2).reach((3.0, 1.0, 1.5)) == (0, 12, 8)
    assert resolve("simoncelli")().reach(SPACING) is None


@pytest.mark.parametrize(
    "made", [Mean(5), LaplacianOfGaussian(3.0), Laws(pooling=Pooling.MAX, energy_radius=7)], ids=repr
)
def test_memory_is_a_few_volumes(made: ImageFilter) -> None:
    volume = _noise(256, 40, 64).astype(np.float32)
    made.apply(volume[:8], SPACING)
    tracemalloc.start()
    made.apply(volume, SPACING)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # the result, the response whose energy is taken, and slabs of 32 of 256 slices
    assert peak < 3.2 * volume.nbytes


@pytest.mark.parametrize(
    "made",
    [
        LaplacianOfGaussian(1e9),
        Gabor(5000.0, 2000.0),
        Mean(100_001),
        Laws("L5E5", energy_radius=10**6),
        Wavelet("db3", "LL", 14),
        RieszLaplacian(500.0),
    ],
    ids=repr,
)
def test_a_mistaken_unit_is_refused_and_not_computed(made: ImageFilter) -> None:
    with pytest.raises(InputError, match="voxels far"):
        made.apply(np.zeros((4, 4, 4)), SPACING)


def test_names() -> None:
    assert resolve("mean") is Mean
    with pytest.raises(UnknownNameError, match="wavelet"):
        resolve("wavelets")
    with pytest.raises(InputError):
        Mean(4)
    with pytest.raises(InputError):
        Mean(3, ndim=1)
    with pytest.raises(InputError):
        LaplacianOfGaussian(-1.0)
    with pytest.raises(InputError):
        Laws("L4E5")
    with pytest.raises(InputError):
        Laws("L5E5", energy_radius=-1)
