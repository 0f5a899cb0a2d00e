"""What recognizers share, whatever runs the network: the speech gate, what of a recording is analysed, results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ser_model.audio import AudioSource, load_audio

from .results import Attention, EmotionResult, Speech
from .voice_activity import Detector, Stretches, speech_stretches, with_margin

if TYPE_CHECKING:
    from .voice_profile import VoiceProfile

CONTEXT_SECONDS = 0.5  # around the speech of a long recording
BATCH_SIZE = 4  # more is no faster on a CPU


class ModelError(Exception):
    """A model that cannot be used; the text is one sentence."""


class DeviceMemoryError(ModelError):
    """The device has too little memory for a batch."""


class BaseRecognizer:
    """Predicts emotions with a network that its subclass runs.

    Attributes:
        labels: Emotion names in the order of the network's outputs.
        sampling_rate: In Hz, of the audio that the network takes.
        seconds_per_frame: Time from one frame of attention to the next.
        span_seconds: What the network takes at once; longer recordings are windowed.
        unsure_below: Confidence below which a result is `unsure`; 0 where the model does not say.
        calibration_temperature: What the network's logits are divided by.
        report: Content of the checkpoint's `report.json`, None where there is none.
        detect: What finds speech; None for the detector in torch.
        model: The network in torch, where there is one.
        encoder_checksum: What voice profiles have to be made with; None where it is not known yet or there is none.
    """

    labels: list[str]
    sampling_rate: int
    seconds_per_frame: float
    span_seconds: float
    unsure_below: float
    calibration_temperature: float
    report: dict[str, Any] | None
    detect: Detector | None = None
    model: Any = None
    encoder_checksum: str | None = None

    @property
    def profile_shape(self) -> tuple[int, int]:
        """Layers and size of the encoder frames that a voice profile is taken from."""
        raise NotImplementedError

    def digest(self) -> str:
        """Checksum of what predictions depend on."""
        raise NotImplementedError

    def encode(self, wave: np.ndarray) -> Any:
        """Encoder frames of a recording, for voice profiles."""
        raise NotImplementedError

    def _network(self, voice: VoiceProfile | None) -> Any:
        """What `_classify` is given for recordings of this voice."""
        raise NotImplementedError

    def _classify(
        self, waves: Sequence[np.ndarray], network: Any, batch_size: int
    ) -> tuple[np.ndarray, list[np.ndarray | None]]:
        """Probabilities `(batch, num_labels)`, and attention over time `(num_frames,)` of each recording, or None."""
        raise NotImplementedError

    def __call__(
        self, audio: AudioSource, sampling_rate: int | None = None, voice: VoiceProfile | None = None
    ) -> EmotionResult:
        """Predicts the emotion of one recording; `label` of the result is None where nobody speaks in it.

        Args:
            audio: Path, bytes of a file, or an array of samples.
            sampling_rate: Sampling rate of an array in Hz.
            voice: Profile of the person who speaks.

        Raises:
            AudioError: The recording cannot be used; the text says why.
            VoiceProfileError: The profile was made with another model.
        """
        return self.predict_batch([load_audio(audio, self.sampling_rate, source_rate=sampling_rate)], voice)[0]

    def predict_batch(
        self,
        waves: Sequence[np.ndarray],
        voice: VoiceProfile | None = None,
        gate: bool = True,
        batch_size: int = BATCH_SIZE,
    ) -> list[EmotionResult]:
        """Predicts the emotions of several recordings, `batch_size` recordings and windows at a time.

        A recording longer than the network's span is cut into half-overlapping windows whose
        probabilities are averaged by their valid frames; its pauses are left out. Other recordings
        never change a result.

        Args:
            waves: As `load_audio` gives them at `sampling_rate`, `(num_samples,)` each.
            voice: Profile of the person who speaks in all of them.
            gate: Whether to look for speech. Without, as in evaluation and in windows that were laid
                where somebody speaks, every recording gets a label, and long ones are predicted whole.
            batch_size: More are faster on a GPU and no faster on a CPU.

        Raises:
            ModelError: The network overflows, as one may in float16.
            VoiceProfileError: The profile was made with another model.
        """
        network = self._network(voice)
        batches = [waves[first : first + batch_size] for first in range(0, len(waves), batch_size)]
        return [result for batch in batches for result in self._predict(batch, network, gate, batch_size)]

    def _predict(
        self, waves: Sequence[np.ndarray], network: Any, gate: bool, batch_size: int
    ) -> Iterator[EmotionResult]:
        durations = [len(wave) / self.sampling_rate for wave in waves]
        speech: list[Stretches | None] = [None] * len(waves)
        if gate:
            speech = [speech_stretches(wave, self.sampling_rate, self.detect) for wave in waves]
        parts = [self._analysed(duration, found) for duration, found in zip(durations, speech, strict=True)]
        joined = [self._joined(wave, of_wave) for wave, of_wave in zip(waves, parts, strict=True)]
        shares, attention = self._classify(joined, network, batch_size)
        if not np.isfinite(shares).all():
            raise ModelError("The model gave probabilities that are not numbers (NaN or infinite).")
        for row, weights, found, duration, analysed in zip(shares, attention, speech, durations, parts, strict=True):
            probabilities = dict(zip(self.labels, row.tolist(), strict=True))
            yield EmotionResult(
                label=None if found == [] else max(probabilities, key=lambda label: probabilities[label]),
                probabilities=probabilities,
                attention=None if weights is None else self._over_time(weights, analysed, duration),
                duration=duration,
                speech=None if found is None else Speech.of(found, duration),
                unsure_below=self.unsure_below,
            )

    def _analysed(self, duration: float, found: Stretches | None) -> Stretches:
        """What of a recording the network is given: all of it, or of a long one what lies near its speech."""
        long = duration > self.span_seconds
        return with_margin(found, duration, CONTEXT_SECONDS) if found and long else [(0.0, duration)]

    def _joined(self, wave: np.ndarray, parts: Stretches) -> np.ndarray:
        rate = self.sampling_rate
        return np.concatenate([wave[round(start * rate) : round(end * rate)] for start, end in parts])

    def _over_time(self, weights: np.ndarray, parts: Stretches, duration: float) -> Attention:
        """Attention over the whole recording, 0 in what was left out, from that over its joined parts."""
        seconds = self.seconds_per_frame
        lengths = [end - start for start, end in parts]
        firsts = np.round(np.cumsum([0.0, *lengths])[:-1] / seconds).astype(int)  # frame of each start, joined
        places = np.arange(len(weights))
        part = np.searchsorted(firsts, places, side="right") - 1
        places += np.array([round(start / seconds) for start, _ in parts])[part] - firsts[part]
        over_time = np.zeros(max(int(places[-1]) + 1, int(duration / seconds)), dtype=np.float32)
        np.add.at(over_time, places, weights)
        return Attention(np.arange(len(over_time)) * seconds, over_time)
