"""Trains in bf16 where a CPU has instructions for it: about half the time, for weights that stay in fp32.

Ultralytics computes in half precision on GPUs only.

Source: Micikevicius et al., "Mixed Precision Training", 2018; Kalamkar et al., "A Study of BFLOAT16 for Deep Learning
Training", 2019.
"""

from typing import Any

import torch


def in_bf16(yolo: Any) -> None:
    """Has the training of this YOLO compute its network in bf16, and the loss in fp32: eight bits are few for a box.

    The weights, their average that is saved and judged, and what the optimizer remembers are in fp32 throughout.
    """

    def after_setup(trainer: Any) -> None:
        trainer.model.to(memory_format=torch.channels_last)  # a sixth of the time
        layers = trainer.model.model
        half = torch.autocast("cpu", dtype=torch.bfloat16)

        def enter(_layer: Any, _given: Any) -> None:
            half.__enter__()

        def leave(_layer: Any, _given: Any, predicted: Any) -> Any:
            half.__exit__(None, None, None)
            return _in_fp32(predicted)

        layers[0].register_forward_pre_hook(enter)
        layers[-1].register_forward_hook(leave)

    yolo.add_callback("on_pretrain_routine_end", after_setup)  # the average has been copied: it has no hooks


def _in_fp32(predicted: Any) -> Any:
    if isinstance(predicted, torch.Tensor):
        return predicted.float()
    if isinstance(predicted, dict):
        return {name: _in_fp32(part) for name, part in predicted.items()}
    return type(predicted)(_in_fp32(part) for part in predicted)
