"""Rules for answers of every voxel, one file per group of decisions.

Enters: `Facts` with the fingerprint of images and masks.
Leaves: one `Decision` each.
"""
