"""The parity ladder: from the same weights the same numbers, rung by rung; and where two panels part."""
