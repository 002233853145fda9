"""The page and the pictures say what the scores say."""

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from hounsfield.core.errors import UnknownNameError
from hounsfield.core.streams import stream
from hounsfield.stages.explaining.page import doubts, opening, render_html
from hounsfield.stages.explaining.picture import PANEL, Panel, draw, outline
from hounsfield.stages.explaining.result import Explained, Explanations, MapScores, Pointing
from hounsfield.stages.explaining.words import WORDS, say


def scores(*, shown: bool, same: bool = False) -> MapScores:
    return MapScores(
        method="gradcam",
        deletion=0.2,
        insertion=0.8,
        faithfulness=0.6,
        random_mean=0.0,
        random_std=0.1,
        z=6.0 if shown else None,
        p=0.04 if shown else 0.4,
        centre=0.7,
        better_than_centre=False,
        randomised=(0.1, 0.2, 0.8 if same else 0.0),
        stays_the_same=same,
        shown=shown,
        reason="" if shown else "no better than random",
        peak=(3, 4),
        in_mask=True if shown else None,
    )


def explanations(*maps: MapScores) -> Explanations:
    images = tuple(
        Explained(
            sample=f"<case {i}>",
            picture=f"{i}.png",
            answer="sick",
            predicted="sick",
            truth="healthy",
            correct=False,
            score=0.9,
            blank=0.2,
            effect=3.0,
            untrained=0.1,
            p_effect=0.04,
            held_out=False,
            flags=("small",),
            maps=(m,),
        )
        for i, m in enumerate(maps)
    )
    game = Pointing(
        method="gradcam", images=9, rate=0.75, low=0.4, high=0.9, rate_near=0.8, low_near=0.5, high_near=0.95,
        chance=0.1, chance_near=0.2, centre=0.5, centre_near=0.6,
    )  # fmt: skip
    return Explanations(
        hounsfield="0.1.0",
        created="2026-01-01",
        cohort="toy",
        part="cv",
        target="finding",
        classes=("healthy", "sick"),
        methods=("gradcam",),
        random_maps=24,
        members=2,
        voiceless=1,
        images=images,
        pointing=(game, game.model_copy(update={"method": "gradcam shown"})),
        tolerance=0.067,
    )


def test_the_page_begins_with_what_passed() -> None:
    found = explanations(scores(shown=True, same=True), scores(shown=False))
    assert "1 of 2 images" in opening(found)[0].en
    told = " ".join(line.en for line in doubts(found))
    assert "hardly change" in told
    assert "trained on: 2" in told
    assert "no networks: 1" in told
    text = render_html(found, {"0.png": b"png", "1.png": b"png"}, lang="zh")
    assert "&lt;case 0&gt;" in text
    assert "<case" not in text
    assert "No explanation that is better than random" in text
    assert "没有优于随机的解释" in text
    assert "75%" in text
    assert "http" not in text
    with pytest.raises(UnknownNameError):
        render_html(found, {}, lang="fr")


def test_nothing_shown_is_said_first() -> None:
    assert opening(explanations(scores(shown=False)))[0].en.startswith("No map is better than random")


def test_every_sentence_has_both_languages() -> None:
    for key, words in WORDS.items():
        assert words.en
        assert words.zh, key
    with pytest.raises(UnknownNameError):
        say("no such sentence")


@pytest.mark.parametrize("shape", [(1, 20, 40), (3, 20, 20), (1, 6, 20, 20)])
def test_a_picture_shows_the_map_where_it_is_high(shape: tuple[int, ...]) -> None:
    image = np.full(shape, 0.5, dtype=np.float32)
    values = np.zeros(shape[1:])
    plane = values[2] if len(shape) == 4 else values
    plane[8:12, 8:12] = 1.0
    mask = values > 0
    data = draw(
        image, [Panel("image"), Panel("map", ("p = 0.04",), values), Panel("none", ("not shown",))], mask=mask, depth=2
    )
    picture = np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB")).astype(int)
    width = min(PANEL, round(PANEL * shape[-1] / max(shape[-2:])))
    scale = PANEL / max(shape[-2:])
    y, x = round(10 * scale) + 20, round(10 * scale)
    assert picture.shape[1] == 3 * (width + 8) - 8
    assert np.ptp(picture[y, width + 8 + x]) > 60  # coloured
    assert np.ptp(picture[y, 2 * (width + 8) + x]) == 0  # grey
    assert (picture[..., 2] - picture[..., 0] > 100).any()  # the outline


def test_an_outline_is_thin() -> None:
    mask = np.zeros((8, 8), dtype=bool)
    mask[2:6, 2:6] = True
    assert outline(mask).sum() == 12
    assert draw(stream(0, "a").random((1, 8, 8)).astype(np.float32), [Panel("x")])
