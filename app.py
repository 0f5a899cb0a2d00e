"""The page: `python app.py`, then a browser. Predicts with the shipped checkpoint, or the one that MODEL_ID names."""

from __future__ import annotations

import errno
import os
import re
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


# What is wrong with the address itself, not with its port.
NO_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def address() -> tuple[str, int]:
    """Host and port: this machine only, unless the environment says otherwise or this is a Space."""
    # Taken out of the environment, since gradio tries every port at that name first, and knows no IPv6 there.
    host = os.environ.pop("GRADIO_SERVER_NAME", "") or ("0.0.0.0" if os.environ.get("SPACE_ID") else "127.0.0.1")
    port = os.environ.get("GRADIO_SERVER_PORT") or "7860"
    if not re.fullmatch("[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        sys.exit(f"GRADIO_SERVER_PORT has to be a number from 1 to 65535, not {port!r}.")
    return host, int(port)


def check_address(host: str, port: int) -> None:
    """Ends the program in one sentence where nothing can be served at an address."""
    try:
        socket.getaddrinfo(host, port)  # the next line's errors do not say whether this failed
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except (OSError, UnicodeError) as error:
        reason = str(getattr(error, "strerror", error)).split(" (")[0]
        if isinstance(error, (socket.gaierror, UnicodeError)) or error.errno in NO_ADDRESS:
            sys.exit(f"{host} is no address of this machine ({reason}): set GRADIO_SERVER_NAME to one of its own.")
        sys.exit(f"Port {port} of {host} cannot be used ({reason}): set GRADIO_SERVER_PORT to another one.")


def check_temporary_folder(folder: str) -> None:
    """The same where uploads can be written to no folder."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        sys.exit(f"{folder} cannot be written ({error.strerror}): set GRADIO_TEMP_DIR to another folder.")


def main() -> None:
    name = os.environ.get("MODEL_ID") or str(CHECKPOINTS / "default")
    others = others_beside(name, CHECKPOINTS, os.environ.get("COMPARE_IDS", ""))
    for variable, each in (("MODEL_ID", name), *(("COMPARE_IDS", other) for other in others)):
        if problem := missing_model(each, variable):
            sys.exit(problem)
    host, port = address()
    check_address(host, port)
    check_temporary_folder(os.environ["GRADIO_TEMP_DIR"])
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
        shown = "127.0.0.1" if host == "0.0.0.0" else f"[{host}]" if ":" in host else host
        print(f"Open http://{shown}:{port} in a browser; Ctrl-C stops.", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    end_when_asked()
    with suppress(KeyboardInterrupt):
        main()
