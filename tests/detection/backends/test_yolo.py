import io

import pytest
from PIL import Image, UnidentifiedImageError

pytest.importorskip("detection.backends.yolo", reason="ultralytics is not installed: it comes with the 'train' extra")


def test_what_is_no_picture_is_still_called_so_beside_ultralytics() -> None:

    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(b"no picture"))
