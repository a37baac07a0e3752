"""PyTorch's products with a weight: each kernel gives the same numbers and the same gradients."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from diptych.pytorch import linear, private  # noqa: E402
from diptych.pytorch.linear import DEFAULT, ONEDNN, KernelChoice  # noqa: E402

pytestmark = pytest.mark.skipif(not private.has_onednn(), reason="this PyTorch has no oneDNN")


def everything(kernel, shape, outputs, seed=3):
    """What each function gives, and its gradients, float32 by this kernel; or float64 where there is none."""
    made = torch.Generator().manual_seed(seed)

    def draw(*shape):
        numbers = torch.randn(*shape, generator=made, dtype=torch.float64)
        return numbers.to(torch.float32 if kernel else torch.float64).requires_grad_()

    inputs, weight, bias, mixer = draw(*shape), draw(outputs, shape[-1]), draw(outputs), draw(*shape[:-1], outputs)
    rows = inputs.flatten(0, -2)
    base = draw(len(rows), outputs)
    product = linear.linear(inputs, weight, bias, kernel)
    bare = linear.linear(inputs, weight, None, kernel)
    added = linear.linear_add(rows, weight.detach(), base, kernel)
    total = (mixer * (product + bare)).sum() + (mixer.flatten(0, -2) * added).sum()
    gradients = torch.autograd.grad(total, (inputs, weight, bias, base))
    return [product, bare, added, *gradients, linear.weight_gradient(base.detach(), rows.detach(), kernel)]


@pytest.mark.parametrize("kernel", [DEFAULT, ONEDNN])
@pytest.mark.parametrize(
    ("shape", "outputs"), [((3, 5, 20), 33), ((1, 7), 4), ((130, 64), 96), ((2, 1, 1), 1), ((3, 4, 0), 5), ((0, 6), 5)]
)
def test_each_kernel_gives_the_numbers_and_gradients_of_float64(kernel, shape, outputs):
    for found, right in zip(everything(kernel, shape, outputs), everything("", shape, outputs), strict=True):
        assert found.shape == right.shape
        torch.testing.assert_close(
            found.double(), right, rtol=0, atol=2e-6 * float(right.detach().abs().sum() / max(1, right.numel()) + 1)
        )


def test_onednn_is_what_multiplies_where_it_was_chosen(monkeypatch):
    monkeypatch.setattr(torch.nn.functional, "linear", lambda *_: pytest.fail("PyTorch's default was taken"))
    linear.linear(torch.ones(2, 3), torch.ones(4, 3), None, ONEDNN)
    with pytest.raises(pytest.fail.Exception, match="default was taken"):
        linear.linear(torch.ones(2, 3, dtype=torch.float64), torch.ones(4, 3, dtype=torch.float64), None, ONEDNN)
    with pytest.raises(pytest.fail.Exception, match="default was taken"):
        linear.linear(torch.ones(2, 3), torch.ones(4, 3), None, DEFAULT)


@pytest.mark.parametrize("faster", [DEFAULT, ONEDNN])
def test_the_faster_kernel_is_chosen_once(faster):
    asked = []

    def seconds(kernel, outputs, inputs, rows):
        asked.append((outputs, inputs))
        return 1.0 if kernel == faster else 2.0

    choice = KernelChoice(seconds)
    choice.measure((384, 128), (384, 128))
    assert choice.kernel is None and not asked, "a small model leaves the choice to a large one"
    choice.measure((1536, 512), (1536, 256))
    assert choice.kernel == faster and set(asked) == {(1536, 512), (1536, 256)}
    asked.clear()
    choice.measure((1536, 512), (1536, 256))
    assert choice.kernel == faster and not asked, "it is measured once"


def test_a_close_race_is_the_default_s():
    choice = KernelChoice(lambda kernel, *_: 1.0 if kernel == ONEDNN else 1.1)
    choice.measure((1536, 512), (1536, 512))
    assert choice.kernel == DEFAULT


def test_the_kernel_that_is_measured_is_the_one_that_multiplies():
    assert all(linear.product_seconds(kernel, 64, 32, 8) > 0.0 for kernel in (DEFAULT, ONEDNN))


def test_what_is_not_there_is_not_chosen(monkeypatch):
    chosen = {linear.PRODUCTS: ONEDNN}
    assert linear.kernel_of(chosen) == ONEDNN
    monkeypatch.setattr(torch.ops, "mkldnn", SimpleNamespace())
    assert linear.kernel_of(chosen) == DEFAULT
    choice = KernelChoice(lambda kernel, *_: 1.0 if kernel == ONEDNN else 2.0)
    choice.measure((1536, 512), (1536, 512))
    assert choice.kernel is None
