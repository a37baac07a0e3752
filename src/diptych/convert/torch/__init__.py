"""PyTorch modules: read by tracing, written as a program of stock layers, run in a process of their own."""
