"""A simulated cohort of chest CT slices, each with all of its answers."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.science.physics.anatomy import FIELD_MM, Build, Sex, sample_build
from hounsfield.science.physics.lesions import DIAMETER_RANGE_MM, LESION_TYPES, LesionType
from hounsfield.science.physics.noise import measure_at_dose
from hounsfield.science.physics.phantom import thorax_phantom
from hounsfield.science.physics.projection import ParallelBeam, hu_to_mu
from hounsfield.science.physics.reconstruction import Window, reconstruct_hu

PHOTONS = 1e5
"""Default dose: photons towards each detector bin and view."""

_SCANNERS: tuple[tuple[str, Window], ...] = (
    ("scanner-a", "cosine"),
    ("scanner-b", "shepp-logan"),
    ("scanner-c", "ram-lak"),
)
_HU_RANGE = (-1024, 3071)
_DISEASED_PATIENTS = 0.65
_ELECTRONIC_SD = 3.0
_MORE_LESIONS: dict[LesionType, tuple[int, float]] = {
    "consolidation": (1, 0.1),
    "ground-glass": (1, 0.1),
    "nodule": (3, 0.45),
}
"""At most how many lesions of a kind follow its first, and the chance of each."""


@dataclass(frozen=True)
class CtTargets:
    """The answers of a slice: one of each kind of target.

    Parameters
    ----------
    lesion_present : bool
    lesion_types : tuple of str
        Kinds present, in alphabetical order: "consolidation", "ground-glass", "nodule".
    grade : int
        Extent, 0 (none) to 3, see `lesions.grade_extent`.
    diameter_mm : float or None
        Long diameter of the largest lesion, None where there is none.
    """

    lesion_present: bool
    lesion_types: tuple[LesionType, ...]
    grade: int
    diameter_mm: float | None


@dataclass(frozen=True)
class CtAttributes:
    """What is recorded beside a slice, none of it related to the answers.

    Parameters
    ----------
    scanner : str
        Name of the machine, which fixes the reconstruction window.
    photons : float
        Dose: photons towards each bin and view.
    age_years : int
    sex : {"F", "M"}
    """

    scanner: str
    photons: float
    age_years: int
    sex: Sex


@dataclass(frozen=True)
class CtSlice:
    """One simulated slice.

    Parameters
    ----------
    hu : ndarray of int16, shape (y, x)
        Reconstructed CT numbers, -1024 to 3071.
    lesion_mask : ndarray of bool, shape (y, x)
        Where lesions are.
    patient : str
        Such as "P001".
    index : int
        Number of the slice within the patient, from 0.
    targets : CtTargets
    attributes : CtAttributes
    pixel_mm : float
        Edge of a pixel.
    """

    hu: npt.NDArray[np.int16]
    lesion_mask: npt.NDArray[np.bool_]
    patient: str
    index: int
    targets: CtTargets
    attributes: CtAttributes
    pixel_mm: float


@dataclass(frozen=True)
class CtCohort:
    """Simulated slices, patient after patient, and the seed that made them."""

    slices: tuple[CtSlice, ...]
    seed: int

    def __len__(self) -> int:
        """Return the number of slices."""
        return len(self.slices)

    def __iter__(self) -> Iterator[CtSlice]:
        """Go through the slices, patient after patient."""
        return iter(self.slices)


@dataclass(frozen=True)
class _Patient:
    name: str
    build: Build
    attributes: CtAttributes
    window: Window
    diseased: bool
    leaning: tuple[float, ...]
    severity: float


def simulate_ct_cohort(
    *, patients: int, slices_per_patient: int = 5, size: int = 128, photons: float = PHOTONS, seed: int = 0
) -> CtCohort:
    """Simulate a cohort: phantom, projection, photon noise, filtered back-projection.

    Parameters
    ----------
    patients : int
        At least 1.
    slices_per_patient : int, default 5
        At least 1.
    size : int, default 128
        Pixels along y and x; at least 32.
    photons : float, default 1e5
        Median dose; patients vary from half to double.
    seed : int, default 0
        At least 0.

    Returns
    -------
    CtCohort
        ``patients * slices_per_patient`` slices.

    Raises
    ------
    InputError
        If an argument is out of its range.

    Notes
    -----
    Every patient and slice has its own random stream, so slice k of patient p is the same in a cohort of any size.
    About half of the slices have a lesion: two thirds of the patients are ill, with lesions in most but not all of
    their slices.
    """
    return CtCohort(
        slices=tuple(
            simulate_ct_slice(patient, index, size=size, photons=photons, seed=seed)
            for patient in range(_at_least(1, patients, "patients"))
            for index in range(_at_least(1, slices_per_patient, "slices_per_patient"))
        ),
        seed=seed,
    )


def simulate_ct_slice(patient: int, index: int, *, size: int = 128, photons: float = PHOTONS, seed: int = 0) -> CtSlice:
    """Simulate one slice of `simulate_ct_cohort`, which depends on nothing but these arguments.

    Parameters
    ----------
    patient, index : int
        Number of the patient and of the slice within the patient, both from 0.
    size : int, default 128
        Pixels along y and x; at least 32.
    photons : float, default 1e5
        Median dose of the cohort.
    seed : int, default 0

    Returns
    -------
    CtSlice

    Raises
    ------
    InputError
        If an argument is out of its range.
    """
    _at_least(32, size, "size")
    _at_least(0, min(patient, index, seed), "patient, index and seed")
    person = _sample_patient(patient, photons, seed)
    rng = stream(seed, f"ct-slice-{patient}", sample=index)
    phantom = thorax_phantom(
        person.build, float(rng.uniform(0.05, 0.95)), wanted=_sample_disease(person, rng), size=size, rng=rng
    )
    geometry = ParallelBeam(size, FIELD_MM / size, views=size * 3 // 2)
    clean = geometry.forward(hu_to_mu(phantom.hu))
    noisy = measure_at_dose(clean, person.attributes.photons, rng=rng, electronic_sd=_ELECTRONIC_SD)
    image = reconstruct_hu(noisy, geometry, window=person.window)
    return CtSlice(
        hu=np.clip(np.rint(image), *_HU_RANGE).astype(np.int16),
        lesion_mask=phantom.lesion_mask,
        patient=person.name,
        index=index,
        targets=CtTargets(
            lesion_present=bool(phantom.findings),
            lesion_types=phantom.lesion_types,
            grade=phantom.grade,
            diameter_mm=phantom.diameter_mm,
        ),
        attributes=person.attributes,
        pixel_mm=phantom.pixel_mm,
    )


def _sample_patient(patient: int, photons: float, seed: int) -> _Patient:
    rng = stream(seed, "ct-patient", sample=patient)
    build = sample_build(rng)
    scanner, window = _SCANNERS[int(rng.integers(len(_SCANNERS)))]
    dose = float(np.round(photons * 2.0 ** rng.uniform(-1.0, 1.0)))
    return _Patient(
        name=f"P{patient + 1:03d}",
        build=build,
        attributes=CtAttributes(scanner, dose, build.age_years, build.sex),
        window=window,
        diseased=bool(rng.random() < _DISEASED_PATIENTS),
        leaning=tuple(float(p) for p in rng.dirichlet(np.full(len(LESION_TYPES), 1.5))),
        severity=float(rng.beta(0.6, 0.6)),
    )


def _sample_disease(person: _Patient, rng: np.random.Generator) -> list[tuple[LesionType, float]]:
    """Draw the kinds and diameters of a slice's lesions, largest first."""
    if not person.diseased or rng.random() > 0.8:
        return []
    severity = float(np.clip(person.severity + rng.normal(0.0, 0.2), 0.0, 1.0))
    kinds = int(rng.choice([1, 2, 3], p=[0.65, 0.28, 0.07]))
    chosen = rng.choice(len(LESION_TYPES), size=kinds, replace=False, p=_mixed(person.leaning))
    wanted: list[tuple[LesionType, float]] = []
    for kind in (LESION_TYPES[int(k)] for k in chosen):
        low, high = DIAMETER_RANGE_MM[kind]
        most, chance = _MORE_LESIONS[kind]
        for share in (severity, *[0.5 * severity] * int(rng.binomial(most, chance))):
            nearby = float(np.clip(share + rng.normal(0.0, 0.1), 0.0, 1.0))
            wanted.append((kind, low + (high - low) * nearby))
    return sorted(wanted, key=lambda lesion: -lesion[1])


def _mixed(leaning: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """Return a patient's leaning towards kinds, mixed with an even chance, so that every kind stays possible."""
    mixed = 0.7 * np.asarray(leaning) + 0.3 / len(leaning)
    return np.asarray(mixed / mixed.sum())


def _at_least(least: int, value: int, name: str) -> int:
    """Return the value, or refuse it."""
    if value < least:
        raise InputError(f"{name} is {value}.", expected=f"{name} >= {least}", next_step=f"give {least} or more")
    return value
