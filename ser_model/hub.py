"""Pushes folders to the Hub in one commit; errors are one sentence."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from traceback import clear_frames
from typing import Any

MODEL_FILES = ("config.json", "model.safetensors", "preprocessor_config.json")
# Of a training folder; TensorBoard puts the machine's name into its files' names.
NOT_PUSHED = (".*", "checkpoint-*", "events.out.tfevents.*", "output.txt", "training_args.bin")
MODEL_PLACEHOLDER = "path/to/this/folder"  # in a model card until the folder has an id

LOG_IN = "log in with `hf auth login`, or set HF_TOKEN to a token that may write"


class HubError(Exception):
    """A push that did not succeed; the text is one sentence."""


def why_no_folder(name: str) -> str | None:
    """Why nothing can be loaded from a folder, in one sentence; None where it may be, or where `name` may be an id."""
    if os.path.isdir(name):
        return None if os.path.isfile(os.path.join(name, "config.json")) else "config.json: There is no such file."
    if os.path.exists(name):
        return f"{name} is no folder."
    is_path = os.path.isabs(name) or name.startswith((".", "~")) or name.count("/") > 1 or "\\" in name
    return f"There is no folder {name}." if is_path else None


def check_token(token: str | None = None) -> str:
    """The user name behind a token, by default the one that is logged in.

    Raises:
        HubError: There is no token, the Hub does not know it, or the Hub cannot be reached.
    """
    with _in_one_sentence():
        return _api(token).whoami()["name"]


def check_complete(folder: Path) -> None:
    """Raises `HubError` if a file is missing without which a checkpoint folder cannot be loaded."""
    for name in MODEL_FILES:
        if not os.path.isfile(folder / name):
            raise HubError(f"{folder} is not a complete checkpoint: {name} is missing.")


def push_model(folder: Path, repo_id: str, private: bool | None = None, token: str | None = None) -> str:
    """Pushes a checkpoint folder; its card then names the id instead of the folder.

    Args:
        folder: What `train.py` wrote; it is only read.
        repo_id: `user/name`, or `name` for one's own.
        private: Whether a new repository is private; None leaves that to the Hub.
        token: By default the one that is logged in.

    Returns:
        The model's address.

    Raises:
        HubError: The folder is not complete, or the push did not succeed.
    """
    check_complete(folder)
    repo_id = _full_id(repo_id, token)
    with TemporaryDirectory() as parent:
        staged = Path(parent, "model")
        shutil.copytree(folder, staged, ignore=shutil.ignore_patterns(*NOT_PUSHED, "__pycache__"))
        card = staged / "README.md"
        if card.is_file():
            card.write_text(card.read_text(encoding="utf-8").replace(MODEL_PLACEHOLDER, repo_id), encoding="utf-8")
        return push_folder(staged, repo_id, "model", private, token)


def push_folder(
    folder: Path,
    repo_id: str,
    repo_type: str,
    private: bool | None = None,
    token: str | None = None,
    mirror: bool = False,
) -> str:
    """Pushes all files of a folder in one commit: either everything is published or nothing.

    Args:
        folder: It is only read.
        repo_id: `user/name`, or `name` for one's own.
        repo_type: `"model"`, `"dataset"` or `"space"`.
        private: Whether a new repository is private; None leaves that to the Hub.
        token: By default the one that is logged in.
        mirror: Whether the same commit removes files that the folder does not have.

    Returns:
        The repository's address.

    Raises:
        HubError: The push did not succeed.
    """
    api, repo_id = _api(token), _full_id(repo_id, token)
    with _in_one_sentence(repo_id):
        if not api.repo_exists(repo_id, repo_type=repo_type):
            sdk = "gradio" if repo_type == "space" else None
            api.create_repo(repo_id, repo_type=repo_type, private=private, space_sdk=sdk)
        api.upload_folder(
            repo_id=repo_id,
            repo_type=repo_type,
            folder_path=folder,
            commit_message=f"Push {repo_type}",
            delete_patterns="*" if mirror else None,
        )
    return "/".join([api.endpoint, *([] if repo_type == "model" else [f"{repo_type}s"]), repo_id])


def _api(token: str | None) -> Any:
    from huggingface_hub import HfApi
    from huggingface_hub.utils import disable_progress_bars, logging

    logging.set_verbosity_error()  # retries would be logged one by one
    if not sys.stderr.isatty():
        disable_progress_bars()
    return HfApi(token=token)


def _full_id(repo_id: str, token: str | None) -> str:
    return repo_id if "/" in repo_id else f"{check_token(token)}/{repo_id}"


@contextmanager
def _in_one_sentence(repo_id: str | None = None) -> Iterator[None]:
    from huggingface_hub.errors import HTTPError  # of the HTTP library it uses

    try:
        yield
    except (HTTPError, OSError, RuntimeError, ValueError) as error:
        raise HubError(_sentence(error, repo_id)) from error


def _sentence(error: BaseException, repo_id: str | None) -> str:
    """What went wrong, from the innermost cause: the uploader wraps errors."""
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError, OfflineModeIsEnabled

    clear_frames(error.__traceback__)  # ends the uploader's progress bar before the sentence is printed
    while error.__cause__ is not None and not isinstance(error, HfHubHTTPError):
        error = error.__cause__
        clear_frames(error.__traceback__)
    first_line = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    if isinstance(error, OfflineModeIsEnabled):
        return "Nothing can be pushed while HF_HUB_OFFLINE is set."
    if isinstance(error, LocalTokenNotFoundError):
        return f"The Hub needs a token: {LOG_IN}."
    if isinstance(error, HFValidationError):
        return f"{repo_id} cannot be a name on the Hub: {first_line}."
    if not isinstance(error, HfHubHTTPError):
        if repo_id is None:
            return f"The Hub cannot be reached: {first_line}."
        return f"The push to {repo_id} was cut off and nothing of it is published: {first_line}."
    status, said = error.response.status_code, (error.server_message or first_line).strip().replace("\n", " ")
    if status == 401:
        return f"The Hub does not accept this token: {LOG_IN}."
    if status in (403, 409):
        return f"The name {repo_id} is taken or not yours to write to, choose another ({said.rstrip('.')})."
    return f"The Hub refuses {repo_id or 'this'} with status {status}: {said.rstrip('.')}."
