"""ONNX: files read into a graph, graphs written as files of native nodes, and both run where a runtime is installed."""
