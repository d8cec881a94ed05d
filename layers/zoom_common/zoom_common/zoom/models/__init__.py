"""Request bodies as Zoom's contract describes them.

They are used for checks; the caller's own bytes are sent to Zoom.
"""
