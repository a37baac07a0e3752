"""PyTorch's products with a weight: each kernel gives the same numbers and the same gradients."""

import pytest
import torch

from diptych.pytorch import linear

pytestmark = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this PyTorch has no oneDNN")


@pytest.fixture(autouse=True)
def kernel_as_before():
    before = linear._kernel
    yield
    linear._kernel = before


def everything(kernel, shape, outputs, seed=3):
    """What each function gives, and its gradients, float32 by this kernel; or float64 where there is none."""
    made = torch.Generator().manual_seed(seed)

    def draw(*shape):
        numbers = torch.randn(*shape, generator=made, dtype=torch.float64)
        return numbers.to(torch.float32 if kernel else torch.float64).requires_grad_()

    linear.use(kernel)
    inputs, weight, bias, mixer = draw(*shape), draw(outputs, shape[-1]), draw(outputs), draw(*shape[:-1], outputs)
    rows = inputs.flatten(0, -2)
    base = draw(len(rows), outputs)
    product = linear.linear(inputs, weight, bias)
    bare = linear.linear(inputs, weight)
    added = linear.linear_add(rows, weight.detach(), base)
    total = (mixer * (product + bare)).sum() + (mixer.flatten(0, -2) * added).sum()
    gradients = torch.autograd.grad(total, (inputs, weight, bias, base))
    return [product, bare, added, *gradients, linear.weight_gradient(base.detach(), rows.detach())]


@pytest.mark.parametrize("kernel", [linear.DEFAULT, linear.ONEDNN])
@pytest.mark.parametrize(
    ("shape", "outputs"), [((3, 5, 20), 33), ((1, 7), 4), ((130, 64), 96), ((2, 1, 1), 1), ((3, 4, 0), 5), ((0, 6), 5)]
)
def test_each_kernel_gives_the_numbers_and_gradients_of_float64(kernel, shape, outputs):
    for found, right in zip(everything(kernel, shape, outputs), everything("", shape, outputs), strict=True):
        assert found.shape == right.shape
        torch.testing.assert_close(
            found.double(), right, rtol=0, atol=2e-6 * float(right.detach().abs().sum() / max(1, right.numel()) + 1)
        )


def test_onednn_is_what_multiplies_once_it_is_chosen(monkeypatch):
    linear.use(linear.ONEDNN)
    monkeypatch.setattr(torch.nn.functional, "linear", lambda *_: pytest.fail("PyTorch's default was taken"))
    linear.linear(torch.ones(2, 3), torch.ones(4, 3))
    with pytest.raises(pytest.fail.Exception, match="default was taken"):
        linear.linear(torch.ones(2, 3, dtype=torch.float64), torch.ones(4, 3, dtype=torch.float64))


@pytest.mark.parametrize("faster", [linear.DEFAULT, linear.ONEDNN])
def test_the_faster_kernel_is_chosen_once(monkeypatch, faster):
    linear._kernel = None
    monkeypatch.setattr(linear, "_time", lambda *_: 1.0 if linear.chosen() == faster else 2.0)
    small, large = torch.zeros(384, 128), torch.zeros(1536, 512)
    linear.choose(small, small)
    assert linear._kernel is None, "a small model leaves the choice to a large one"
    linear.choose(large, large)
    assert linear.chosen() == faster
    monkeypatch.setattr(linear, "_time", lambda *_: pytest.fail("measured again"))
    linear.choose(large, large)
