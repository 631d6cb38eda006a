"""Container images by their names: one image may be written with its registry's host before it, or without."""

from forensics.reasoning.world import World


def parts(written: str) -> tuple[str, str, str, str]:
    """Return registry, name, tag and digest of an image, each empty where it is not written.

    A first component with a dot or a port is the registry's host: https://docs.docker.com/reference/cli/docker/image/tag/ .
    """
    place, _, digest = written.removeprefix("image:").rpartition("://")[2].partition("@")
    head, slash, rest = place.partition("/")
    registry = head if slash and ("." in head or ":" in head or head == "localhost") else ""
    name, _, tag = (rest if registry else place).partition(":")
    return registry, name, tag, digest


def spellings(world: World, reference: str) -> list[str]:
    """Return how the records spell an image, as it is asked about first: by the same digest under the same name, and of no other registry where both tell one."""
    registry, name, _, digest = parts(reference)
    rows = world.tables.rows(
        "SELECT DISTINCT object FROM events WHERE starts_with(object, 'image:') AND ends_with(object, $d)", d=f"@{digest}"
    ) if digest else []  # fmt: skip
    found = {r["object"] for r in rows if parts(r["object"])[1] == name and registry in ("", parts(r["object"])[0] or registry)}
    return sorted(found, key=lambda o: (o != reference, o))


def pushes_another(words: list[str], image: str, tag: str | None) -> bool:
    """Tell whether a command that pushes or copies something names another image as the last thing: another name, registry or tag, where both tell one."""
    plain = [w for w in words[1:] if not w.startswith("-")]
    if not {"push", "copy", "cp"} & set(plain[:2]):
        return False
    registry, name, named, _ = parts(plain[-1])
    pushed_to, own, _, _ = parts(image)
    every = {"-a", "--all-tags"} & set(words)
    return name != own or registry not in ("", pushed_to or registry) or (not every and tag not in (None, named or "latest"))
