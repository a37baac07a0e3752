"""Where stock Keras and stock PyTorch part ways: each difference demonstrated by two short programs, and measured.

Every folder of `entries/` is one entry: `in_tensorflow.py` and `in_pytorch.py`, short programs of stock code that
print one JSON line and can be run on their own, and `entry.toml`, which says what differs, why, and how Diptych
bridges it; `korean.toml` says so in Korean. `catalogue.py` finds and runs them; `document.py` writes
docs/differences.md, in the words of `wording.py`, from the same source.
"""
