"""In bf16 a network computes, and nothing else: what is learned, remembered and saved stays in fp32."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed: it comes with the 'train' extra")

import torch

from detection.training import precision


class Network(torch.nn.Module):
    """As ultralytics' are: layers in `model`, the last of which answers with tensors in dicts and lists."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []
        self.model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), Head(self.seen))

    def forward(self, images: Any) -> Any:
        return self.model(images)


class Head(torch.nn.Module):
    def __init__(self, seen: list[Any]) -> None:
        super().__init__()
        self.convolution = torch.nn.Conv2d(4, 2, 1)
        self.seen = seen

    def forward(self, features: Any) -> Any:
        found = self.convolution(features)
        self.seen.append(found.dtype)
        return {"boxes": found, "feats": [found, found]}


class Training:
    """What in_bf16 asks of a YOLO."""

    def __init__(self) -> None:
        self.callbacks: dict[str, Callable[[Any], None]] = {}
        self.network = Network()

    def add_callback(self, event: str, function: Callable[[Any], None]) -> None:
        self.callbacks[event] = function

    def set_up(self) -> Network:
        self.callbacks["on_pretrain_routine_end"](SimpleNamespace(model=self.network))
        return self.network


def test_layers_compute_in_bf16_and_the_loss_gets_fp32() -> None:
    training = Training()
    precision.in_bf16(training)
    network = training.set_up()
    predicted = network(torch.rand(1, 3, 8, 8))
    assert network.seen == [torch.bfloat16]
    assert {predicted["boxes"].dtype, *(part.dtype for part in predicted["feats"])} == {torch.float32}
    assert not torch.is_autocast_enabled("cpu")


def test_gradients_and_weights_are_in_fp32() -> None:
    training = Training()
    precision.in_bf16(training)
    network = training.set_up()
    network(torch.rand(1, 3, 8, 8))["boxes"].square().sum().backward()
    for weight in network.parameters():
        assert (weight.dtype, weight.grad.dtype) == (torch.float32, torch.float32)
        assert weight.grad.abs().sum() > 0


def test_nothing_changes_before_training_begins() -> None:
    training = Training()
    precision.in_bf16(training)
    training.network(torch.rand(1, 3, 8, 8))
    assert training.network.seen == [torch.float32]
