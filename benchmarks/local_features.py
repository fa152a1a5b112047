"""SIFT features, for comparison only: OpenCV comes with the training set and is no part of serving."""

import cv2
import numpy as np
from PIL import Image

_RATIO = 0.75  # Lowe's test: the nearest descriptor must be this much nearer than the next
_TOLERANCE = 3.0  # pixels


def matches(first: Image.Image, second: Image.Image) -> int:
    """Returns how many keypoints agree on one similarity transform between the pictures."""
    detector = cv2.SIFT_create()  # type: ignore[attr-defined]  # missing in OpenCV's stubs
    matcher = cv2.BFMatcher(cv2.NORM_L2)
    keys_a, a = detector.detectAndCompute(np.asarray(first.convert("L")), None)
    keys_b, b = detector.detectAndCompute(np.asarray(second.convert("L")), None)
    if a is None or b is None or len(a) < 2 or len(b) < 2:
        return 0
    pairs = [pair for pair in matcher.knnMatch(a, b, k=2) if len(pair) == 2]
    good = [one for one, other in pairs if one.distance < _RATIO * other.distance]
    if len(good) < 3:
        return 0
    source = np.array([keys_a[one.queryIdx].pt for one in good], dtype=np.float32)
    target = np.array([keys_b[one.trainIdx].pt for one in good], dtype=np.float32)
    _, inliers = cv2.estimateAffinePartial2D(source, target, ransacReprojThreshold=_TOLERANCE)
    return 0 if inliers is None else int(inliers.sum())
