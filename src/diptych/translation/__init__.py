"""Text in, text out: a translator over one model or an ensemble."""
