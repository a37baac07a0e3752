"""The configuration of a run: frozen, typed, validated once, read from TOML.

The defaults are those of `diptych compare` without a config: the built-in phrasebook with additive attention.
"""

from diptych.config.data import AdditionalText, DataConfig, Normalization, Script, TokenizerKind, Tongue
from diptych.config.model import Attention, Bridge, Cell, ModelConfig
from diptych.config.reading import changed_search, parse_config, read_config
from diptych.config.run import RunConfig
from diptych.config.search import SearchConfig
from diptych.config.section import Backend, Precision, Section, TrainingPrecision
from diptych.config.training import Schedule, StopMetric, TrainingConfig

__all__ = [
    "AdditionalText",
    "Attention",
    "Backend",
    "Bridge",
    "Cell",
    "DataConfig",
    "ModelConfig",
    "Normalization",
    "Precision",
    "RunConfig",
    "Schedule",
    "Script",
    "SearchConfig",
    "Section",
    "StopMetric",
    "TokenizerKind",
    "Tongue",
    "TrainingConfig",
    "TrainingPrecision",
    "changed_search",
    "parse_config",
    "read_config",
]
