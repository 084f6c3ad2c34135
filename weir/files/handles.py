"""One file is open for each partition that is read or written, and there may be thousands."""

from __future__ import annotations

import resource


def allow_many() -> None:
    """Lets this process open as many files as the machine lets it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
