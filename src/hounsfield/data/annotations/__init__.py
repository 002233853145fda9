"""What was marked in an image, as files that others can open.

Annotations on the grid of their image enter, with the image that they were drawn on.
Label volumes, pictures, boxes and tables leave; DICOM objects are made in `data.dicom`.
"""
