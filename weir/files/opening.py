"""What a person gives as an input: an export, lines of JSON, or a folder of either."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from schemas.wire import Wire
from weir.errors import WeirError
from weir.files.jsonlines import SUFFIX, convert
from weir.files.manifest import NAME
from weir.progress import Tell
from weir.replay.folder import FolderLog


@contextmanager
def opened(
    paths: Sequence[Path], wire: Wire, partitions: int, tell: Tell = lambda done, of: None
) -> Iterator[FolderLog]:
    """One export, or files of lines (or a folder of them), as a log for as long as the block runs;
    it was checked in full. `partitions` is how many the nodes have, where the input does not say.

    WeirError says what is wrong with it, and where.
    """
    if not paths:
        raise WeirError("no input is named")
    if len(paths) == 1 and (paths[0] / NAME).exists():
        yield FolderLog(paths[0], wire)
        return
    files = [file for path in paths for file in _lines_in(path)]
    with tempfile.TemporaryDirectory(prefix="weir-lines-") as folder:
        convert(files, Path(folder), wire, partitions, tell)
        yield FolderLog(Path(folder), wire, ", ".join(map(str, paths)))


def _lines_in(path: Path) -> list[Path]:
    if not path.exists():
        raise WeirError(f"{path} does not exist")
    if path.is_dir():
        found = sorted(path.glob(f"*{SUFFIX}"))
        if not found:
            raise WeirError(
                f"{path} holds no {NAME} and no TOPIC{SUFFIX}: it is no export, an unfinished one,"
                " or no lines"
            )
        return found
    if path.suffix != SUFFIX:
        raise WeirError(f"{path} is neither a folder nor a file TOPIC{SUFFIX}")
    return [path]
