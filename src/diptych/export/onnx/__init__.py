"""A run's model as ONNX files, written from its weights by the equations (docs/equations.md), not traced."""
