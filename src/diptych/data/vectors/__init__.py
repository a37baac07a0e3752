"""Embeddings that others have trained: read from the files of word2vec, fastText and GloVe."""
