"""The report's own words in English: plain sentences for rungs, mechanisms, tiers, flags, verdicts and limits. Never of blame.

Their Chinese is in `templates/words/zh.po`; a test refuses a text that has none.
"""

RUNGS = ("none", "change", "account", "session", "person")

RUNG_STEPS = {
    "none": "nothing established",
    "change": "the change is real",
    "record": "its record is genuine",
    "account": "an account is known",
    "session": "a session is known",
    "person": "a person is tied",
}

RUNG_NAMES = {"none": "nothing", "change": "change", "record": "record", "account": "account", "session": "session", "person": "person"}
"""the same in one word, beside a tick"""

STEPS_OPEN = {
    "none": "nothing established",
    "change": "the change is not shown",
    "record": "its record is in doubt",
    "account": "no account is known",
    "session": "no session is known",
    "person": "no person is tied",
}
"""the same steps where they are not reached"""

THINGS = {
    "commit": "A change to the code (a commit) in {name}.",
    "file of a commit": "One file, as a change to the code (a commit) left it in {name}.",
    "object": "A stored file, as it was put there or overwritten: {name}.",
    "file": "A file on a disk: {name}.",
}

SHOWS = {
    "none": "The records do not establish that the recorded change took place as recorded.",
    "change": "The change is real. The records do not say which account made it.",
    "account": "The change was made through the account {account}. Who used it is not established.",
    "session": "The change was made through the account {account}, in a session from a known device or credential. Who was behind that session is not established.",
    "person": "The records tie this change to {person}, through the account {account}.",
}

BRIEF = {
    "none": "Open: not even the change is established",
    "change": "Open: the change is real, no account is tied to it",
    "account": "As far as the account {account}; who used it is open",
    "session": "As far as a session of {account}; who was behind it is open",
    "person": "Tied to {person}",
}

HOW_FAR = {
    "none": "Not even the first step: whether the change took place as recorded is open.",
    "change": "As far as the change itself. No account is tied to it.",
    "account": "As far as an account. An account is not a person.",
    "session": "As far as a session: a device or credential that is known. A device is not a person, and nor is a credential.",
    "person": "They lead from that account, by {session}, to that person.",
}

NOT_SHOWN = {
    "none": "Whether the change took place as recorded, which account was used, and who was behind it.",
    "change": "Which account made the change, and who used it.",
    "account": "From which device or with which credential the account was used, and who was using it.",
    "session": "Who used that device or credential when the change was made.",
    "person": "Not weighed: outsiders, malware, people acting together.",
}

INTENT = "Records do not tell intent."

MECHANISMS = {
    "own-account": "through an account or credential of one's own",
    "credential-misuse": "with somebody else's account or credential",
    "shared-identity": "through an identity that several people use",
    "deputy": "by code hidden in something that somebody else's process loaded",
    "forged-record": "by way of a record that was made up or altered",
    "automation": "by a robot that somebody set off",
    "defect": "as an honest change, or a fault",
    "unknown": "in a way that the records do not tell",
}

SUPPORT = {
    "none": "not established, no explanation fits clearly better",
    "weak": "weak support",
    "moderate": "moderate support",
    "moderately strong": "moderately strong support",
}

SURE = {
    "none": "not settled",
    "weak": "weakly supported",
    "moderate": "moderately supported; doubt remains",
    "moderately strong": "fairly well supported; doubt remains",
}
"""how sure an answer is, beside its steps"""

BANDS = ((2.0, "none"), (10.0, "weak"), (100.0, "moderate"), (float("inf"), "moderately strong"))

BAND_NAMES = ("none", "weak", "moderate", "moderately strong")

TIERS = {
    "T1": "self-asserted: anybody could have written it",
    "T2": "host log that the host's administrator can edit",
    "T3": "server log that the server's administrators can edit",
    "T4": "append-only, kept off the host or by a third party",
    "T5": "anchored in hardware or outside",
}

FLAG_NAMES = {
    "author-mismatch": "author differs",
    "backdated": "backdated",
    "rewritten-history": "history rewritten",
    "clock-offset": "clock off",
    "log-gap": "gap in the log",
    "impossible-overlap": "in two places at once",
    "after-departure": "after departure",
    "credential-reuse": "credential elsewhere",
    "shared-address": "shared address",
    "hidden-code": "hidden code",
    "unreviewed": "not reviewed",
    "record-conflict": "records conflict",
}

FLAGS = {
    "author-mismatch": ("The commit's author is not the person whose act brought it in.", ("work carried over from a colleague by patch or cherry-pick",)),
    "backdated": ("The commit's dates lie well before everything that shows when it was made.", ("old work that was picked up again", "a computer whose clock was wrong")),
    "rewritten-history": ("The change was on a shared branch, was used, and was then taken off it.", ("a mistake that was tidied up", "a leaked secret that had to go")),
    "clock-offset": ("A clock that this answer rests on was off by much.", ("a host without time synchronisation",)),
    "log-gap": ("A source that would show the act is silent over the time when it was done.", ("rotation, an outage, or a full disk",)),
    "impossible-overlap": ("The account's owner was elsewhere, or on another device, when the act was done.", ("a session left open", "a card that was lent")),
    "after-departure": ("An identifier acted after its owner's last day.", ("a job or robot that ran on", "an account handed on without a note")),
    "credential-reuse": ("A credential was used from a device or address that is somebody else's.", ("a replaced laptop", "help given at a colleague's desk")),
    "shared-address": ("The act came from an address that several people used at that time.", ("a jump host, proxy or shared network, as is usual",)),
    "hidden-code": ("Something loaded as data holds code that runs, which its lineage never had.", ("a library that writes its files in a new way",)),
    "unreviewed": ("A change that is usually reviewed was not.", ("an urgent repair",)),
    "record-conflict": ("Two records of one act contradict each other.", ("one act seen by two clocks", "a system that logs late")),
}  # fmt: skip

VERDICTS = {
    "supported": "It agrees with the records that were supplied.",
    "contradicted": "It does not agree with the records that were supplied. Whoever said it may have been mistaken, or told so by others.",
    "not resolved": "The records that were supplied do not decide it.",
}

VERDICT_NAMES = {
    "supported": "The records support it",
    "contradicted": "The records speak against it",
    "not resolved": "The records leave it open",
}

SCALE_NAMES = {
    "supported": "The change reached at least that much; what was lost of it is open",
    "contradicted": "The records show fewer",
    "not resolved": "The records leave open how much the change reached",
}
"""verdicts of statements about how much: what can be counted is what was reached"""

SPEAK_AGAINST = "“Speak against” is said of what was stated, not of whoever stated it, who may be mistaken; and the records may be, too."

TIED_ELSEWHERE = "The support is only that the records tie the act to somebody else: a shared part is not excluded."
BEARS_NAME = "The commit bears this name, which anybody can type."

STATED = {
    "left-before": "says to have left before the change",
    "not-me": "denies having made the change",
    "someone-else": "says that somebody else made the change",
    "record-forged": "says that the record was made up or altered",
    "scale": "says how much was harmed",
    "not-affected": "says that something was not affected",
    "defect": "says that it was an honest change, or a fault",
}
"""what kind of statement it is, for readers of another language than it was made in"""

SCALE_NOTE = "What is counted is what the change reached; how much of that was lost, the records do not tell."

RETOLD = (
    ("most people could not write there", "writing there was kept to few people"),
    ("the records show that it was not so", "No, by the records"),
    ("the records show it", "Yes, by the records"),
    (
        "records that the log's keepers could not have written tie the change to ",
        "records of other sources than the log, which its keepers are not known to be able to write, tie the change to ",
    ),
)
"""how a sentence of the findings begins, and how the page says it: where it says more than is known of a source whose keepers nobody declared, or is read the wrong way round"""

RESAID = (
    (" around then, and nobody else did", " around the time of the act; no record shows anybody else doing so"),
    (", and nobody else did", "; no record shows anybody else doing so"),
    (" at that moment", " at the time of the act"),
    (" around that time", " around the time of the act"),
    (" had left by then,", " had left before the act,"),
    (" made the change after ", " was used for the change after "),
    (" who were there then held the right to write there", " employed then had the right to write there"),
)
"""what a sentence of the findings says within its own words, and how the page says it: of which moment it speaks, and that silence is no absence"""

TESTS = {
    "left-before": "whether the person had left before the change",
    "not-me": "whether the records tie the change to the speaker",
    "someone-else": "whether the records tie the change to another person",
    "record-forged": "whether the record of the change could have been made up or altered",
    "scale": "whether the change reached as much as is said",
    "not-affected": "whether the object was out of the change's reach",
    "defect": "whether the change was an honest one, or a fault",
}

LIMITS = (
    ("An account is not a person.", "Accounts, keys, devices and addresses act; people are tied to them by further records, and each tie can fail on its own."),
    ("Records can be edited.", "Whoever administers a system can change what it wrote. The sources table names, for each source, who could have done so, or says that nobody told us."),
    ("Silence is not absence.", "Where a source has a gap, or was not handed in, something may have happened that nothing here shows."),
    ("Clocks differ.", "Where a clock could be compared with others, its offset stands in the clocks table, as a range. Times are corrected only where it can be told which clock is wrong."),
    ("Programs misread.", "What could not be read is counted and listed. A reader that misunderstands a format would do so without a sign; the bytes are shown so that it can be checked."),
    ("Somebody chose.", "The sources, the questions and the runs called harmed were chosen by people. What they left out cannot be seen here."),
    ("Numbers are judgements.", "The likelihoods behind each ratio are set by policy, not measured. They are printed below, and were varied to get the ranges."),
    ("Harm is not intent.", "A change that did harm may have been an honest mistake. Nothing here says why it was made."),
)  # fmt: skip

RATIO_NOTE = (
    "How many times better one explanation fits the records than another is a judged figure. It is not a probability. "
    "“Moderately strong” is where this method stops: some doubt always remains."
)

MANDATE = {
    "authority": "Authority",
    "purpose": "Purpose",
    "lawful_basis": "Lawful basis",
    "scope": "Scope",
    "requested_by": "Requested by",
    "personal_data": "Personal data",
}

PARTIES = {"press": "the press", "team": "the team"}
"""who is no person of the case, and may have said something"""

CLOCK_BY = {
    "push": "pushes",
    "ref": "branches",
    "commit": "commits",
    "login": "logins",
    "job": "jobs",
    "object": "objects",
    "session": "sessions",
}

STATUS = {"skipped": "left out, as asked", "unreadable": "could not be read"}

CONSIDERED = {
    "argument": "launch arguments",
    "commit": "commits",
    "environment": "environment variables",
    "file": "files",
    "node": "nodes",
    "object": "objects",
    "package": "packages",
    "image": "images",
}

EXPLORE = {
    "events": "Acts",
    "count": "acts: #",
    "others": "all others",
    "none": "(none)",
    "several": "(several people)",
    "claimed": "claimed by the record",
    "all": "Acts in view: {number}",
    "first": "Acts in view: {number}; the first {shown} are listed",
    "nothing": "Nothing found among the {number} acts that this page carries.",
    "elsewhere_found": "Nothing found in view; found in the whole window: {number}. The button “whole window” shows them.",
    "left": "Not searched here: {left} more records, which the table events alone holds (without a time, outside the window, or too many to carry).",
    "asked_row": "acts in question",
    "asked": "the act in question",
    "rests": "an answer rests on it",
    "beside": "cited beside, for nobody and against nobody",
    "claim": "claimed by the record, not shown to be this person's act",
    "claim_short": "claimed, not shown",
    "elsewhere": "by an account of this person, but tied to another",
    "elsewhere_short": "tied to another",
    "open": "the account's act; no person is named for it",
    "open_short": "no person named",
    "person_axis": "accounts registered to",
    "uncited": "No answer cites this record, so its bytes are not in this page. It is a row of the table events; its bytes stand at this place:",
    "shown_by": "To see its bytes:",
    "file": "File",
    "hash": "SHA-256 of the file",
    "host": "Host",
    "person": "Registered to",
    "recorded": "As recorded, UTC",
    "corrected": "Time shown",
}
"""what the script says; `#`, `{number}`, `{shown}` and `{left}` are filled in by it"""

PATH_KINDS = (
    "account", "address of mail", "badge", "key", "token", "device", "address", "commit", "file", "object", "package", "image", "content", "node", "switch", "driver",
    "run", "meeting", "place", "act", "pipeline", "job", "branch", "session", "person", "change in question", "drawn as one",
    "Accounts, keys, devices", "Acts", "Commits, objects", "Jobs", "What jobs wrote",
)  # fmt: skip


def band(low: float) -> str:
    """Return the verbal band of a ratio's lower end."""
    return next(name for top, name in BANDS if low < top)
