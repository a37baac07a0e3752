"""The fourth painting: the model, its searches and its tokenizers in plain JavaScript, for a page by itself.

`model.mjs` has the names and the order of `diptych.reference`, and computes in float64 one sentence at a time. It
imports nothing from anywhere; a page has it inside (`diptych.export.html`), and node runs it as the ladder's rung.
"""
