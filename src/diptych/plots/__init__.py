"""Pictures: attention maps, loss curves, quality by length and speeds, with Korean, German and English on any machine.

Matplotlib is imported only when a picture is drawn, and only its objects are used: no pyplot and no settings changed,
so that any thread may draw. Colours can be told apart by colour-blind readers; text is dark on white.
"""

from diptych.plots.attention import attention_map, attention_maps, attention_png
from diptych.plots.lengths import length_and_quality
from diptych.plots.losses import loss_curves
from diptych.plots.rates import rate_curve
from diptych.plots.sheet import picture_path
from diptych.plots.speeds import speed_bars
from diptych.plots.trials import settings_and_scores

__all__ = [
    "attention_map",
    "attention_maps",
    "attention_png",
    "length_and_quality",
    "loss_curves",
    "picture_path",
    "rate_curve",
    "settings_and_scores",
    "speed_bars",
]
