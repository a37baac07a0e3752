"""From pairs to batches of token ids: tokenizers, vocabularies, encoded pairs."""
