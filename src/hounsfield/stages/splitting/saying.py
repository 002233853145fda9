"""How a cohort was divided, in words of both languages: what was done, for the report."""

from collections.abc import Sequence
from typing import NamedTuple

from hounsfield.core.cohort import INSIDE_KINDS, TargetSpec
from hounsfield.core.split import INNER_SHARE

_PARTS = {"train": "训练集", "val": "验证集", "test": "测试集"}


class Said(NamedTuple):
    """One text in English and in Chinese."""

    en: str
    zh: str


def joined(texts: Sequence[Said]) -> Said:
    """Return several texts as one."""
    return Said("; ".join(t.en for t in texts), "；".join(t.zh for t in texts))


def own_parts(target: TargetSpec | None, seed: int) -> Said:
    """Say that the parts were made here."""
    how = _how(target, seed)
    return Said(
        "about 60 / 20 / 20 percent for training, validation and test; patients and repeated pictures together, "
        + how.en,
        f"约 60 / 20 / 20 % 分为训练、验证与测试；同一患者及重复图像不分开，{how.zh}",
    )


def kept_parts(names: Sequence[str]) -> Said:
    """Say which parts the data brought along."""
    return Said(
        f"official parts kept ({', '.join(names)})", f"保留数据自带的划分（{'、'.join(_PARTS[n] for n in names)}）"
    )


def gave_way(count: int) -> Said:
    """Say how many samples were left out of an official part."""
    return Said(
        f"{count} samples gave way because their patient or picture lies in a later part",
        f"{count} 个样本因其患者或图像也在靠后的部分中而被排除",
    )


def straddling(count: int) -> Said:
    """Say how many groups lie in two official parts."""
    return Said(
        f"{count} groups lie in two official parts and are kept: no patient-wise claim",
        f"{count} 组同时位于两个自带部分并予保留：不作按患者划分的声明",
    )


def carved(part: str, target: TargetSpec | None, seed: int, *, whole: bool) -> Said:
    """Say that a missing part was carved from training, by whole patients or by sample."""
    how = _how(target, seed)
    by = Said("by patient", "按患者") if whole else Said(
        "by sample, since a class has a single patient", "按样本（某一类别仅有一名患者）"
    )  # fmt: skip
    return Said(f"{part} carved from training {by.en}, {how.en}", f"{_PARTS[part]}{by.zh}从训练集中分出，{how.zh}")


def in_folds(folds: int, target: TargetSpec | None, seed: int, *, official: Sequence[str]) -> Said:
    """Say what folds do with the samples.

    Parameters
    ----------
    folds : int
        At least 2.
    target : TargetSpec or None
        What they are balanced by.
    seed : int
    official : sequence of str
        Parts that the data brought along: a test part stays outside the folds, the others are joined in them.
    """
    how = _how(target, seed)
    inside = 1.0 - 1.0 / folds
    shares = (inside * (1.0 - INNER_SHARE), inside * INNER_SHARE, 1.0 / folds)
    train, val, out = (f"{share:.0%}" for share in shares)
    texts = [
        Said(
            f"{folds} folds, patients and repeated pictures together, {how.en}; in each about {train} of the samples "
            f"train, {val} validate (threshold, calibration) and {out} are judged, so that each sample is judged once, "
            "out of fold, by what was trained without it",
            f"{folds} 折交叉验证，同一患者及重复图像不分开，{how.zh}；每折约 {train} 的样本用于训练、{val} 用于验证"
            f"（阈值与校准）、{out} 用于评估，每个样本由未用其训练的模型评估一次（折外）",
        )
    ]
    within = [name for name in ("train", "val") if name in official]
    if len(within) > 1:
        texts.append(
            Said(
                "the official training and validation parts are joined for the folds", "自带的训练集与验证集合并后分折"
            )
        )
    if "test" in official:
        texts.append(
            Said(
                "the official test part is in no fold and is judged by the models of all folds together",
                "自带的测试集不在任何一折中，由各折模型共同评估",
            )
        )
    return joined(texts)


def _how(target: TargetSpec | None, seed: int) -> Said:
    if target and target.kind not in INSIDE_KINDS:
        return Said(f"balanced by {target.name}, seed {seed}", f"按 {target.name} 均衡，种子 {seed}")
    return Said(f"at random, seed {seed}", f"随机，种子 {seed}")
