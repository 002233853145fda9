"""Several samples of a patient, made one."""

from dataclasses import dataclass

import numpy as np

from hounsfield.stages.evaluation.samples import Rows


@dataclass(frozen=True)
class Pooled:
    """Rows with one sample per patient, and how many patients could not be made one."""

    rows: Rows
    skipped: int


def pool_patients(rows: Rows) -> Pooled | None:
    """Average the answers of each patient's samples.

    Parameters
    ----------
    rows : Rows
        One row per sample.

    Returns
    -------
    Pooled or None
        None where no patient has several samples.

    Notes
    -----
    The patient's truth is the one that all samples share. Patients whose samples differ are skipped and counted,
    since no rule that is right for every question could choose among them.
    """
    names, first, code = np.unique(rows.patients, return_index=True, return_inverse=True)
    if len(names) == len(rows):
        return None
    size = np.bincount(code, minlength=len(names)).astype(np.float64)
    same = rows.truth == rows.truth[first][code]
    agrees = same if same.ndim == 1 else same.all(axis=1)
    unanimous = np.bincount(code, weights=~agrees, minlength=len(names)) == 0
    total = np.zeros((len(names), *rows.answers.shape[1:]), dtype=np.float64)
    np.add.at(total, code, rows.answers)
    mean = total / (size if total.ndim == 1 else size[:, None])
    pooled = Rows(
        target=rows.target,
        samples=tuple(rows.samples[index] for index in first),
        patients=names,
        truth=rows.truth[first],
        answers=mean,
    )
    return Pooled(pooled.take(unanimous), int((~unanimous).sum()))
