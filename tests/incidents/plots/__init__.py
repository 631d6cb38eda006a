"""The classes of incidents, one file each. A file defines `PLOT`; its docstrings say why the records allow that rung and no more.

What "the records allow" means here, after docs/ and the case form:

    change    only the repository itself, or a trace of the changed thing, is left
    account   a log of the system authenticated an account, and no credential or device is known
    session   a registered key, token or device carried the act; nothing independent of it says who sat there
    person    that, and independently of it an endpoint sensor that saw the very command, under the person's own opened session, on that device
"""

import importlib
import pkgutil

from tests.incidents.plots.story import Plot


def plots() -> dict[str, Plot]:
    """Return the classes by name, in order of their numbers."""
    modules = [importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__) if m.name not in ("story", "scenes")]
    found = [m.PLOT for m in modules]
    return {p.name: p for p in sorted(found, key=lambda p: p.number)}
