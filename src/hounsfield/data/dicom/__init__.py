"""DICOM: files of scanners and archives, found by content, read within limits, put together by geometry.

Enters: a folder, an archive, a file or a data set.
Leaves: an index of patients, studies and series; images on a grid; masks, report text, de-identified files.
"""
