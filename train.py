"""Trains a preset from corpus to checkpoint: `python train.py --preset encoder-attention`."""

from ser_model.cli.train import run_as_program

if __name__ == "__main__":
    run_as_program()
