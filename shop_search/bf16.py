"""Whether trainings may compute in bf16 here: about half the time, for weights that stay in fp32.

Source: Kalamkar et al., "A Study of BFLOAT16 for Deep Learning Training", 2019.
"""


def has_bf16() -> bool:
    """Whether this CPU multiplies numbers in bf16 itself; on others torch would imitate it, slowly."""
    import torch

    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16") or able.get("bf16"))
