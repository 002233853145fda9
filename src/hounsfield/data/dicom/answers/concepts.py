"""Coded terms for the names of classes."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom.sr.coding import Code

_ANATOMY = {
    "aorta": "Aorta", "artery": "Artery", "bladder": "Bladder", "blood vessel": "BloodVessel", "bone": "Bone",
    "brain": "Brain", "breast": "Breast", "cartilage": "Cartilage", "cerebellum": "Cerebellum", "clavicle": "Clavicle",
    "colon": "Colon", "esophagus": "Esophagus", "femur": "Femur", "gallbladder": "Gallbladder",
    "gray matter": "GrayMatter",
    "grey matter": "GrayMatter", "heart": "Heart", "hippocampus": "Hippocampus", "kidney": "Kidney", "liver": "Liver",
    "lung": "Lung", "mandible": "Mandible", "muscle": "Muscle", "oesophagus": "Esophagus", "pancreas": "Pancreas",
    "prostate": "Prostate", "pulmonary artery": "PulmonaryArtery", "retina": "Retina", "rib": "Rib", "skin": "Skin",
    "spinal cord": "SpinalCord", "spleen": "Spleen", "stomach": "Stomach", "thyroid": "Thyroid", "tooth": "Tooth",
    "trachea": "Trachea", "urinary bladder": "Bladder", "vein": "Vein", "vertebra": "Vertebra", "vessel": "BloodVessel",
    "white matter": "WhiteMatter",
}  # fmt: skip
_ABNORMAL = {
    "carcinoma": "Carcinoma", "cyst": "Cyst", "edema": "Edema", "haematoma": "Hematoma", "haemorrhage": "Hemorrhage",
    "hematoma": "Hematoma", "hemorrhage": "Hemorrhage", "lesion": "Lesion", "mass": "Mass", "metastasis": "Metastasis",
    "necrosis": "Necrosis", "neoplasm": "Neoplasm", "nodule": "Nodule", "oedema": "Edema",
    "pleural effusion": "PleuralEffusion",
    "pneumothorax": "Pneumothorax", "tumor": "Tumor", "tumour": "Tumor", "ulcer": "Ulcer",
}  # fmt: skip
_UNHEALTHY = frozenset({"abnormality", "benign", "cancer", "defect", "disease", "finding", "malignant", "pathology"})
_PLURALS = {
    "arteries": "artery",
    "metastases": "metastasis",
    "masses": "mass",
    "teeth": "tooth",
    "vertebrae": "vertebra",
}
_BESIDE = frozenset(
    ("left", "right", "l", "r", "anterior", "posterior", "upper", "lower", "middle", "superior", "inferior", "lobe")
)
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Concept:
    """What a class is, as DICOM says it.

    Parameters
    ----------
    category, kind : pydicom.sr.coding.Code
        Such as Anatomical Structure, and Liver.
    """

    category: "Code"
    kind: "Code"


def concept(name: str) -> Concept:
    """Return the coded terms of a class.

    Parameters
    ----------
    name : str
        As the data name it.

    Notes
    -----
    A code is given only where the name says it and nothing more than a side or a part: "left lung" is a Lung, "kidney
    stone" is not a Kidney. What is not understood is Tissue, or Lesion where the name speaks of disease; its name
    stays in the label. Terms are SNOMED CT, as DICOM PS3.16 uses it.
    """
    from pydicom.sr.codedict import codes

    words = [_single(w.casefold()) for w in _WORD.findall(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))]
    for table, category in ((_ABNORMAL, "MorphologicallyAbnormalStructure"), (_ANATOMY, "AnatomicalStructure")):
        for phrase in sorted(table, key=len, reverse=True):
            rest = _without(words, phrase.split())
            anatomy = {w for p in _ANATOMY for w in p.split()} if table is _ABNORMAL else set()
            if rest is not None and set(rest) <= (_BESIDE | anatomy | (_UNHEALTHY if table is _ABNORMAL else set())):
                return Concept(getattr(codes.SCT, category), getattr(codes.SCT, table[phrase]))
    if _UNHEALTHY & set(words) or set(_ABNORMAL) & set(words):
        return Concept(codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Lesion)
    return Concept(codes.SCT.Tissue, codes.SCT.Tissue)


def _single(word: str) -> str:
    if word in _PLURALS:
        return _PLURALS[word]
    plain = word.removesuffix("s")
    return plain if plain in _ANATOMY or plain in _ABNORMAL else word


def _without(words: list[str], phrase: list[str]) -> list[str] | None:
    """Return the words beside a phrase; None where it does not occur."""
    for start in range(len(words) - len(phrase) + 1):
        if words[start : start + len(phrase)] == phrase:
            return words[:start] + words[start + len(phrase) :]
    return None
