"""The image trunk of our own encoder, as a timm model that open_clip can name in a model config.

MobileNetV2 with a richer pooling than its average: a generalized mean of the last layer (what it is: Radenović et al.,
"Fine-tuning CNN Image Retrieval with No Human Annotation", 2018), and mean and deviation of two earlier layers (color,
texture and print, which a classifier's last layer forgets). Each part is a unit vector, so none drowns the others.
"""

from typing import Any

import torch
from timm.models import create_model, register_model
from torch import Tensor, nn

EARLY_BLOCKS = (4, 6)  # 96 channels at 14 x 14, 320 channels at 7 x 7
GEM_POWER = 3.0  # the usual start of that paper


class ShopMobileNet(nn.Module):
    """Takes (n, 3, h, w) float32, normalized; returns (n, 2112) float32, five unit vectors side by side."""

    pooled_blocks = EARLY_BLOCKS

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.net = create_model("mobilenetv2_100", num_classes=0, **options)
        early = [self.net.blocks[index][-1].conv_pwl.out_channels for index in EARLY_BLOCKS]
        self.num_features = self.net.num_features + 2 * sum(early)
        self.default_cfg = {**self.net.default_cfg, "pool_size": None}

    def reset_classifier(self, num_classes: int = 0, global_pool: str | None = None) -> None:
        """There is no classifier to reset; open_clip asks for it."""

    def forward(self, images: Tensor) -> Tensor:
        """Returns the pooled features."""
        return self.tail(self.front(images, 0), 0)

    def front(self, images: Tensor, first: int) -> Tensor:
        """Returns what the block with the index `first` reads: (n, channels, h, w)."""
        x: Tensor = self.net.bn1(self.net.conv_stem(images))
        for block in self.net.blocks[:first]:
            x = block(x)
        return x

    def tail(self, x: Tensor, first: int) -> Tensor:
        """Returns the pooled features of what `front` gave. No block that is pooled may lie further in front."""
        parts = _pooled(x) if first - 1 in EARLY_BLOCKS else []
        for index, block in enumerate(self.net.blocks[first:], start=first):
            x = block(x)
            if index in EARLY_BLOCKS:
                parts += _pooled(x)
        x = self.net.bn2(self.net.conv_head(x))
        gem = x.clamp(min=1e-6).pow(GEM_POWER).mean((2, 3)).pow(1 / GEM_POWER)
        return torch.cat([nn.functional.normalize(part, dim=1) for part in (gem, *parts)], dim=1)


def _pooled(x: Tensor) -> list[Tensor]:
    return [x.mean((2, 3)), _deviation(x)]


def _deviation(x: Tensor) -> Tensor:
    centered = x - x.mean((2, 3), keepdim=True)
    return (centered.pow(2).mean((2, 3)) + 1e-8).sqrt()


@register_model
def shop_mobilenetv2(pretrained: bool = False, **options: Any) -> ShopMobileNet:
    """What `timm_model_name: shop_mobilenetv2` builds."""
    return ShopMobileNet(pretrained=pretrained, **options)
