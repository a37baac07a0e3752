"""What a user says beside a class: examples of inputs that do not fit are refused in words, lengths in them stay open;
a class that ends the process is refused, too.
"""

from __future__ import annotations

import os

import pytest

from diptych.convert.framework_process import call, keeping_the_last
from diptych.errors import BackendError, RefusalError

torch = pytest.importorskip("torch", reason="not installed: pytorch")
nn = torch.nn


class Stacked(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(3, 5, num_layers=2)

    def forward(self, x, h0):
        return self.gru(x, h0)


class Joined(nn.Module):
    """A second sequence that only a concatenation takes, a mask that only masked_fill does."""

    def __init__(self):
        super().__init__()
        self.lstm, self.dense = nn.LSTM(3, 5, batch_first=True), nn.Linear(7, 1)

    def forward(self, x, other, mask):
        read = torch.cat([self.lstm(x)[0], other], dim=-1)
        scores = self.dense(read).squeeze(2).masked_fill(mask == 0, -1e10)
        return torch.bmm(torch.softmax(scores, 1).unsqueeze(1), read)


class Reader(nn.Module):
    """Attention over a memory of any length."""

    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(3, 5)

    def forward(self, x, h, memory):
        h = self.cell(x, h)
        return torch.bmm(torch.softmax(torch.bmm(memory, h.unsqueeze(2)), 1).transpose(1, 2), memory), h


class Flat(nn.Module):
    """Bound to the length of its example."""

    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(12, 2)

    def forward(self, x):
        return self.dense(torch.tanh(x).flatten(1))


TYPES = [torch.float, torch.float, torch.bool]


def graph_of(module, *shapes, types=()):
    from diptych.convert.torch.tracing import graph_of as read

    examples = [torch.zeros(shape) for shape in shapes]
    return read(module, [one.to(kind) for one, kind in zip(examples, types)] or examples)


@pytest.mark.parametrize(
    ("module", "shapes", "message"),
    [
        (Stacked, [(7, 2, 4)], r"input 'x' has the shape \(7, 2, 4\), but gru takes 3 numbers .* --input 7,2,3"),
        (Stacked, [(7, 3)], r"input 'x' has the shape \(7, 3\), but gru takes 3 numbers .* --input 2,7,3"),
        (Stacked, [(7, 2, 3), (1, 2, 5)], r"'h0' has the shape \(1, 2, 5\), but a state of gru has 2 .* --input 2,2,5"),
        (Stacked, [(7, 2, 3), (2, 2, 5), (2,)], r"3 examples .* forward of Stacked takes 2 \(x, h0\)"),
        (Reader, [(2, 4), (2, 5), (2, 6, 5)], r"input 'x' has the shape \(2, 4\), but cell takes 3 .* --input 2,3"),
    ],
)
def test_an_example_that_does_not_fit_is_refused(module, shapes, message):
    with pytest.raises(RefusalError, match=message):
        graph_of(module(), *shapes)


def test_where_sizes_part_inside_the_model_the_layer_is_named():
    with pytest.raises(RefusalError, match=r"dense \(Dense\) cannot take x \(4, 7, 9\), and its weights .*\(1, 7\)"):
        graph_of(Joined(), (2, 7, 3), (2, 7, 4), (2, 7), types=TYPES)
    with pytest.raises(RefusalError, match=r"Concatenate\) cannot take x0 \(4, 7, 5\), x1 \(4, 6, 2\)"):
        graph_of(Joined(), (2, 7, 3), (2, 6, 2), (2, 7), types=TYPES)


@pytest.mark.parametrize(
    ("module", "shapes", "types", "expected"),
    [
        (Joined, [(2, 7, 3), (2, 7, 2), (2, 7)], TYPES, [(None, 3), (None, 2), (None,)]),
        (Reader, [(2, 3), (2, 5), (2, 6, 5)], [], [(3,), (5,), (None, 5)]),
        (Stacked, [(7, 2, 3), (2, 2, 5)], [], [(None, 3), (2, 5)]),
        (Flat, [(2, 4, 3)], [], [(4, 3)]),
        (lambda: nn.Conv1d(3, 2, 2), [(2, 3, 9)], [], [(3, None)]),
    ],
)  # fmt: skip
def test_a_length_stays_open_where_nothing_depends_on_it(module, shapes, types, expected):
    graph = graph_of(nn.Sequential(module()) if isinstance(made := module(), nn.Conv1d) else made, *shapes, types=types)
    assert [given.shape for given in graph.inputs] == expected
    assert any("any length of" in sentence for sentence in graph.assumptions) == (module not in (Stacked, Flat))


def test_a_class_that_ends_the_process_is_refused():
    with pytest.raises(RefusalError, match=r"--module net:Net ended its process, with exit status 3"):
        call("reference", "os:_exit", {"status": 3}, module="net:Net")
    with pytest.raises(BackendError, match="exit status 0"):
        call("reference", "sys:exit", {})


def test_a_framework_that_is_asked_again_goes_on_but_not_with_a_class_of_the_users():
    def number(module=""):
        return call("reference", "os:getpid", {}, module=module)

    with keeping_the_last():
        first = number()
        assert number() == first
        theirs = number("net:Net")
        assert theirs != first
        with pytest.raises(ProcessLookupError):
            os.kill(first, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(theirs, 0)
