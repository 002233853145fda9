"""Features of filtered images: as filtering the whole image gives them, and as IBSI-2 lists them."""

from pathlib import Path

import numpy as np
import pytest
from benchmarks.accuracy import filters as conformity

from hounsfield.core.errors import InputError
from hounsfield.core.image import Grid, Image
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.data.volume.nifti_writing import write_nifti
from hounsfield.science.radiomics.filters.laplacian import LaplacianOfGaussian
from hounsfield.science.radiomics.filters.mean import Mean
from hounsfield.science.radiomics.filters.protocol import ImageFilter
from hounsfield.science.radiomics.filters.simoncelli import Simoncelli
from hounsfield.science.radiomics.labels import marked
from hounsfield.science.radiomics.region import Scene, process
from hounsfield.science.radiomics.responses import Filtered, built, filled
from hounsfield.science.radiomics.settings import Interpolation, Resegmentation, Response, Settings, settings_from
from hounsfield.workflow.measuring import MeasureWishes, measure, read_settings, repeat
from tests.science.radiomics.phantoms import phantom

SPACING = (2.0, 1.0, 1.5)


def scene() -> tuple[Scene, AnyArray]:
    array: Float64Array = stream(3, "responses").normal(50, 10, (14, 18, 20))
    labels = np.zeros(array.shape, dtype=np.uint8)
    labels[0:5, 2:9, 3:11] = 1
    labels[8, 10:14, 17:20] = 2
    return Scene(array, SPACING), labels


@pytest.mark.parametrize(
    ("name", "parameters", "same"),
    [
        ("mean", {"support": 3, "boundary": "zero"}, Mean(3, boundary="zero")),  # type: ignore[arg-type]  # text, as files have it
        ("mean", {"support": 5, "boundary": "periodic"}, Mean(5, boundary="periodic")),  # type: ignore[arg-type]  # as above
        ("laplacian", {"sigma_mm": 2}, LaplacianOfGaussian(2.0)),
        ("simoncelli", {"level": 1}, Simoncelli(1)),
    ],
)
def test_a_region_alone_gives_what_the_whole_image_gives(
    name: str, parameters: dict[str, object], same: ImageFilter
) -> None:
    image, labels = scene()
    response = Response.model_validate({"name": "x", "filter": name, "parameters": parameters})
    settings = Settings(families=("stat",), filters=(response,), resegmentation=Resegmentation(lowest=40))
    whole = same.apply(image.array, SPACING)
    filtered = Filtered(image, settings, placed=True)
    for found in marked(labels, parts=False):
        values, missing = filtered.measured(process(image, found.outline, settings))
        held = whole[(labels == found.label) & np.greater_equal(image.array, 40)]
        assert values["x_stat_mean"] == pytest.approx(held.mean(), rel=1e-9)
        assert values["x_stat_max"] == pytest.approx(held.max(), rel=1e-9)
        assert values["x_stat_var"] == pytest.approx(held.var(), rel=1e-8)
        assert missing == {}


def test_peaks_of_a_response_look_beyond_the_region() -> None:
    image, labels = scene()
    one = Response(name="same", filter="mean", parameters={"support": 1}, families=("loc", "stat", "cm"))
    settings = Settings(families=("loc", "stat", "cm"), filters=(one,))
    narrow = Settings(families=("stat",), filters=(one,))
    outline = marked(labels, parts=False)[1].outline
    found = [Filtered(image, s, placed=True).measured(process(image, outline, s))[0] for s in (settings, narrow)]
    assert found[0] == found[1]
    from hounsfield.science.radiomics.extraction import features

    plain, _ = features(process(image, outline, settings), settings)
    assert {t.removeprefix("same_"): v for t, v in found[0].items()} == pytest.approx(plain, nan_ok=True)


def test_what_cannot_be_filtered_has_a_reason() -> None:
    image, labels = scene()
    array = np.array(image.array)
    array[4, 9, 4] = np.nan
    near = Response(name="near", filter="mean", parameters={"support": 5})
    log = Response(name="log", filter="laplacian")
    settings = Settings(families=("stat",), filters=(near, log))
    first, second = marked(labels, parts=False)
    holed = Filtered(Scene(array, SPACING), settings, placed=True)
    values, missing = holed.measured(process(image, first.outline, settings))
    assert np.isnan(values["near_stat_mean"])
    assert "voxels to be filtered are not finite" in missing["near_stat_mean"]
    values, missing = holed.measured(process(image, second.outline, settings))
    assert np.isfinite(values["near_stat_mean"])
    assert not any(tag.startswith("near") for tag in missing)
    nowhere = Filtered(image, settings, placed=False).measured(process(image, first.outline, settings))[1]
    assert nowhere["log_stat_mean"] == "not filtered: the image does not say how large its voxels are"
    assert "near_stat_mean" not in nowhere
    flat = Scene(np.asarray(image.array[:1]), SPACING, planar=True)
    region = process(flat, marked(labels[:1], parts=False)[0].outline, settings)
    assert "the image is a plane" in Filtered(flat, settings, placed=True).measured(region)[1]["near_stat_mean"]


def test_parameters_are_all_named_and_wrong_ones_refused() -> None:
    assert filled("mean", {}) == {"support": 5, "ndim": 3, "boundary": "mirror"}
    assert built("riesz-laplacian", {"order": [0, 1, 0]}).ndim == 3
    made = settings_from({"filters": [{"name": "a", "filter": "laplacian", "parameters": {"sigma_mm": 3}}]})
    assert made.filters[0].parameters == {"sigma_mm": 3.0, "cutoff": 4.0, "ndim": 3, "boundary": "mirror"}
    assert settings_from(made.model_dump(mode="json")) == made
    for wrong, words in (
        ({"filter": "meen"}, "meen"),
        ({"filter": "mean", "parameters": {"suport": 3}}, "suport"),
        ({"filter": "mean", "parameters": {"support": "many"}}, "support"),
        ({"filter": "mean", "parameters": {"support": 4}}, "4 voxels"),
        ({"filter": "mean", "parameters": {"boundary": "none"}}, "boundary"),
        ({"filter": "mean", "parameters": [3]}, "parameters"),
        ({"filter": "mean", "families": ["morph"]}, "leave morph out"),
        ({"filter": "mean", "name": "stat"}, "stat"),
        ({"filter": "mean", "name": "A b"}, "pattern"),
        ({"parameters": {}}, "filter"),
    ):
        with pytest.raises(InputError, match=words):
            settings_from({"filters": [{"name": "a", **wrong}]})
    with pytest.raises(InputError, match="two filters have one name"):
        settings_from({"filters": [{"name": "a", "filter": "mean"}] * 2})
    with pytest.raises(InputError, match="Settings: the file: no feature is called cm_contrst; cm_contrast is one"):
        settings_from({"features": ["cm_contrst"]})


def test_filters_are_recorded_and_repeated_to_the_byte(tmp_path: Path) -> None:
    image, labels = scene()
    folder = tmp_path
    write_nifti(folder / "image.nii.gz", Image(image.array[None].astype(np.float32), Grid(np.diag([1.5, 1, 2, 1]))))
    write_nifti(folder / "mask.nii.gz", Image(labels[None], Grid(np.diag([1.5, 1, 2, 1]))))
    (folder / "own.yaml").write_text(
        "families: [stat]\nfilters:\n"
        "- {name: log, filter: laplacian, parameters: {sigma_mm: 2}, families: [stat, cm]}\n"
        "- {name: s1, filter: simoncelli}\n",
        encoding="utf-8",
    )
    out = folder / "f.parquet"
    wishes = MeasureWishes(settings=read_settings(str(folder / "own.yaml")))
    found = measure(folder / "image.nii.gz", folder / "mask.nii.gz", out=out, wishes=wishes)
    assert {"log_stat_mean", "log_cm_contrast_3D_avg", "s1_stat_mean"} <= set(found.tags)
    assert found.record.settings.filters[1].parameters["boundary"] == "periodic"
    assert repeat(out).changed == ()


@pytest.mark.parametrize("name", ["3.A", "3.B"])
def test_the_values_of_phase_2_are_met(name: str) -> None:
    if not (conformity.folder() / "ibsi2_reference_values").is_dir():
        pytest.skip("the folder ibsi is not in the folder that HOUNSFIELD_DATA names")
    image, outline = phantom("A")
    known = {
        "3.A": {"filter": "laplacian", "parameters": {"sigma_mm": 1.5, "ndim": 2}},
        "3.B": {"filter": "laplacian", "parameters": {"sigma_mm": 1.5}},
    }[name]
    cubes = Interpolation(spacing_mm=(1.0, 1.0, 1.0), order=3, round_intensities=True)
    settings = Settings(
        interpolation=cubes if name[-1] == "B" else None,
        resegmentation=Resegmentation(lowest=-1000, highest=400),
        families=("stat",),
        filters=(Response.model_validate({"name": "r", **known}),),
    )
    values, _ = Filtered(image, settings, placed=True).measured(process(image, outline, settings))
    far = {
        tag: away
        for tag, reference in conformity.references()[name].items()
        if (away := reference.deviation(values[f"r_{tag}"])) > 1
    }
    assert far == {}
