"""WFDB records: header, sample formats, segments, annotations (PhysioNet's manual, header(5), signal(5), annot(5)).

Enters: a ref to a ``.hea`` file. Leaves: a window of its signals in their units, and its annotations.
"""
