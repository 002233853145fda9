"""Radiomics: numbers that describe a region, as the Image Biomarker Standardisation Initiative (IBSI) defines them.

Enters: arrays with their spacing and masks. Leaves: values by IBSI tag, and response maps of image filters.
"""
