"""What may be given as a recording: files, bytes, samples, and the pairs and dicts of other libraries."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .files import shortened
from .limits import BLOCK_SAMPLES, AudioError, check_rate

AudioSource = Any  # see `identify`
TAKEN = (
    "Audio is taken as a path, as the bytes of a file, as an open file, as samples with their sampling rate "
    "(NumPy array, torch tensor, list), as a pair (rate, samples), or as a dict with array and sampling_rate, "
    "bytes, or path"
)
LOUDEST = 128.0  # times full scale: floats beyond it are no samples between -1 and 1; all whole, they are integers


@dataclass(frozen=True)
class Samples:
    """An array as audio: `(values - zero) / full_scale` lies in [-1, 1].

    Attributes:
        values: `(num_frames, num_channels)`.
        rate: Sampling rate in Hz.
    """

    values: np.ndarray
    rate: int
    zero: float
    full_scale: float

    def blocks(self) -> Iterator[np.ndarray]:
        """Float32 blocks `(num_frames, num_channels)`."""
        size = max(1, BLOCK_SAMPLES // self.values.shape[1])
        for start in range(0, len(self.values), size):
            block = self.values[start : start + size]
            yield ((block - self.zero) / self.full_scale).astype(np.float32)


def identify(source: AudioSource, rate: Any = None) -> str | bytes | Samples:
    """Checks what is given, without decoding it.

    Args:
        source: Path; bytes; open file; array, tensor or list of samples `(num_samples,)` or two-dimensional with
            the shorter axis taken as the channels; pair of rate and samples in either order; dict with `array`
            (or `raw`) and `sampling_rate`, `bytes`, or `path`; decoder of torchcodec.
        rate: Sampling rate of samples in Hz, where `source` does not bring it.

    Returns:
        Path of a regular file that is not empty, bytes, or samples.

    Raises:
        AudioError: It is none of these, or nothing that can be opened.
    """
    if isinstance(source, Samples):
        return source
    if isinstance(source, (str, os.PathLike)):
        return _file(os.fsdecode(source))
    if isinstance(source, Mapping):
        return _from_mapping(source, rate)
    if hasattr(source, "get_all_samples"):  # torchcodec's decoder, which the datasets library gives
        decoded = source.get_all_samples()
        return _samples(decoded.data, decoded.sample_rate)
    if isinstance(source, tuple) and len(source) == 2 and _is_number(source[0]) != _is_number(source[1]):
        own_rate, samples = source if _is_number(source[0]) else source[::-1]
        return _samples(samples, own_rate)
    if hasattr(source, "read"):
        try:
            source = source.getvalue() if hasattr(source, "getvalue") else source.read()
        except (OSError, ValueError) as error:  # closed, or opened for writing
            raise AudioError(f"The open file cannot be read: {error}.") from None
    if isinstance(source, (bytes, bytearray, memoryview)):
        if not len(source):
            raise AudioError("The recording is empty: it has no bytes.")
        return bytes(source)
    return _samples(source, rate)


def _from_mapping(source: Mapping, rate: Any) -> str | bytes | Samples:
    for name in ("array", "raw"):
        if source.get(name) is not None:
            return _samples(source[name], source.get("sampling_rate") or rate)
    for name in ("bytes", "path"):
        if source.get(name) is not None:
            return identify(source[name])
    raise AudioError(f"{TAKEN}; this dict has {', '.join(map(shortened, map(str, source))) or 'nothing in it'}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number))


def _file(path: str) -> str:
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:
        raise AudioError(_why_not_there(path, error)) from None
    if stat.S_ISDIR(found.st_mode):
        raise AudioError(f"{shortened(path)} is a folder, not a recording.")
    if not stat.S_ISREG(found.st_mode):
        raise AudioError(f"{shortened(path)} is no regular file but a pipe or a device; it is not opened.")
    if found.st_size == 0:
        raise AudioError("The recording is empty: the file has no bytes.")
    return path


def _why_not_there(path: str, error: Exception) -> str:
    shown = shortened(path)
    if path.startswith("data:"):
        return "A data: address is no file: give the bytes that it holds."
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+://", path):
        return f"{shown} is an address, not a file: download it first."
    if "\0" not in path and os.path.islink(path):
        return f"{shown} is a link to a file that is not there; in a git-annex folder, run `git annex get`."
    code = getattr(error, "errno", None)
    if code in (errno.ENOENT, errno.ENOTDIR) or code is None:
        return f"There is no file at {shown}."
    return f"{shown} cannot be opened: {os.strerror(code)}."


def _samples(source: Any, rate: Any) -> Samples:
    if hasattr(source, "detach"):  # a torch tensor, wherever it lies; NumPy has no bfloat16
        source = source.detach().cpu()
        source = source.float() if source.is_floating_point() else source
    try:
        values = np.asarray(source)
    except ValueError:
        raise AudioError("The samples are a list of lists of different lengths.") from None
    if values.dtype.kind not in "iuf" or values.ndim == 0:
        kind = type(source).__name__ if values.dtype == object or values.ndim == 0 else f"samples of {values.dtype}"
        raise AudioError(f"{TAKEN}; {kind} is not audio.")
    if rate is None:
        raise AudioError("An array of samples needs its sampling rate in Hz.")
    if values.ndim > 2:
        raise AudioError(f"Samples must have one or two dimensions, not {values.ndim}.")
    if values.size == 0:
        raise AudioError("The recording is empty: it has no samples.")
    if values.ndim == 1:
        values = values[:, None]
    elif values.shape[0] < values.shape[1]:
        values = values.T
    return Samples(values, check_rate(rate), *_scale(values))


def _scale(values: np.ndarray) -> tuple[float, float]:
    """Zero and full scale of samples.

    8 and 16 bits are taken as what they are. Wider integers, and floats that hold only whole numbers beyond
    +-128, are scaled by their content: full scale is that of the smallest of 16, 24, 32 and 64 bits
    that holds the peak; integers whose lowest byte is always zero stand at the upper end of their type.
    """
    kind, bits = values.dtype.kind, 8 * values.dtype.itemsize
    if kind == "u":
        return 2.0 ** (bits - 1), 2.0 ** (bits - 1)
    if kind == "i" and bits <= 16:
        return 0.0, 2.0 ** (bits - 1)
    peak = max(abs(float(values.min())), abs(float(values.max())))
    if kind == "f" and not (LOUDEST < peak <= 2.0**63 and _all(values, lambda part: part % 1 == 0)):
        return 0.0, 1.0
    if kind == "i" and _all(values, lambda part: part & 0xFF == 0):
        return 0.0, 2.0 ** (bits - 1)
    return 0.0, next(2.0 ** (size - 1) for size in (16, 24, 32, 64) if peak <= 2.0 ** (size - 1))


def _all(values: np.ndarray, holds: Any) -> bool:
    """Whether something holds everywhere, a block at a time."""
    return all(bool(holds(values[start : start + 2**18]).all()) for start in range(0, len(values), 2**18))
