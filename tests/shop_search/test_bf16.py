"""Trainings compute in bf16 on CPUs that can, and on no others."""

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: it comes with the 'train' extra")

from shop_search.bf16 import has_bf16  # noqa: E402


@pytest.mark.parametrize(
    ("able", "has"),
    [({"avx512_bf16": True}, True), ({"amx_bf16": True}, True), ({"bf16": True}, True), ({"avx2": True}, False)],
)
def test_only_a_cpu_with_its_own_instructions_is_asked(
    able: dict[str, bool], has: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    assert has_bf16() is has
