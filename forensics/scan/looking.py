"""Looks at everything below some paths, one file after the other."""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from forensics import rulebook
from forensics.patterns.apart import Apart
from forensics.patterns.rules import installed
from forensics.scan.finding import Scan, Unread
from forensics.scan.models import look_at_model
from forensics.scan.packages import folders, look_at_folder
from forensics.scan.places import Repositories, files, view_of
from forensics.scan.repositories import look_at_repository
from forensics.scan.source import Matchers, look_at_source
from forensics.scan.startup import look_at_startup
from forensics.scan.wheels import look_at_wheel


def reads_code() -> bool:
    """Tell whether program text can be looked at: the rules are an extra."""
    return installed()


def scan(paths: Iterable[Path], rules: Sequence[Path] = (), progress: Callable[[str], None] = lambda _: None) -> Scan:
    """Look at every file below the paths, at program text by the shipped rules and others. Nothing is loaded, run or written."""
    found = Scan()
    book = rulebook.read(rules)
    if book.commands:
        progress(f"{len(book.commands)} of the rules are about commands: they are for `forensics investigate`")
    with ExitStack() as stack:
        own = (stack.enter_context(Apart(book.text)),) if book.text else ()
        matcher = (stack.enter_context(Apart()), *own) if installed() else ()
        for path in paths:
            repositories: Repositories = []
            here = list(files(path, found, repositories))
            progress(f"{path}: {len(here)} files")
            whole = _packages(here, found)
            for place, name in here:
                _look(place, name, () if name in whole else matcher, found)
            for place, name in repositories:
                look_at_repository(place, name, matcher, found)
    found.findings.sort()
    found.unread.sort()
    return found


def _packages(here: list[tuple[Path, str]], found: Scan) -> frozenset[str]:
    """Compare folders of packages with their lists, and return what is as listed."""
    by_name = {name: place for place, name in here}
    found_whole: frozenset[str] = frozenset()
    for folder, lists in sorted(folders(here).items()):
        found_whole |= look_at_folder(folder, sorted(lists), by_name, found)
    return found_whole


def _look(place: Path, name: str, matcher: Matchers, found: Scan) -> None:
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        found.unread.append(Unread(name, 0, error.strerror or str(error)))
        return
    try:
        view = view_of(descriptor)
        found.files += 1
        found.bytes += view.size
        found.findings.extend(look_at_startup(name, view))
        if matcher and look_at_source(name, view, matcher, found):
            return
        if name.endswith(".whl"):
            look_at_wheel(name, view, matcher, found)
        look_at_model(name, view, found)
    except OSError as error:
        found.unread.append(Unread(name, 0, error.strerror or str(error)))
    finally:
        os.close(descriptor)
