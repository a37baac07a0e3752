"""Keras models: read from the config, whichever version wrote it; written as a program; run in their own process."""
