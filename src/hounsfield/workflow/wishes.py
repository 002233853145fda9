"""What a user asks of a run."""

from dataclasses import dataclass

from hounsfield.core.cohort import Roles
from hounsfield.core.errors import InputError


@dataclass(frozen=True)
class Wishes:
    """Explicit wishes; everything else is found out or decided by rule.

    Parameters
    ----------
    task : str or None
        Task by name; None takes the best claim on the data.
    target : tuple of str
        Columns to answer; empty to infer.
    image, group, split, positive, labels, series, index : str or None
        See `hounsfield.core.cohort.Roles`.
    minutes : float or None
        Upper bound of total wall time.
    seed : int
        Seed of every random stream.
    folds : int
        0, or number of folds of a grouped, stratified cross-validation, at least 2.
    network : str or None
        Network by name; None lets the plan choose.
    lang : str
        Language the report opens in, ``en`` or ``zh``; both are in the file.
    sensitivity, specificity : float or None
        Wanted at the operating point, 0 to 1; at most one of them.
    prevalence : float or None
        Prevalence that PPV and NPV are stated for too, 0 to 1.
    threads : int or None
        Torch threads; None takes the machine's cores.
    max_steps : int or None
        Upper bound of optimisation steps, for quick trials.
    brief : bool
        Whether minutes that do not hold a whole plan are spent on one network alone instead of refused; not where every
        voxel is answered, nor of a forecast.
    repeats : int or None
        Repeats of the nested cross-validation of what learns from rows, 0 for none; None lets the plan choose.
    alone : str or None
        Variable of a row that is judged alone, beside the models.
    members : int or None
        Networks per fold that answer together; None lets the plan choose.
    causal : bool
        Whether the plan must be able to follow a live series: one direction, last state, nothing of the series itself
        in its scale.
    unlabelled : tuple of str
        Folders or files of images without answers, for a warm-up.
    encoder : str or None
        A local safetensors file that the encoder's first weights come from.
    learning_curve : bool
        Whether the network's learning curve is measured even where that leaves less time for training.
    tensorboard : bool
        Whether training curves are also written for TensorBoard.
    ahead : tuple of str
        How far ahead a forecast looks, such as ``next``, ``30 min``, ``3 h``; empty to infer.
    below : float or None
        Of a forecast: a reading below this is the event that is warned of; None to infer.

    Raises
    ------
    InputError
        If a value is out of range or two wishes contradict each other.
    """

    task: str | None = None
    target: tuple[str, ...] = ()
    image: str | None = None
    group: str | None = None
    split: str | None = None
    positive: str | None = None
    labels: str | None = None
    series: str | None = None
    index: str | None = None
    minutes: float | None = None
    seed: int = 0
    folds: int = 0
    network: str | None = None
    lang: str = "en"
    sensitivity: float | None = None
    specificity: float | None = None
    prevalence: float | None = None
    threads: int | None = None
    max_steps: int | None = None
    brief: bool = False
    repeats: int | None = None
    alone: str | None = None
    members: int | None = None
    causal: bool = False
    learning_curve: bool = False
    unlabelled: tuple[str, ...] = ()
    encoder: str | None = None
    tensorboard: bool = False
    ahead: tuple[str, ...] = ()
    below: float | None = None

    def __post_init__(self) -> None:
        for name in ("sensitivity", "specificity", "prevalence"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < 1.0:
                raise InputError(
                    f"--{name} is {value}.", expected="a number between 0 and 1", next_step=f"write --{name} 0.95"
                )
        if self.sensitivity is not None and self.specificity is not None:
            raise InputError(
                "--sensitivity and --specificity are both given.",
                expected="one of them: a threshold can be fixed by one only",
                next_step="leave one out",
            )
        if self.minutes is not None and self.minutes <= 0:
            raise InputError(
                f"--minutes is {self.minutes}.", expected="a positive number", next_step="write --minutes 15"
            )
        if self.folds == 1 or self.folds < 0:
            raise InputError(f"--folds is {self.folds}.", expected="0, or at least 2", next_step="write --folds 5")
        if self.repeats is not None and not 0 <= self.repeats <= 1000:
            raise InputError(f"--repeats is {self.repeats}.", expected="0 to 1000", next_step="write --repeats 20")
        if self.members is not None and not 1 <= self.members <= 64:
            raise InputError(f"--members is {self.members}.", expected="1 to 64", next_step="write --members 4")
        if self.seed < 0:
            raise InputError(f"--seed is {self.seed}.", expected="0 or more", next_step="write --seed 0")
        if self.lang not in ("en", "zh"):
            raise InputError(f"--lang is {self.lang!r}.", expected="en or zh", next_step="write --lang zh")

    @property
    def disk_roles(self) -> Roles:
        """What the wishes say of a disk without answers."""
        return Roles(series=self.series, index=self.index)

    @property
    def roles(self) -> Roles:
        """What the wishes say of the data."""
        return Roles(
            target=self.target,
            image=self.image,
            group=self.group,
            split=self.split,
            positive=self.positive,
            task=self.task,
            labels=self.labels,
            series=self.series,
            index=self.index,
        )
