"""What is done before the fit, as data."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Warmup(BaseModel):
    """The plan's section ``warmup``.

    Attributes
    ----------
    method : str
        ``none``; or ``two-views``: two augmented views of one image shall be alike and of two images differ.
    share : float
        Share of the optimisation's time that the warm-up takes, 0 to 0.9.
    steps : int
        Its steps; each costs about `STEP_COST` steps of the fit.
    learning_rate : float
        Peak; batch, optimiser, precision and the rest are those of the fit.
    unlabelled : int
        Images without answers that are seen beside the training images.
    unlabelled_digest : str
        SHA-256 over the pixels of these images in their order; empty for none.
    encoder : str
        SHA-256 of the file that the encoder's first weights come from; empty for fresh weights.
    encoder_rate : float
        Factor on the fit's learning rate for the encoder.
    frozen : float
        Share of the fit's first steps in which only the heads learn.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    method: Literal["none", "two-views"] = "none"
    share: float = Field(default=0.0, ge=0.0, le=0.9)
    steps: int = Field(default=0, ge=0)
    learning_rate: float = Field(default=1e-3, gt=0.0)
    unlabelled: int = Field(default=0, ge=0)
    unlabelled_digest: str = ""
    encoder: str = ""
    encoder_rate: float = Field(default=1.0, gt=0.0, le=1.0)
    frozen: float = Field(default=0.0, ge=0.0, lt=1.0)

    @property
    def on(self) -> bool:
        """Whether there are any warm-up steps."""
        return self.method != "none" and self.steps > 0
