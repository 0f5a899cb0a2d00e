"""Checkpoints as ONNX graphs; needs torch, onnx and onnxscript, which what runs the graphs does not."""
