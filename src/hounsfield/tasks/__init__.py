"""What a user can ask for, one package per task.

Enters: a cohort's schema, raw outputs of heads.
Leaves: encoded answers, decoded predictions; no task knows a sibling.
"""

from hounsfield.core.tables import Table

TASKS = Table(
    "task",
    {
        "classify": "hounsfield.tasks.classify.task:Classify",
        "annotate": "hounsfield.tasks.annotate.task:Annotate",
        "prognose": "hounsfield.tasks.prognose.task:Prognose",
    },
)
"""Tasks by name; adding one is one line here."""
