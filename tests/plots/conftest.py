"""Every figure that is saved, with the axes as they were drawn."""

from __future__ import annotations

import pytest

from diptych.plots import attention, lengths, losses, rates, speeds


@pytest.fixture
def figures(monkeypatch):
    """The figures, in the order in which they were saved."""
    saved = []
    for module in (attention, lengths, losses, rates, speeds):
        save = module.save
        monkeypatch.setattr(
            module, "save", lambda figure, *rest, save=save: (saved.append(figure), save(figure, *rest))
        )
    return saved
