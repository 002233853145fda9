"""Annotations as DICOM objects beside the images that they were drawn on.

Annotations and the files of their images enter.
Segmentations, structure sets and measurement reports leave, of the same patient and study, referring to those images.
"""
