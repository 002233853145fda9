"""Dense answers: one for every voxel.

Enters: images of any size with masks, a plan's sections.
Leaves: fitted members, and probabilities on the grid of the image they are asked of.
"""
