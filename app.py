"""The page: `python app.py`, then a browser. Predicts with the shipped checkpoint, or the one that MODEL_ID names."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

# Before the imports that read them: one thread for the network, few kept oneDNN primitives (one for each length of
# clip would add up to 100 MB), and no request that leaves the machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "32")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
# A folder that is nobody else's, since what lies in it is deleted.
os.environ["GRADIO_TEMP_DIR"] = str(Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir(), "ser-model"))
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

from demo.loading import RecognizerLoader, missing_model
from demo.models import Models, others_beside
from ser_model.labels import parse_label_map
from ser_model.stopping import end_when_asked

CHECKPOINTS = Path(__file__).resolve().parent / "checkpoints"


def address() -> tuple[str, int]:
    """Host and port: this machine only, unless the environment says otherwise or this is a Space."""
    host = os.environ.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if os.environ.get("SPACE_ID") else "127.0.0.1")
    return host, int(os.environ.get("GRADIO_SERVER_PORT") or 7860)


def main() -> None:
    name = os.environ.get("MODEL_ID") or str(CHECKPOINTS / "default")
    others = others_beside(name, CHECKPOINTS, os.environ.get("COMPARE_IDS", ""))
    for each in (name, *others):
        if problem := missing_model(each):
            sys.exit(problem)
    host, port = address()
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        reason = str(error.strerror).split(" (")[0]
        sys.exit(f"Port {port} of {host} cannot be used ({reason}): set GRADIO_SERVER_PORT to another one.")
    # Whoever runs the server may trust the code of the model named here; ids that visitors type never run theirs.
    trusted = os.environ.get("TRUST_REMOTE_CODE") == "1"
    try:
        label_map = parse_label_map(os.environ.get("LABEL_MAP", ""))
    except ValueError as error:
        sys.exit(f"LABEL_MAP: {error}")
    models = Models(RecognizerLoader(name, trusted, label_map=label_map), others)
    models.main.start()
    from demo.server import serving  # takes as long as the model, which is being loaded meanwhile

    with serving(models, host, port):
        shown = "127.0.0.1" if host == "0.0.0.0" else host
        print(f"Open http://{shown}:{port} in a browser; Ctrl-C stops.", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    end_when_asked()
    with suppress(KeyboardInterrupt):
        main()
