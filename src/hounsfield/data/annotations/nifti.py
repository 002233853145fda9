"""Annotations as NIfTI: labels on the image's own grid."""

import json
from pathlib import Path

import numpy as np

from hounsfield.core.annotation import Annotation, Source
from hounsfield.core.image import Image
from hounsfield.data.annotations.files import UNCERTAINTY, misfit, refuse, stem, write_whole
from hounsfield.data.volume.nifti_writing import write_nifti

FOLDER = "masks"


class NiftiWriter:
    """Writes label volumes.

    Notes
    -----
    ``masks/<case>.nii.gz`` holds the labels of exclusive classes, and ``masks/labels.json`` what each number means
    (``masks/labels__<target>.json`` where an image has several targets, each with numbers of its own).
    Classes that may overlap get a file each, ``masks/<case>__<class>.nii.gz``, of zeros and ones. Probabilities, where
    they were kept, lie beside as ``<case>__<class>__probability.nii.gz``; the uncertainty, where it was asked for, as
    ``uncertainty/<case>.nii.gz``, 0 to 1. The affine is the image's; a picture without a place in space is written with
    both form codes 0.
    """

    def accepts(self, answer: Annotation, source: Source) -> str:
        """Refuse only what does not lie on its image."""
        return misfit(answer, source)

    def write(self, answer: Annotation, source: Source, folder: Path) -> tuple[Path, ...]:
        """Write one annotation."""
        refuse(self.accepts(answer, source), source, instead="the annotation on the grid of its image")
        place, name = folder / FOLDER, stem(source.name)
        place.mkdir(parents=True, exist_ok=True)
        written = []
        if answer.overlapping:
            for index, label in enumerate(answer.classes):
                path = place / f"{name}__{stem(label)}.nii.gz"
                write_nifti(path, Image(answer.mask(index).astype(np.uint8)[None], answer.grid))
                written.append(path)
        else:
            path = place / f"{name}.nii.gz"
            write_nifti(path, Image(answer.array[None], answer.grid))
            written.append(path)
        for index, label in enumerate(answer.classes):
            held = answer.probability(index)
            if held is not None:
                path = place / f"{name}__{stem(label)}__probability.nii.gz"
                write_nifti(path, Image(held.astype(np.float32)[None], answer.grid))
                written.append(path)
        if answer.uncertainty is not None:
            path = folder / UNCERTAINTY / f"{name}.nii.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_nifti(path, Image(answer.uncertainty.astype(np.float32)[None], answer.grid))
            written.append(path)
        meaning = {str(n): label for n, label in enumerate(answer.classes, start=1)}
        text = json.dumps(meaning, ensure_ascii=False, indent=1) + "\n"
        told = f"labels__{stem(source.target)}.json" if source.target else "labels.json"
        return (*written, write_whole(place / told, text.encode()))

    def finish(self, folder: Path) -> tuple[Path, ...]:
        """Join nothing: every case has its own files."""
        return ()
