"""The command line: one file for each command, which parses, calls and prints; `application.py` lists them."""

from diptych.cli.application import main

__all__ = ["main"]
