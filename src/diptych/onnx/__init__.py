"""ONNX files put together by hand: what a conversion and an export share; needs neither onnx nor a runtime."""
