"""One module per verb; the only room that runs stages and tasks together.

Enters: paths and wishes of a user.
Leaves: run folders, reports, predictions.
"""
