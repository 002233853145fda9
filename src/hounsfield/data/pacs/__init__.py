"""Archives of images (PACS), asked over DICOMweb or DIMSE.

Enters: an address, a query, files to send.
Leaves: what the archive has; files as it sent them, byte for byte; why something did not come or was not taken.
"""
