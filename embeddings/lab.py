"""CIELAB: colors as people see them, and how far apart two of them look."""

import numpy as np
from numpy.typing import NDArray

# IEC 61966-2-1 (sRGB): 8-bit values to linear light.
_VALUES = np.arange(256) / 255
_LINEAR = np.where(_VALUES <= 0.04045, _VALUES / 12.92, ((_VALUES + 0.055) / 1.055) ** 2.4).astype(np.float32)
# Linear sRGB to CIE XYZ, each row divided by the white point D65 (CIE 15, 2 degree observer).
_TO_XYZ = np.array(
    [
        [0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883],
    ],
    dtype=np.float32,
)
_TO_LAB = np.array([[0, 116, 0], [500, -500, 0], [0, 200, -200]], dtype=np.float32)


def to_lab(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns (..., 3) float32 L*, a*, b* (L* in [0, 100]) of (..., 3) sRGB values in [0, 255]."""
    xyz = _LINEAR[rgb] @ _TO_XYZ.T
    root = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    lab: NDArray[np.float32] = root @ _TO_LAB.T
    lab[..., 0] -= 16
    return lab


def to_rgb(lab: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Returns (..., 3) sRGB values of (..., 3) L*, a*, b*; colors that sRGB can't show become the nearest of each."""
    values = np.asarray(lab, dtype=np.float64) + np.array([16.0, 0.0, 0.0])
    root = values @ np.linalg.inv(_TO_LAB.astype(np.float64)).T
    xyz = np.where(root**3 > 216 / 24389, root**3, (116 * root - 16) * 27 / 24389)
    linear = np.clip(xyz @ np.linalg.inv(_TO_XYZ.astype(np.float64)).T, 0.0, 1.0)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    rgb: NDArray[np.uint8] = np.round(encoded * 255).astype(np.uint8)
    return rgb


def difference(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.float64]:
    """Returns (n, m) CIEDE2000 differences between the rows of two Lab arrays (n, 3) and (m, 3): 1 is just visible.

    Source: Sharma, Wu, Dalal, "The CIEDE2000 color-difference formula", Color Research & Application 30(1), 2005.
    """
    l1, a1, b1 = np.asarray(first, dtype=np.float64).T[:, :, None]
    l2, a2, b2 = np.asarray(second, dtype=np.float64).T[:, None, :]
    mean_chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * np.sqrt(mean_chroma**7 / (mean_chroma**7 + 25.0**7))
    chroma1, chroma2 = np.hypot(a1 * stretch, b1), np.hypot(a2 * stretch, b2)
    hue1, hue2 = np.arctan2(b1, a1 * stretch), np.arctan2(b2, a2 * stretch)
    turn = np.where(chroma1 * chroma2 == 0, 0.0, hue2 - hue1)
    turn -= 2 * np.pi * np.round(turn / (2 * np.pi))
    d_light, d_chroma = l2 - l1, chroma2 - chroma1
    d_hue = 2 * np.sqrt(chroma1 * chroma2) * np.sin(turn / 2)

    light, chroma = (l1 + l2) / 2, (chroma1 + chroma2) / 2
    hue = np.where(chroma1 * chroma2 == 0, hue1 + hue2, hue1 + turn / 2)
    weave = (
        1
        - 0.17 * np.cos(hue - np.radians(30))
        + 0.24 * np.cos(2 * hue)
        + 0.32 * np.cos(3 * hue + np.radians(6))
        - 0.20 * np.cos(4 * hue - np.radians(63))
    )
    s_light = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    s_chroma, s_hue = 1 + 0.045 * chroma, 1 + 0.015 * chroma * weave
    degrees = np.degrees(hue) % 360
    twist = np.radians(60 * np.exp(-(((degrees - 275) / 25) ** 2)))
    blue = -np.sin(twist) * 2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    terms = (d_light / s_light) ** 2 + (d_chroma / s_chroma) ** 2 + (d_hue / s_hue) ** 2
    squared = terms + blue * (d_chroma / s_chroma) * (d_hue / s_hue)
    distances: NDArray[np.float64] = np.sqrt(np.maximum(squared, 0.0))
    return distances
