"""Ultralytics' YOLO, imported without what its import does to Pillow, and without the network.

Ultralytics replaces `PIL.Image.open` for the whole process: its own installs a package when a file is no picture, and
raises ModuleNotFoundError where it can't. A shopper's broken upload must stay UnidentifiedImageError. It also tells
Google Analytics what is trained, and fetches weights and fonts that nobody asked for, unless there is no network.
"""

import os

import PIL.Image

os.environ["YOLO_OFFLINE"] = "true"  # is read while ultralytics is imported

from ultralytics import YOLO
from ultralytics.utils import patches

PIL.Image.open = getattr(patches, "_image_open", PIL.Image.open)

__all__ = ["YOLO"]
