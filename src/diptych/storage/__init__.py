"""Putting files and folders in place for good: whole or not at all, and still there after a power cut."""
