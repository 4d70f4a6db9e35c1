"""A study in a picture: a gallery of it, and what preparation does to it, step by step.

Pillow only. The steps are those that `prepare` itself takes, so the picture cannot tell another
story than the code.
"""

from heartseg.preview.file import keep, preview_file
from heartseg.preview.page import Use, preview_picture

__all__ = ["Use", "keep", "preview_file", "preview_picture"]
