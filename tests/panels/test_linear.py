"""PyTorch's products with a weight: each kernel gives the same numbers and the same gradients."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from diptych.pytorch import linear, private  # noqa: E402
from diptych.pytorch.kernels import BY_ONEDNN, DEFAULT, ONEDNN, PLAIN, Choice, Kernels, Race, told  # noqa: E402

pytestmark = pytest.mark.skipif(not private.has_onednn(), reason="this PyTorch has no oneDNN")


MIXED = [
    Kernels(forward, inputs, weight)
    for forward in (DEFAULT, ONEDNN)
    for inputs in (DEFAULT, ONEDNN)
    for weight in (DEFAULT, ONEDNN)
]


def everything(kernels, shape, outputs, seed=3):
    """What each function gives, and its gradients, float32 by these kernels; or float64 where there are none."""
    made = torch.Generator().manual_seed(seed)

    def draw(*shape):
        numbers = torch.randn(*shape, generator=made, dtype=torch.float64)
        return numbers.to(torch.float32 if kernels else torch.float64).requires_grad_()

    inputs, weight, bias, mixer = draw(*shape), draw(outputs, shape[-1]), draw(outputs), draw(*shape[:-1], outputs)
    rows = inputs.flatten(0, -2)
    base = draw(len(rows), outputs)
    product = linear.linear(inputs, weight, bias, kernels or PLAIN)
    bare = linear.linear(inputs, weight, None, kernels or PLAIN)
    added = linear.linear_add(rows, weight.detach(), base, kernels or PLAIN)
    total = (mixer * (product + bare)).sum() + (mixer.flatten(0, -2) * added).sum()
    gradients = torch.autograd.grad(total, (inputs, weight, bias, base))
    return [product, bare, added, *gradients, linear.weight_gradient(base.detach(), rows.detach(), kernels or PLAIN)]


@pytest.mark.parametrize("kernels", MIXED, ids=str)
@pytest.mark.parametrize(
    ("shape", "outputs"), [((3, 5, 20), 33), ((1, 7), 4), ((130, 64), 96), ((2, 1, 1), 1), ((3, 4, 0), 5), ((0, 6), 5)]
)
def test_each_kernel_gives_the_numbers_and_gradients_of_float64(kernels, shape, outputs):
    for found, right in zip(everything(kernels, shape, outputs), everything(None, shape, outputs), strict=True):
        assert found.shape == right.shape
        torch.testing.assert_close(
            found.double(), right, rtol=0, atol=2e-6 * float(right.detach().abs().sum() / max(1, right.numel()) + 1)
        )


def test_a_gradient_lies_in_memory_as_its_weight():
    for kernels in MIXED:
        gradient = linear.weight_gradient(torch.ones(5, 4), torch.ones(5, 3), kernels)
        assert (gradient.t() if kernels.by_columns else gradient).is_contiguous(), kernels


@pytest.mark.parametrize("direction", Kernels._fields)
def test_onednn_is_what_multiplies_where_it_was_chosen(monkeypatch, direction):
    """In one direction, and in no other; in float32 only."""
    calls = []
    onednn = linear.onednn_linear
    monkeypatch.setattr(linear, "onednn_linear", lambda *given: calls.append(tuple(given[0].shape)) or onednn(*given))
    inputs, weight = torch.ones(2, 3, requires_grad=True), torch.ones(4, 3, requires_grad=True)
    product = linear.linear(inputs, weight, None, Kernels(**{direction: ONEDNN}))
    product.sum().backward()
    assert calls == [{"forward": (2, 3), "inputs": (2, 4), "weight": (4, 2)}[direction]]
    calls.clear()
    linear.linear(inputs.double(), weight.double(), None, BY_ONEDNN)
    assert not calls


def race(best):
    """A race whose kernels take 2 s, the best one in each direction 1 s; and what is asked of it."""
    asked = []

    def timer(kernel, shape, rows):
        asked.append((kernel, shape, rows))
        return lambda: tuple(1.0 if kernel == each else 2.0 for each in best)

    return Race(timer), asked


@pytest.mark.parametrize("best", MIXED, ids=str)
def test_the_faster_kernel_is_chosen_once_for_each_direction(best):
    held, asked = race(best)
    held.run({(384, 128): 64})
    assert held.choice == Choice({}) and not asked, "a small product is not worth it"
    held.run({(1536, 512): 64, (5921, 512): 512})
    assert held.choice.by_shape == {(1536, 512): best, (5921, 512): best} and held.choice.of((384, 128)) == PLAIN
    assert {rows for _, shape, rows in asked if shape == (1536, 512)} == {64}
    asked.clear()
    held.run({(1536, 512): 64})
    assert not asked, "it is measured once"
    held.run({(1024, 512): 64})
    assert {shape for _, shape, _ in asked} == {(1024, 512)}, "another shape is measured by itself"


def test_what_another_process_chose_is_kept():
    held, asked = race(BY_ONEDNN)
    chosen = Choice({(5921, 512): Kernels(forward=ONEDNN)})
    held.settle(chosen)
    held.run({(1536, 512): 64})
    assert held.choice == chosen and not asked


def test_a_close_race_is_the_default_s():
    held = Race(lambda kernel, *_: lambda: (1.0, 1.0, 1.0) if kernel == ONEDNN else (1.1, 1.2, 1.1))
    held.run({(1536, 512): 64})
    assert held.choice.of((1536, 512)) == Kernels(inputs=ONEDNN)


def test_once_by_far_is_not_enough():
    """A busy machine holds up the one or the other: what wins must win again and again."""
    turns = iter(range(100))

    def timer(kernel, shape, rows):
        def seconds():
            lucky = next(turns) == 5  # one of oneDNN's
            return (0.5,) * 3 if lucky else (2.0,) * 3 if kernel == ONEDNN else (1.0,) * 3

        return seconds

    held = Race(timer)
    held.run({(1536, 512): 64})
    assert held.choice.of((1536, 512)) == PLAIN


@pytest.mark.parametrize(("by_onednn", "turns"), [(0.5, 5), (0.9, 7)])
def test_a_race_that_is_clear_is_short(by_onednn, turns):
    """The first turn warms up; what the operands cost is paid once."""
    made, taken = [], []

    def timer(kernel, *_):
        made.append(kernel)
        return lambda: taken.append(kernel) or ((by_onednn if kernel == ONEDNN else 1.0),) * 3

    Race(timer).run({(1536, 512): 64})
    assert made == [DEFAULT, ONEDNN]
    assert taken.count(DEFAULT) == taken.count(ONEDNN) == turns


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        (Choice({}), DEFAULT),
        (Choice({(7, 5): PLAIN}), DEFAULT),
        (Choice({}, BY_ONEDNN), ONEDNN),
        (Choice({(7, 5): BY_ONEDNN, (3, 2): BY_ONEDNN}), ONEDNN),
        (Choice({(7, 5): Kernels(forward=ONEDNN), (3, 2): PLAIN}), "oneDNN for 7 x 5 (forward)"),
        (
            Choice({(7, 5): Kernels(forward=ONEDNN), (3, 2): BY_ONEDNN}),
            "oneDNN for 7 x 5 (forward), 3 x 2 (forward, inputs, weight)",
        ),
    ],
)
def test_a_choice_is_told_in_words_and_read_again(choice, text):
    assert str(choice) == text
    assert str(told(text)) == text
    assert all(told(text).of(shape) == kernels for shape, kernels in choice.by_shape.items())


@pytest.mark.parametrize("text", ["", "MKL", "oneDNN for", "oneDNN for 7 x 5 (sideways)"])
def test_what_is_not_understood_is_the_default_s(text):
    assert told(text).of((7, 5)) == PLAIN


def test_the_kernel_that_is_measured_is_the_one_that_multiplies(monkeypatch):
    assert all(min(linear.product_timer(kernel, (64, 32), 8)()) > 0.0 for kernel in (DEFAULT, ONEDNN))
    monkeypatch.setattr(torch.nn.functional, "linear", lambda *_: pytest.fail("PyTorch's default was taken"))
    linear.product_timer(ONEDNN, (64, 32), 8)()


def test_what_is_not_there_is_not_chosen(monkeypatch):
    chosen = {linear.PRODUCTS: ONEDNN}
    assert linear.choice_among(chosen).of((7, 5)) == BY_ONEDNN
    monkeypatch.setattr(torch.ops, "mkldnn", SimpleNamespace())
    assert linear.choice_among(chosen).of((7, 5)) == PLAIN
