"""What pyproject.toml cannot say: pins come from the requirements files, and the default checkpoint is package data."""

from pathlib import Path

from setuptools import find_namespace_packages, setup

CHECKPOINT = "ser_model.checkpoints.default"


def pins(name: str) -> list[str]:
    """The `name==version` lines of a requirements file."""
    return [line for line in Path(name).read_text(encoding="utf-8").splitlines() if line[:1].isalpha()]


search = [pin for pin in pins("requirements-dev.txt") if pin.startswith("optuna==")]
onnx = pins("requirements-onnx.txt")
demo = [pin for pin in pins("requirements.txt") if pin.startswith("gradio==")]
setup(
    install_requires=[pin for pin in pins("requirements.txt") if pin not in demo],
    extras_require={"demo": demo, "onnx": onnx, "search": search, "dev": demo + onnx + pins("requirements-dev.txt")},
    packages=[
        *find_namespace_packages(include=["ser_model*", "datasets_scripts*", "demo*"], exclude=["*.__pycache__*"]),
        CHECKPOINT,
    ],
    package_dir={CHECKPOINT: "checkpoints/default"},
    package_data={"": ["*"]},
)
