"""`python -m datasets_scripts download | list | audit | prepare | push`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from pathlib import Path

from ser_model.labels import comma_separated
from ser_model.stopping import end_when_asked

# Only argparse and the like up here: `--help` has to be quick.


def main(argv: list[str] | None = None) -> int:
    """Runs one command; returns the exit status."""
    args = _parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # names of files may hold what the console cannot show
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    from ser_model.hub import HubError

    from .base import CorpusError

    try:
        print(args.run(args))
    except (CorpusError, HubError) as error:
        print(f"datasets_scripts: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndatasets_scripts: stopped; nothing half-written is left.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m datasets_scripts", description="Corpora of emotional speech.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--data_dir", help="any folder above the corpora; default $SER_DATA_DIR, else ./data")
    which = argparse.ArgumentParser(add_help=False)
    which.add_argument("--corpora", help="names with commas between; default: all that are there")

    command = commands.add_parser("download", parents=[where], help="fetch a corpus, or say how to get it")
    command.add_argument("corpus", help="ravdess, tess; for others the steps are printed")
    command.add_argument("--url", help="a mirror: the archive's address, or for tess another Dataverse's")
    command.set_defaults(run=_download)

    command = commands.add_parser("list", parents=[where, which], help="what is there, and whether it is complete")
    command.set_defaults(run=_list)

    command = commands.add_parser("audit", parents=[where, which], help="name the files that are not as they should be")
    command.add_argument("--json", metavar="FILE", help="write everything found to this file too")
    command.set_defaults(run=_audit)

    command = commands.add_parser("prepare", parents=[where, which], help="write Parquet with the audio inside")
    command.add_argument("--output_dir", required=True, help="a folder that is not there yet")
    command.set_defaults(run=_prepare)

    command = commands.add_parser("push", parents=[where, which], help="put that Parquet on the Hub")
    command.add_argument("repo_id", metavar="ID", help="user/name on the Hub")
    command.add_argument(
        "--private", action=argparse.BooleanOptionalAction, default=True,
        help="whether a new repository is private; not every corpus may be passed on",
    )  # fmt: skip
    command.set_defaults(run=_push)
    return parser


def _download(args: argparse.Namespace) -> str:
    from .base import CorpusError
    from .loading import find_corpus

    builder = find_corpus(args.corpus)
    if builder.source is None:
        raise CorpusError(f"{builder.corpus} cannot be fetched by itself. {builder.how_to_get}")
    return builder.source.download(Path(args.data_dir or os.environ.get("SER_DATA_DIR") or "data"), args.url)


def _list(args: argparse.Namespace) -> str:
    from .loading import data_dir_or_default
    from .status import corpus_status, own_recordings, passed_over

    data_dir, corpora = data_dir_or_default(args.data_dir), _names(args)
    parts = [corpus_status(name, data_dir) for name in corpora]
    if not args.corpora:
        parts.append(own_recordings(data_dir, corpora))
    parts.append(passed_over(data_dir, corpora))
    return "\n".join(filter(None, parts))


def _audit(args: argparse.Namespace) -> str:
    from .audit import as_json, as_text, audit
    from .base import CorpusError
    from .status import passed_over

    data_dir, corpora = _there(args)
    others = passed_over(data_dir, corpora)  # before anything is written, perhaps to the same folder
    summaries, findings = audit(corpora, data_dir)
    text = "\n".join(filter(None, [as_text(summaries, findings, data_dir), others]))
    if args.json:
        try:
            Path(args.json).write_text(json.dumps(as_json(summaries, findings), indent=1), encoding="utf-8")
        except OSError as error:
            print(text)
            raise CorpusError(f"{args.json} cannot be written: {error.strerror or error}.") from error
    return text


def _prepare(args: argparse.Namespace) -> str:
    from .prepare import prepare

    data_dir, corpora = _there(args)
    count = prepare(corpora, data_dir, Path(args.output_dir))
    return f"{count:,} clips of {', '.join(corpora)} in {args.output_dir}; open them with load_dataset."


def _push(args: argparse.Namespace) -> str:
    from .push import push

    data_dir, corpora = _there(args)
    count, address = push(corpora, data_dir, args.repo_id, args.private)
    return f"{count:,} clips of {', '.join(corpora)} in {address}; open them with load_dataset."


def _names(args: argparse.Namespace) -> list[str]:
    """The corpora asked for, else all whose clips are known by name (`folder` takes whatever it finds)."""
    from .loading import CORPORA

    if args.corpora:
        return comma_separated(args.corpora)
    return [name for name, builder in CORPORA.items() if builder.clips_per_label]


def _there(args: argparse.Namespace) -> tuple[Path, list[str]]:
    from .loading import data_dir_or_default
    from .status import corpora_there

    data_dir = data_dir_or_default(args.data_dir)
    if args.corpora:
        return data_dir, _names(args)
    return data_dir, corpora_there(data_dir, _names(args))


if __name__ == "__main__":
    end_when_asked()
    sys.exit(main())
