"""Files that Python runs at its start, before any program: lines of `.pth` files, and two modules of a fixed name.

Reference: https://docs.python.org/3/library/site.html
"""

from collections.abc import Iterator

from forensics.containers import View
from forensics.scan.finding import Finding

_LARGEST = 1 << 20
_SHOWN = 300
_HONEST = ("a package that is installed for development", "a build tool's own start", "measuring what tests cover")
_MODULES = ("sitecustomize.py", "usercustomize.py")


def look_at_startup(file: str, view: View, member: str = "") -> Iterator[Finding]:
    """Yield what a file has run whenever Python starts."""
    name = (member or file).rpartition("/")[2]
    if name in _MODULES:
        yield Finding(file, (1, 1), "line", "startup-module", "runs whenever Python starts", "every program of this environment runs it, whoever starts it",
                      ("a distribution's or an administrator's own settings",), member=member)  # fmt: skip
    if not name.endswith(".pth") or b"\0" in view.read(0, 512):
        return
    for number, line in enumerate(view.read(0, _LARGEST).split(b"\n"), 1):
        if line.startswith((b"import ", b"import\t")):
            text = line.decode("utf-8", "backslashreplace").strip()[:_SHOWN]
            yield Finding(file, (number, number), "line", "startup-line", "runs this line whenever Python starts",
                          "every program of this environment runs it, whoever starts it", _HONEST, member=member, text=text)  # fmt: skip
