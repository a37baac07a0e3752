"""The two implementations of a class or function, side by side, from the live code."""
