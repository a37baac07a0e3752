"""The seam between the three panels and what uses them: the only door to a framework, and what lies behind it."""

from diptych.panel.loading import BACKENDS, DEVICES, NAMES, is_installed, load

__all__ = ["BACKENDS", "DEVICES", "NAMES", "is_installed", "load"]
