"""Both frameworks on the same run, each in a process of its own: what they compute, how well and how fast."""
