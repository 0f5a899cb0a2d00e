"""The checkpoints that the page can predict with: those it was started with, and Hub ids that visitors type."""

from __future__ import annotations

import json
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ser_model.labels import comma_separated

from .loading import HUB_ID, NoModel, RecognizerLoader
from .messages import model_summary

MOST_TYPED = 2  # models typed in by visitors that stay loaded


class Models:
    """The page's own model first, then others to compare it with.

    Args:
        main: The model of every tab but Compare.
        others: Checkpoint folders or Hub ids beside it.
    """

    def __init__(self, main: RecognizerLoader, others: Sequence[str] = ()):
        self.main = main
        offered = [main, *(RecognizerLoader(name) for name in others)]
        self._offered = {loader.title: loader for loader in reversed(offered)}
        self._typed: OrderedDict[str, RecognizerLoader] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def titles(self) -> list[str]:
        """Names of the models on offer, the page's own first."""
        return list(reversed(self._offered))

    def name(self, title: str) -> str:
        """The preset of a model on offer, with its title where that is another; a Hub id as it is."""
        preset = (self.report(title) or {}).get("preset", title)
        return title if preset == title else f"{preset} ({title})"

    def caption(self, title: str) -> str:
        """What a model on offer is called in a list: its name, corpora, accuracy and UAR with its interval."""
        return " · ".join(filter(None, (self.name(title), model_summary(self.report(title)))))

    def report(self, title: str) -> dict[str, Any] | None:
        """The report in the folder of a model on offer, if there is one."""
        return self.json_file(title, "report.json") if title in self._offered else None

    def find(self, title: str) -> RecognizerLoader:
        """The loader of a model on offer or, for any other name, of a Hub id.

        Raises:
            NoModel: The name is neither.
        """
        title = title.strip()
        if title in self._offered:
            return self._offered[title]
        if not HUB_ID.fullmatch(title) or title.startswith("."):
            raise NoModel(f"“{title}” is neither one of the models offered nor an id on the Hub such as user/model.")
        with self._lock:
            if title not in self._typed:
                self._typed[title] = RecognizerLoader(title, local=False)
            self._typed.move_to_end(title)
            while len(self._typed) > MOST_TYPED:
                self._typed.popitem(last=False)
            return self._typed[title]

    def file(self, title: str, name: str) -> str | None:
        """Text of a file in the folder of a model on offer; None where there is no such file here."""
        path = Path(self._offered[title].name) / name
        return path.read_text(encoding="utf-8") if os.path.isfile(path) else None

    def json_file(self, title: str, name: str) -> dict[str, Any] | None:
        """The same for a JSON file, parsed."""
        text = self.file(title, name)
        return json.loads(text) if text else None


def others_beside(main: str, shipped: Path, listed: str) -> list[str]:
    """Folders of shipped checkpoints and the comma-separated names of `listed`, without `main` itself."""
    folders = [str(path.parent) for path in sorted(shipped.glob("*/config.json"))]
    names = [*folders, *comma_separated(listed)]
    same = Path(main).resolve()
    return [name for name in dict.fromkeys(names) if name != main and Path(name).resolve() != same]
