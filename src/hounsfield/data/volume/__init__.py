"""Volumes that are files of their own: NIfTI, NRRD, MetaImage.

Enters: a file.
Leaves: an image on a grid (RAS, mm), or the file of one.
"""
