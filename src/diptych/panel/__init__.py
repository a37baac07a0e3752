"""The seam between the three panels and what uses them: the only door to a framework, and what lies behind it."""

from diptych.panel.loading import BACKENDS, DEVICES, NAMES, is_installed, load
from diptych.panel.protocol import Masks, Panel, StepResult, TrainingPanel, real_positions, training_panel, trains

__all__ = [
    "BACKENDS", "DEVICES", "NAMES", "Masks", "Panel", "StepResult", "TrainingPanel", "is_installed", "load",
    "real_positions", "training_panel", "trains",
]  # fmt: skip
