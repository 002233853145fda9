"""Tables made by a program from published ones; nothing here is edited by hand.

Enters: what two packages on the Python Package Index ship of the DICOM standard.
Leaves: `confidentiality.py`, made by `generate.py`.
"""
