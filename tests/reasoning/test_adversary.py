"""An opponent of the method: clever insiders and honest coincidences. Each name says what must hold."""

import pytest

MODEL = "s3://models/base.pt"


def write(clock="10:00", actor="aws:vic", ip="ip:10.0.0.7", **more):
    return {"clock": clock, "action": "object.write", "actor": actor, "object": MODEL, "ip": ip, **more}


def lease(clock="09:30", who="vic", ip="ip:10.0.0.7", **more):
    return {"clock": clock, "action": "device.lease", "device": f"device:{who}-laptop", "ip": ip, **more}


def unlock(clock="09:40", who="vic", **more):
    return {"clock": clock, "action": "device.unlock", "actor": f"unix:{who}", "device": f"device:{who}-laptop", **more}


def command(clock="10:00", who="vic", line="aws s3 cp base.pt s3://models/", **more):
    return {"clock": clock, "action": "device.process", "actor": f"unix:{who}", "device": f"device:{who}-laptop", "object": line, **more}


def usual(folder, *, act=None, dhcp=None, edr=None, tier="T3"):
    """One's own act: the store's log, the address lease, the endpoint sensor."""
    folder.log("store", act if act is not None else [write()])
    folder.log("dhcp", dhcp if dhcp is not None else [lease()])
    folder.log("edr", edr if edr is not None else [unlock(), command()], tier)
    folder.ask(MODEL)


def test_ones_own_act_is_named_with_two_independent_groups(folder):
    usual(folder)
    answer = folder.answer()
    assert (answer["person"], answer["mechanism"]) == ("p-vic", "own-account")


def test_one_group_names_nobody(folder):
    usual(folder, dhcp=[], edr=[])
    answer = folder.answer()
    assert answer["person"] is None
    assert answer["candidates"] == ["p-bob", "p-eve", "p-kim", "p-vic"]
