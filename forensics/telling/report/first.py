"""What the first page says for people: what bears the tie, what the side of somebody named may plead, what stands for an account's holder, and the warning."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from forensics import times
from forensics.errors import RecordError
from forensics.model import CaseConfig
from forensics.telling.report.extra import Ref
from forensics.telling.report.names import Names
from forensics.telling.report.quoting import original
from forensics.telling.report.said import Said, Voice
from forensics.telling.report.words import HOW_FAR, NOT_SHOWN, SHOWS

Records = Callable[[Iterable[Ref]], Sequence[Mapping[str, Any]]]
"""references -> the events that were read there"""
PLEADED = (
    "author-mismatch", "shared-address", "clock-offset", "log-gap", "impossible-overlap", "after-departure", "credential-reuse", "hidden-code",
    "record-conflict",
)  # fmt: skip
"""odd facts that somebody named would put forward for himself; the others are for or against nobody"""
_BEARING = 6
"""references beside the sentence that names somebody"""
_CONTROLS = ("reviewed", "limited-access")
_SHORT = "the records show it"
_CREDENTIAL = re.compile(r"the credential (\S+) was used, registered to (p-[\w-]+(?:, p-[\w-]+)*)", re.ASCII)
_DEVICE = re.compile(r"(?<!\S)device:([^\s,]+)", re.ASCII)
_SHARED = re.compile(r"(\d+) people used (\S+) around that time", re.ASCII)
_KEPT = re.compile(r"kept (?:\d+ to )?(\d+) days", re.ASCII)
_UNTOLD = "no record shows from which device or with whose credential"
_LOWEST = 10.0
_TIES = frozenset((
    "address_use", "device_command", "device_session", "device_sign_on", "origin_device", "origin_login", "presence", "sign_on",
))  # fmt: skip
"""kinds of facts that tie a device of somebody's, or somebody's presence, to an act; they may favour nobody where two explanations need them"""


@dataclass(frozen=True, slots=True)
class Point:
    """A sentence with its evidence."""

    says: Said
    refs: tuple[Ref, ...] = ()
    opens: bool = False
    """whether it introduces those that follow"""


@dataclass(frozen=True, slots=True)
class First:
    """Says those sentences."""

    voice: Voice
    names: Names
    case: CaseConfig
    policy: Mapping[str, Any]
    records: Records
    made: str
    """when the examination was made, as given"""

    # --- the tie ----------------------------------------------------------------------------------------------------

    def shows(self, data: Mapping[str, Any], person: Said, holders: Sequence[str] = ()) -> Said:
        """Say what the records show, and which of device and credential is known; `holders`: whose the account is, where that is still to be said."""
        say = self.voice.say
        account = data["account"] or say("(not named)")
        device, credential = _session(data)
        if data["rung"] == "session" and device:
            return say(
                "The change was made through the account {account}, in a session from the device {device}. Who was behind that session is not established.",
                account=account, device=device,
            )  # fmt: skip
        if data["rung"] == "session" and credential and registered_alike(data, holders):
            return say(
                "The change was made through the account {account}, with {credential}. Both are registered to {who}, which does not say who used them.",
                account=account, credential=self._credential(credential[0]), who=self.people(holders),
            )  # fmt: skip
        if data["rung"] == "session" and credential:
            return say(
                "The change was made through the account {account}, with {credential} registered to {who}; from which device is not known. Who was behind that session is not established.",
                account=account, credential=self._credential(credential[0]), who=self.people(credential[1].split(", ")),
            )  # fmt: skip
        if data["rung"] == "account" and holders:
            return say(
                "The change was made through the account {account}. It is registered to {who}; who used it is not established.",
                account=account, who=self.people(holders),
            )  # fmt: skip
        return say(SHOWS[data["rung"]], account=account, person=person)

    def how_far(self, data: Mapping[str, Any], person: Said) -> Said:
        """Say how far the records lead, and by what."""
        say = self.voice.say
        device, credential = _session(data)
        if data["rung"] == "session" and (device or credential):
            return (
                say("As far as a session (one use of that account). A device is not a person.")
                if device
                else say("As far as a session (one use of that account). A credential is not a person.")
            )
        by = say("the device {device}", device=device) if device else self._credential(credential[0]) if credential else say("a session")
        return say(HOW_FAR[data["rung"]], account=data["account"] or say("(not named)"), session=by, person=person)

    def not_shown(self, data: Mapping[str, Any]) -> Said:
        """Say what is open; where a key is in the record, that nobody supplied whose it is."""
        if key := self.key(data):
            scheme, _, rest = key.partition(":")
            named = self.voice.say("Key {number}", number=rest) if "key" in scheme and rest else self.voice.plain(key)
            return self.voice.say(
                "{key} was used; nobody supplied whose that is, nor is the device shown.",
                key=named,
            )
        device, credential = _session(data)
        if data["rung"] == "session" and credential and not device:
            return self.voice.say("Who used that credential when the change was made, and on which device.")
        return self.voice.say(NOT_SHOWN[data["rung"]])

    def key(self, data: Mapping[str, Any]) -> str | None:
        """Return the credential that the records of the act bear, where its holder is not known."""
        steps = {step["rung"]: step for step in data.get("ladder") or ()}
        if data["rung"] != "account" or (steps.get("session") or {}).get("why") != _UNTOLD:
            return None
        found = self.records(steps["account"].get("refs") or ()) if "account" in steps else ()
        return next((str(row["credential"]) for row in found if row["credential"]), None)

    def _credential(self, reference: str) -> Said:
        scheme = reference.partition(":")[0]
        if scheme == "token":
            return self.voice.say("an access token")
        return self.voice.say("a key") if "key" in scheme or scheme == "ssh" else self.voice.say("a credential")

    def people(self, ids: Iterable[str]) -> Said:
        """List people by name."""
        return self.voice.joined([self.names.who(person) for person in ids])

    # --- what stands for somebody -----------------------------------------------------------------------------------

    def pleads(self, data: Mapping[str, Any], odd: Iterable[tuple[str, Point]]) -> Iterator[Point]:
        """Yield what the side of the person named may plead: odd facts, review by somebody else, how many others could write there."""
        for flag, point in odd:
            if pleaded(flag, point, data):
                yield point
        controls = {control["id"]: control for control in data.get("controls") or ()}
        for name in _CONTROLS:
            control = controls.get(name)
            if control and control["why"] and (name != "reviewed" or control["shows"] == _SHORT):
                why = self.voice.told(control["why"])
                if name == "reviewed":
                    why = self.voice.say("{why}; no sign of a part in it", why=why)
                yield Point(why, tuple(control["refs"]))

    def for_holders(self, data: Mapping[str, Any], holders: Sequence[str], closest: Sequence[Mapping[str, Any]]) -> Iterator[Point]:
        """Yield what stands for whoever holds the account, where nobody is named."""
        say, who = self.voice.say, self.people(holders)
        denied = [person for person in holders if self.denial(person)]
        heard = {statement.by for statement in self.case.statements}
        if denied:
            yield Point(
                say("Denies having made the change.")
                if len(holders) == 1
                else say("{who} denies having made the change.", who=self.people(denied))
            )
        if silent := [person for person in holders if person not in heard]:
            yield Point(say("No answer by {who} was supplied.", who=self.people(silent)))
        told = [item for side in ("for", "neutral", "against") for item in data.get(side) or ()]
        if not any(item.get("kind") in _TIES or (item.get("rung") == "person" and item in (data.get("for") or ())) for item in told):
            if _session(data)[0]:
                yield Point(say("No record shows {who} at that device at the time of the act.", who=who))
            else:
                yield Point(say("No record ties a device of theirs, or their presence, to the act."))
        others = {o["person"] for o in closest if o["person"] and o["person"] not in holders and o["lr"]["low"] < self.needed}
        if others:
            yield Point(
                self.voice.count(
                    "Others can use an account; {number} other person is not set apart.",
                    "Others can use an account; {number} other people are not set apart.",
                    len(others),
                )
            )

    @property
    def needed(self) -> float:
        """Return the ratio that naming somebody takes against every other person."""
        return float((self.policy.get("naming") or {}).get("lowest", _LOWEST))

    def denial(self, person: str) -> str | None:
        """Return in whose words somebody denies the change."""
        return next((s.text for s in self.case.statements if s.by == person and s.test == "not-me"), None)

    # --- sentences of the findings, told more closely ---------------------------------------------------------------

    def odd(self, says: str) -> Said:
        """Tell an odd fact: of how many hours it speaks, where the findings say `around that time`."""
        found = _SHARED.fullmatch(says)
        window = (self.policy.get("windows") or {}).get("session")
        if not found or not window:
            return self.voice.told(says)
        return self.voice.say(
            "The act leads back to {address}, which {number} people used within {hours} hours of it",
            number=int(found[1]),
            address=found[2],
            hours=int(window) // 3600,
        )

    def settles(self, texts: Iterable[str], when: Mapping[str, str] | None) -> Iterator[Said]:
        """Tell the records that would settle what is open, the moment of the act once, and of each whether its keeping is surely over."""
        told_when = False
        for text in texts:
            told = self.voice.told(text)
            if when and when["from"] in text:
                told, told_when = self._that_time(told, when["from"]) if told_when else told, True
            yield self._gone(text, Said(_bare(told.en, " ("), _bare(told.zh, "（")), when)

    def _that_time(self, told: Said, moment: str) -> Said:
        at, that = self.voice.moment(moment), self.voice.say("that time")
        return Said(
            Markup(told.en.replace(at.en, that.en)),  # noqa: S704 - both are escaped
            Markup(re.sub(f" ?{re.escape(at.zh)}(?: 时)? ?", lambda _: that.zh, told.zh)),  # noqa: S704 - both are escaped
        )

    def _gone(self, text: str, told: Said, when: Mapping[str, str] | None) -> Said:
        kept = _KEPT.search(text)
        try:
            age = times.parse(self.made)[0] - times.parse(when["to"])[0] if when and kept else 0
        except RecordError:
            return told
        if not kept or age <= int(kept[1]) * times.DAY:
            return told
        return self.voice.say("{record}; by now probably gone, but for backups", record=told)

    # --- the warning ------------------------------------------------------------------------------------------------

    def warning(self, concerned: Iterable[str]) -> Said | None:
        """Warn against acting on the page alone, with what is missing; None where nothing is."""
        reasons = list(self._reasons(list(dict.fromkeys(concerned))[:3]))
        if not reasons:
            return None
        return self.voice.say("Do not act against anybody on this page alone: {reasons}.", reasons=self.voice.joined(reasons, ";"))

    def _reasons(self, concerned: Sequence[str]) -> Iterator[Said]:
        say = self.voice.say
        if not self.case.mandate:
            yield say("no mandate was supplied")
        total, acquired = len(self.case.sources), sum(bool(source.acquired) for source in self.case.sources)
        if total and not acquired:
            yield say("none of the {number} sources says who collected it", number=total)
        elif acquired < total:
            yield self.voice.count(
                "{number} of the {total} sources does not say who collected it",
                "{number} of the {total} sources do not say who collected them",
                total - acquired, total=total,
            )  # fmt: skip
        heard = {statement.by for statement in self.case.statements}
        for person in concerned:
            if (text := self.denial(person)) is not None:
                yield say(
                    "{who} denies having made the change (“{text}”)",
                    who=self.names.who(person),
                    text=original(text, self.voice, 120, "span"),
                )
            elif person not in heard:
                yield say("no answer by {who} was supplied", who=self.names.who(person))


_WIDE = 20
"""characters from which what stands in brackets is more than the name of a record"""


def _bare(text: Markup, opens: str) -> Markup:
    """Leave out what stands in brackets at the end of a sentence: where such a record lies stands in the list, a click deeper."""
    head, found, tail = text.rpartition(opens)
    return Markup(head) if found and head and len(tail) > _WIDE and tail.rstrip()[-1:] in (")", "）") else text  # noqa: S704 - it is escaped


def pleaded(flag: str, point: Point, data: Mapping[str, Any]) -> bool:
    """Tell whether somebody named would put an odd fact forward: code that the answer itself says he planted is no plea of his."""
    if flag != "hidden-code":
        return flag in PLEADED
    return bool(data["mechanism"] != "deputy" and data["object"].partition("?")[0] not in point.says.en.unescape())


def registered_alike(data: Mapping[str, Any], holders: Sequence[str]) -> bool:
    """Tell whether the credential that a session without a known device rests on is registered to whoever the account is registered to."""
    device, credential = _session(data)
    return bool(holders and credential and not device and sorted(credential[1].split(", ")) == sorted(holders))


def bearing(data: Mapping[str, Any], refs: Sequence[Ref]) -> tuple[Ref, ...]:
    """Return the references of a tie: what shows account, session and person first, the object itself last."""
    steps = {step["rung"]: tuple(step.get("refs") or ()) for step in data.get("ladder") or () if step["reached"]}
    person = [item["refs"][0] for item in data.get("for") or () if item.get("rung") == "person" and item["refs"]]
    session = [item["refs"][0] for item in data.get("for") or () if item.get("rung") == "session" and item["refs"]]
    first = [*steps.get("account", ()), *steps.get("session", ()), *session, *person] if data["account"] else []
    borne = _each_once(first)[: _BEARING - 1]
    rest = [ref for ref in _each_once(refs) if ref not in borne]
    return (*borne, *rest[: 1 if borne else _BEARING])


def _each_once(refs: Iterable[Ref]) -> list[Ref]:
    found: list[Ref] = []
    for ref in refs:
        if ref not in found:
            found.append(ref)
    return found


def _session(data: Mapping[str, Any]) -> tuple[str | None, tuple[str, str] | None]:
    """Return the device and the credential (with whose it is) that the step of the session rests on."""
    steps = [step for step in data.get("ladder") or () if step["rung"] == "session" and step["reached"]]
    if not steps:
        return None, None
    texts = [steps[0].get("why") or "", *(item["says"] for item in data.get("for") or () if item.get("rung") == "session")]
    devices = [found[1] for text in texts if (found := _DEVICE.search(text))]
    credentials = [(found[1], found[2]) for text in texts if (found := _CREDENTIAL.search(text))]
    return next(iter(devices), None), next(iter(credentials), None)
