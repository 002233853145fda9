"""The second opinion covers words where the program is there, and nothing where it is not."""

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFont

from hounsfield.privacy import tesseract


def _card() -> npt.NDArray[np.uint8]:
    image = Image.new("L", (320, 120), 10)
    ImageDraw.Draw(image).text((30, 40), "PATIENT NAME", fill=240, font=ImageFont.load_default(24))
    return np.asarray(image)


@pytest.mark.skipif(not tesseract.is_present(), reason="tesseract is not installed (Debian: tesseract-ocr)")
def test_words_are_covered() -> None:
    card = _card()
    mask = tesseract.tesseract_mask(card)
    assert mask[card > 120].mean() > 0.9
    assert mask.mean() < 0.5
    both = tesseract.with_second_opinion(lambda picture: np.zeros(picture.shape[:2], dtype=bool))
    assert np.array_equal(both(card), mask)


def test_without_the_program_the_first_opinion_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tesseract, "PROGRAM", "a-program-that-is-nowhere")
    assert not tesseract.is_present()
    assert not tesseract.tesseract_mask(_card()).any()
