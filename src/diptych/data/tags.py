"""Tags in front of a source: the language to translate into, or features of a word."""

TAG_END = "\t"
"""What stands after each tag, in a line and in the text of a source."""
