"""How boosted trees are grown: the plan's section ``trees``."""

from pydantic import BaseModel, ConfigDict, Field


class Boosting(BaseModel):
    """How trees are grown.

    Attributes
    ----------
    rounds : int
        At most; fewer where held-out rows want no more.
    rate : float
        How much of a tree is added.
    leaves, least : int
        Leaves of a tree at most, rows of a leaf at least.
    penalty : float
        On the squared values of leaves.
    share : float
        Of the features that a split chooses from, 0 to 1.
    fewest : int
        Features that it chooses from at least, where there are so many.
    divisions : int
        How often the rows are divided into inner folds for the choice of rounds, where there are rows enough of each
        class to divide them at random.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    rounds: int = Field(default=150, ge=1, le=10_000)
    rate: float = Field(default=0.1, gt=0, le=1)
    leaves: int = Field(default=8, ge=2, le=1024)
    least: int = Field(default=20, ge=1)
    penalty: float = Field(default=5.0, ge=0)
    share: float = Field(default=0.1, ge=0, le=1)
    fewest: int = Field(default=8, ge=1)
    divisions: int = Field(default=1, ge=1, le=5)
