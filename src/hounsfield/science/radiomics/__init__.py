"""Radiomics: numbers that describe a region, as the Image Biomarker Standardisation Initiative (IBSI) defines them.

Enters: an image, a label map, the spacing of both and settings.
Leaves: one number for each feature, and for those without a value the reason; response maps of image filters.
"""
