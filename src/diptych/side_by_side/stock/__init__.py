"""Stock layers of Keras and of PyTorch that compute what the panels do; programs to read, run by a test only."""
