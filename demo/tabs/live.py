"""The tab Live: predicts the emotion at the microphone, in a rolling timeline.

The page's script posts raw samples and shows what comes back. Gradio's own streaming is not used: it makes ten
files a second, and a chunk that arrives while the previous one is processed overwrites it.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import gradio as gr
import numpy as np
from fastapi import APIRouter, HTTPException, Request

from demo import cards, messages, timeline_plot, voices
from demo.components import AT_ONCE
from demo.live_session import SHOWN_SECONDS, LiveSession
from demo.raw_audio import Refused, body_of, samples_of, served
from demo.uploads import visitor_of
from demo.voices import VisitorVoice
from ser_model.inference.voice_profile import MOST_CHARACTERS, NO_PROFILE

if TYPE_CHECKING:
    from ser_model.inference.recognizer import EmotionRecognizer

MOST_SECONDS = 5  # of one request
MOST_SESSIONS, MOST_OF_ONE_VISITOR, IDLE_SECONDS = 32, 4, 30.0


class LiveSessions:
    """The sessions of all visitors; `forget_idle` is to be called now and then, though nobody uses Live.

    Args:
        load: Returns the recognizer.
    """

    def __init__(self, load: Callable[[], EmotionRecognizer]):
        self._load = load
        self._sessions: dict[tuple[str, str], tuple[float, LiveSession]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._sessions)

    def predict(self, visitor: str, name: str, source_rate: int, pcm: bytes) -> dict[str, str | float]:
        """Takes in one visitor's next samples (int16, little-endian) and gives what the page shows.

        Raises:
            NoModel: There is no model to predict with.
            Refused: There are too many sessions, or this one has another rate.
        """
        recognizer = self._load()
        session = self._session((visitor, name), source_rate, recognizer.sampling_rate)
        with session.lock:
            session.predict(recognizer, np.frombuffer(pcm, dtype="<i2"))
            with self._lock:  # it has not been idle, though it may have waited for long
                self._sessions[visitor, name] = (time.monotonic(), session)
            return shown(session)

    def set_voice(self, visitor: str, name: str, source_rate: int, text: str) -> None:
        """Predicts with a visitor's voice profile from now on, JSON text, or without where it is empty or does not fit.

        Raises:
            NoModel: There is no model to predict with.
            Refused: There are too many sessions, or the text is no JSON.
        """
        recognizer = self._load()
        try:
            kept = json.loads(text) if text else None
        except (ValueError, RecursionError) as error:
            raise Refused(400, NO_PROFILE) from error
        voice = voices.usable(kept, recognizer)
        self._session((visitor, name), source_rate, recognizer.sampling_rate).use(*voice)

    def _session(self, key: tuple[str, str], source_rate: int, sampling_rate: int) -> LiveSession:
        self.forget_idle()
        with self._lock:
            if key in self._sessions:
                session = self._sessions[key][1]
                if session.source_rate != source_rate:
                    raise Refused(409, f"This session has {session.source_rate} samples a second; start another one.")
            else:
                own = sum(visitor == key[0] for visitor, _ in self._sessions)
                if own >= MOST_OF_ONE_VISITOR or len(self._sessions) >= MOST_SESSIONS:
                    raise Refused(503, "Too many live sessions are open. Try again in half a minute.")
                session = LiveSession(source_rate, sampling_rate)
            self._sessions[key] = (time.monotonic(), session)
        return session

    def forget_all(self) -> None:
        """Forgets every session: at the end, since a resampler that outlives Python complains."""
        with self._lock:
            self._sessions = {}

    def forget_idle(self) -> None:
        """Forgets the sessions of which nothing has come for `IDLE_SECONDS`."""
        now = time.monotonic()
        with self._lock:
            self._sessions = {
                key: (last, each) for key, (last, each) in self._sessions.items() if now - last <= IDLE_SECONDS
            }


def shown(session: LiveSession) -> dict[str, str | float]:
    """What the page shows: `emotion` and `picture` as HTML, `label`, `level` in dB and `seconds` received."""
    end = max(SHOWN_SECONDS, session.seconds)
    columns = [column for column in session.columns if column.end > end - SHOWN_SECONDS]
    drawn = timeline_plot.drawn(columns, end - SHOWN_SECONDS, end)
    now = session.now
    return {
        "emotion": _card(session),
        "picture": cards.picture(*drawn, messages.live_picture(timeline_plot.runs_of(columns))),
        "label": messages.answer(now.as_data()) if now else messages.OPENING if session.speaking else messages.SILENCE,
        "level": round(session.level, 1),
        "seconds": round(session.seconds, 2),
    }


def _card(session: LiveSession) -> str:
    """The emotion of the utterance under way; before there is one, that somebody speaks; in silence the last one."""
    if session.now:
        return cards.emotion_card(session.now.as_data(), [session.of_voice], live=True)
    if session.speaking:
        return cards.live_state(messages.OPENING, messages.OPENING_LEAD)
    if session.last:
        last = session.last
        return cards.emotion_card(last.predicted.as_data(), [], messages.utterance(last.start, last.end), live=True)
    return cards.live_state(messages.SILENCE, messages.SILENCE_LEAD)


def routes(sessions: LiveSessions) -> APIRouter:
    """`POST /live/{session}?rate=48000`, the body raw int16 samples of one channel; nothing is written to disk.

    `POST /live/{session}/voice?rate=48000` gives the session a voice profile, the body its JSON; empty takes it away.
    """
    router = APIRouter()

    def check(session: str) -> None:
        if len(session) > 64:
            raise HTTPException(400, "The session's name is too long.")

    @router.post("/live/{session}")
    async def live(session: str, rate: int, request: Request) -> dict[str, str | float]:
        check(session)
        pcm = await samples_of(request, rate, MOST_SECONDS)
        return await served(sessions.predict, visitor_of(request.scope), session, rate, pcm)

    @router.post("/live/{session}/voice")
    async def voice(session: str, rate: int, request: Request) -> None:
        check(session)
        content = await body_of(request, rate, MOST_CHARACTERS, NO_PROFILE)
        text = content.decode("utf-8", errors="replace")
        await served(sessions.set_voice, visitor_of(request.scope), session, rate, text)

    return router


def build(voice: VisitorVoice) -> None:
    """Adds the tab's content to the page under construction.

    Args:
        voice: The visitor's voice profile.
    """
    with gr.Row(equal_height=False, elem_classes="ser-columns"):
        with gr.Column(min_width=280):
            cards.html(cards.live_controls(), "ser-live-controls")
            use = voice.box("ser-live-voice")
        with gr.Column(min_width=280):
            cards.html(cards.place("ser-live-emotion", cards.live_waiting()), "ser-live-now")
    picture = cards.picture(*timeline_plot.drawn([], 0, SHOWN_SECONDS), messages.live_picture([]))
    cards.html(cards.place("ser-live-picture", picture), "ser-live-past")
    cards.html(cards.legend(), "ser-live-legend")
    cards.html(cards.note([messages.LIVE_NOTE]), "ser-live-note")
    gr.on(
        [voice.kept.change, use.change], None, [voice.kept, use], None,
        js="(kept, use) => { window.serLiveVoice = use ? kept : null; }", **AT_ONCE,
    )  # fmt: skip
