"""Export a checkpoint for other runtimes, such as onnxruntime."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ser_model.cli import set_up


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="CHECKPOINT", help="checkpoint folder or Hub id")
    parser.add_argument("--format", choices=("onnx",), default="onnx", help="what is written (default: onnx)")
    parser.add_argument("--int8", action="store_true", help="matrix products in 8-bit integers: smaller and faster")
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="where to; default: the checkpoint's name and -onnx or -onnx-int8"
    )


def run(args: argparse.Namespace) -> int:
    """Writes the folder and prints what it holds."""
    from ser_model.inference.base_recognizer import ModelError

    try:
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401

        from ser_model.inference.onnx_export.export import MODEL, ExportError, export_onnx
    except ImportError as error:
        print(f"export: {error.name} is not installed: pip install ser-model[onnx].", file=sys.stderr)
        return 1
    set_up()
    folder = args.output or Path(f"{Path(args.model).name}-onnx{'-int8' if args.int8 else ''}")
    try:
        difference = export_onnx(args.model, folder, args.int8)
    except (ModelError, ExportError, OSError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    size = (folder / MODEL).stat().st_size / 1e6
    print(f"{folder / MODEL}: {size:.1f} MB; probabilities within {difference:.1g} of the checkpoint's on noise.")
    return 0
