"""Ultralytics' YOLO, imported without what its import does to Pillow.

Ultralytics replaces `PIL.Image.open` for the whole process: its own installs a package when a file is no picture, and
raises ModuleNotFoundError where it can't. A shopper's broken upload must stay UnidentifiedImageError.
"""

import PIL.Image
from ultralytics import YOLO
from ultralytics.utils import patches

PIL.Image.open = getattr(patches, "_image_open", PIL.Image.open)

__all__ = ["YOLO"]
