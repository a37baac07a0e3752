"""Diptych: one recurrent sequence-to-sequence model, painted twice, hinged by one set of weights."""

__version__ = "0.1.0"
