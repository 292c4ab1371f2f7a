"""What a training writes: the schema of its summary and the names of its files. It needs no torch."""

from __future__ import annotations

from typing import Final

SCHEMA: Final = "pulsebms.training/1"
CURVE, CHECKPOINT, POLICY, SUMMARY = "curve.csv", "checkpoint.pt", "policy.onnx", "summary.json"
