"""The tutorial's programs run, and say the same in both frameworks; the stock examples have Diptych's numbers."""

from __future__ import annotations

import pytest

# Cells whose outputs are to be equal, letter by letter; the others show what differs.
EQUAL = {
    "encoder": "layer padding slip", "decoder": "step whole stock slip", "attention": "additive general whole stock",
    "data": "words characters", "training": "loss adam", "checkpoints": "slip", "prediction": "greedy four unknown",
    "evaluate": "evaluate map", "translate": "translate plot stock", "sampling": "sample length",
    "shapes": "shapes both stock", "comparison": "digest",
}  # fmt: skip


def check(ran, name):
    for cell in EQUAL[name].split():
        first, second = (result.outputs[cell] for result in ran.values())
        assert first == second and first, f"{name}.{cell}"


@pytest.mark.usefixtures("both_frameworks")
def test_the_stock_decoders_compute_what_diptych_computes(site):
    """With additive and with general attention, to 1e-15: the quick twin of the whole tutorial."""
    ran = site("programs").run("attention", last="stock")
    check(ran, "attention")
    assert ran["pytorch"].outputs["stock"].count("less than 1e-15") == 2


@pytest.mark.slow
@pytest.mark.usefixtures("both_frameworks")
@pytest.mark.parametrize("name", list(EQUAL))
def test_each_program_runs_and_says_the_same_in_both(site, name):
    ran = site("programs").run(name)
    check(ran, name)
    gaps = {"encoder": "padding", "decoder": "whole stock", "attention": "whole stock"}.get(name, "")
    for cell in gaps.split():
        assert "less than 1e-15" in ran["tensorflow"].outputs[cell]


def test_every_program_is_named_here(site):
    assert sorted(EQUAL) == site("programs").names()
