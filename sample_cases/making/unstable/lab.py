"""The lab of the unstable training: people, accounts, days that the story fixes."""

from datetime import date

from making.cluster import Kind
from making.people import Lab, Person, common_rows, personal_rows
from making.presence import Plan

CASE = "unstable-training"
ACCUSED, ACTOR = "p-014", "p-011"
LAST_DAY = "2024-06-28 18:00"
UNIX_CLOSED = "2024-07-12 09:30"
SHARED = ["p-003", "p-005", "p-011", "p-016", "p-018"]
SHARED_USER = ("trainops", 2100)
ROBOTS = ["merge-bot", "ci-robot"]
CLONE = "/share/teams/ranking/train"
HOLIDAY = date(2024, 6, 10)
UPGRADE = date(2024, 7, 20)
"""The forge is switched off for an upgrade, on a Saturday on which nobody works."""

LAB = Lab(
    "lab.example",
    (
        Person("p-001", "Marguerite Oyelar", "moyelar", "head of lab", "lead", "2019-03-04 09:00"),
        Person("p-002", "Tao Shuling", "taoshuling", "team lead", "ranking", "2020-07-01 09:00"),
        Person("p-003", "Ingolf Brandsæther", "ibrand", "administrator", "platform", "2018-11-12 09:00"),
        Person("p-004", "Nalini Thurai", "nthurai", "engineer", "chat", "2021-02-22 09:00"),
        Person("p-005", "Gao Yunqi", "gaoyunqi", "engineer", "chat", "2021-09-13 09:00"),
        Person("p-006", "Casimir Dubrow", "cdubrow", "engineer", "ranking", "2022-01-10 09:00", writes_as="casimir@dubrow.example"),
        Person("p-007", "Fen Ruolan", "fenruolan", "engineer", "ranking", "2022-06-27 09:00"),
        Person("p-008", "Wilhelmina Achterholt", "wachter", "researcher", "ranking", "2021-05-17 09:00"),
        Person("p-009", "Zhu Beixian", "zhubeixian", "researcher", "ranking", "2023-03-06 09:00"),
        Person("p-010", "Odhran Killacky", "okillacky", "engineer", "vision", "2020-10-05 09:00"),
        Person("p-011", "Hollis Trevarrick", "htrev", "engineer", "ranking", "2022-09-19 09:00"),
        Person("p-012", "Esra Demirtay", "edemirtay", "researcher", "chat", "2023-08-14 09:00"),
        Person("p-013", "Luo Xiwen", "luoxiwen", "engineer", "vision", "2022-04-11 09:00", writes_as="xw.luo@mailbox.example"),
        Person("p-014", "Qi Muyang", "qimuyang", "intern", "ranking", "2024-01-08 09:00", until=LAST_DAY),
        Person("p-015", "Babajide Ekun", "bekun", "engineer", "platform", "2019-06-03 09:00"),
        Person("p-016", "Sun Keyuan", "sunkeyuan", "engineer", "chat", "2020-12-07 09:00"),
        Person("p-017", "Paloma Etxarte", "petxarte", "researcher", "vision", "2023-10-16 09:00"),
        Person("p-018", "Hamish Dalroy", "hdalroy", "administrator", "platform", "2021-11-01 09:00"),
        Person("p-019", "Deng Anruo", "denganruo", "intern", "ranking", "2024-03-04 09:00"),
        Person("p-020", "Yorick Steenveld", "ysteen", "engineer", "vision", "2024-06-17 07:30"),
    ),
    first_uid=30100,
    laptop="LAB-N",
)

ENDS = {
    ACCUSED: {
        **{kind: UNIX_CLOSED for kind in ("unix", "number", "key")},
        **{kind: "2024-06-28 19:00" for kind in ("gitlab", "aws", "email")},
        **{kind: "2024-06-28 17:45" for kind in ("device", "mac")},
        "badge": "2024-06-28 18:30",
    }
}
"""When each of the accused's identifiers was disabled or given back."""

PLAN: Plan = {
    **{(p.id, UPGRADE): [] for p in LAB.people},
    (ACCUSED, date(2024, 6, 12)): [("office", "09:02", "19:10")],
    (ACCUSED, date(2024, 6, 28)): [("office", "09:20", "17:30")],
    ("p-004", date(2024, 6, 13)): [("office", "09:15", "18:40")],
    ("p-007", date(2024, 6, 19)): [("office", "09:31", "18:55")],
    ("p-004", date(2024, 6, 20)): [("office", "09:05", "18:20")],
    ("p-016", date(2024, 6, 4)): [("office", "09:12", "18:30")],
    ("p-005", date(2024, 6, 11)): [("office", "09:40", "19:20")],
    ("p-018", date(2024, 6, 24)): [("office", "09:01", "18:10")],
    (ACTOR, date(2024, 7, 3)): [("office", "09:18", "22:25")],
    ("p-005", date(2024, 7, 3)): [("office", "09:36", "22:18")],
    ("p-016", date(2024, 7, 3)): [("office", "09:22", "22:41")],
    (ACTOR, date(2024, 7, 5)): [("office", "09:07", "22:50")],
    ("p-009", date(2024, 7, 5)): [("office", "09:44", "23:05")],
    (ACTOR, date(2024, 7, 8)): [("office", "09:25", "18:35"), ("vpn", "20:04", "22:12")],
    ("p-008", date(2024, 7, 9)): [("office", "09:03", "18:30")],
    (ACTOR, date(2024, 7, 10)): [("vpn", "07:28", "08:21"), ("office", "09:32", "18:50")],
    ("p-006", date(2024, 7, 10)): [("office", "09:10", "18:30")],
    ("p-003", date(2024, 6, 5)): [("office", "09:00", "18:00")],
    ("p-003", date(2024, 7, 19)): [("office", "08:55", "18:10")],
    ("p-016", date(2024, 7, 16)): [("office", "09:20", "18:20")],
    ("p-016", date(2024, 7, 22)): [("office", "09:14", "18:50")],
}

RANKER, CHAT, VISION, TOKENS = "chat/base/ranker-7b.pt", "chat/base/chat-3b.pt", "vision/base/vit-l.pt", "shared/tokens/bpe-64k.json"
KINDS = [
    Kind("ranking", "ranker", "ranking", [RANKER], [CLONE], ["p-006", "p-007", "p-008", "p-009", "p-011", "p-014", "p-019"]),
    Kind("chat", "chat", "chat", [CHAT, CHAT, RANKER], ["/share/home/{login}/train", CLONE], ["p-004", "p-005", "p-012", "p-016"]),
    Kind("vision", "vision", "vision", [VISION], ["/share/teams/vision/train"], ["p-010", "p-013", "p-017", "p-020"]),
]
PUBLISHED = [
    ("p-016", "2024-06-04 15:12:30", RANKER),
    ("p-005", "2024-06-11 16:40:10", CHAT),
    ("p-018", "2024-06-24 10:22:05", TOKENS),
    (ACTOR, "2024-07-03 21:47:36", RANKER),
    ("p-016", "2024-07-16 14:05:44", CHAT),
    ("p-016", "2024-07-22 10:31:20", RANKER),
]
"""Who published what through the shared user: the fourth is the change of the first question, the last takes it back."""
SERIES = [
    ("cluster stand-up", 0, "10:30", ["p-003", "p-015", "p-018", "p-002", "p-010"]),
    ("ranking weekly", 1, "14:00", ["p-002", "p-006", "p-007", "p-008", "p-009", "p-011", "p-014", "p-019"]),
    ("chat weekly", 2, "15:00", ["p-004", "p-005", "p-012", "p-016"]),
    ("vision weekly", 3, "11:00", ["p-010", "p-013", "p-017", "p-020"]),
    ("reading group", 4, "16:00", ["p-001", "p-002", "p-008", "p-009", "p-012", "p-014", "p-017", "p-019"]),
]


def identifier_rows() -> list[list[str]]:
    """Return the rows of identifiers.csv."""
    rows = personal_rows(LAB, ENDS)
    for name, source in (("unix:trainops", "sudoers"), ("unix:#2100", "sudoers"), ("aws:trainops", "cloud accounts")):
        rows += common_rows(LAB, name, "shared", SHARED, source)
    for robot in ROBOTS:
        rows += common_rows(LAB, f"gitlab:{robot}", "service", ["p-003", "p-015"], "forge export")
        rows += common_rows(LAB, f"email:{robot}@{LAB.domain}", "service", ["p-003", "p-015"], "forge export")
    return sorted(rows)


def access_rows() -> list[list[str]]:
    """Return the rows of access.csv."""
    rows = []
    for row in personal_rows(LAB, ENDS):
        name, id_, begin, end = row[0], row[1], row[3], row[4]
        if name.startswith("gitlab:") and id_ != "p-001":
            rows.append([id_, "git:train#refs/heads/*", "write", begin, end])
        if name.startswith("unix:") and "#" not in name and id_ != "p-001":
            rows.append([id_, "file:///share/*", "admin" if id_ in ("p-003", "p-018") else "write", begin, end])
    teams = {id_: kind.team for kind in KINDS for id_ in kind.people}
    for row in [r for r in rows if r[1].startswith("file:") and r[0] in teams]:
        rows.append([row[0], f"s3://lab-models/{teams[row[0]]}/runs/*", *row[2:]])
    for id_ in SHARED:
        rows.append([id_, "s3://lab-models/*", "write", *common_rows(LAB, "", "", [id_], "")[0][3:5]])
    return sorted(rows)
