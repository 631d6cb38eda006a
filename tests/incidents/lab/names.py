"""Words to draw from: names of people and things, and what labs call the columns of their logs."""

GIVEN = (
    "Abena", "Aiko", "Alasdair", "Anouk", "Bashir", "Benedetta", "Birgit", "Caoimhe", "Casimir", "Dalia", "Dmitar", "Eilidh", "Enzo", "Esra",
    "Fenna", "Florin", "Gao", "Giulia", "Haruto", "Ilse", "Ivo", "Jun", "Kamala", "Kasper", "Lan", "Liselotte", "Marek", "Mei", "Nadia", "Nikolai",
    "Olu", "Oskar", "Paloma", "Rafi", "Ruo", "Sanne", "Sefa", "Tadeas", "Thandi", "Ulla", "Veda", "Wei", "Xiu", "Yael", "Yusuf", "Zora",
)  # fmt: skip
FAMILY = (
    "Abara", "Aldous", "Bakker", "Bellini", "Cheng", "Corbeau", "Dang", "Delacroix", "Eskola", "Fraser", "Gallo", "Guo", "Hashimoto", "Holm",
    "Ibarra", "Jansen", "Kato", "Kowal", "Laurier", "Liang", "Lindholm", "Mbeki", "Moreau", "Nakata", "Novotny", "Okoro", "Orlov", "Pereira",
    "Quist", "Rahman", "Ren", "Sato", "Serrano", "Singh", "Stahl", "Tan", "Teodoro", "Ueda", "Vance", "Verma", "Wex", "Xu", "Yilmaz", "Zhou",
)  # fmt: skip
ROLES = ("research scientist", "ML engineer", "data engineer", "PhD student", "team lead", "infrastructure")
LABS = ("aspenridge", "boreal", "cinder", "driftwood", "ember", "fathom", "gantry", "halcyon", "isthmus", "juniper", "kelpie", "lumen")
REPOS = ("foundry", "bigrun", "modelworks", "scaler", "corelm", "trainlab", "weights", "orchard")
PACKAGES = ("anvil", "bellows", "crucible", "lathe", "spindle", "treadle")
TEAMS = ("vision", "dialogue", "rankers", "audio", "policy", "data", "robotics", "search")
FAMILIES = ("heron", "otter", "lynx", "crane", "marten", "tern", "ibex", "newt")
BRANCHES = ("main", "master", "trunk")
ZONES = (
    "America/New_York", "America/Los_Angeles", "America/Sao_Paulo", "Europe/Paris", "Europe/Dublin", "Asia/Singapore", "Asia/Kolkata",
    "Australia/Sydney", "Asia/Seoul", "Europe/Helsinki", "Asia/Shanghai",
)  # fmt: skip
BASTIONS = ("gw0", "hopper", "edge-a", "sshgate")
LOGINS = ("front", "hub", "submit", "dev")
MOVERS = ("copyhost", "datamover", "gridftp", "stage")
NODES = ("nd", "cn", "accel", "px")
CLUSTERS = ("tundra", "cobalt9", "prairie", "delta-x")
SHARES = ("/proj", "/mnt/vast", "/nfs/common", "/weka")
LAPTOPS = ("WS", "LPT", "mac", "NX")
SERVICES = ("modelops", "ckptadm", "trainsvc", "publisher")
ROBOTS = ("relay-bot", "sync-agent", "mergekeeper", "config-roller")
DOORS = ("west gate", "turnstile 2", "3rd floor", "loading dock", "lab wing")
MEETINGS = ("weekly sync", "paper club", "capacity review", "eval triage", "standup")
SUBJECTS = (
    "Tune warmup for long runs", "Drop unused flag", "Clamp grad norm earlier", "Retry flaky shard reads", "Log tokens per step", "Shorter eval split",
    "Rename buckets", "Pin seed in smoke test", "Batch size per device", "Cache tokenizer", "Move mask to loader", "Speed up gather", "Fix off-by-one in window",
    "Guard empty batch", "Raise worker count", "Skip bad rows", "Sort shard list", "Comment on dtype", "Split config", "Handle resume at epoch end",
)  # fmt: skip
QUIET = ("Small cleanup", "Update constants", "Sync with launcher defaults", "Minor perf", "Formatting", "Adjust defaults")
NOISE_COMMANDS = (
    "python -m pip list",
    "code .",
    "ls",
    "make fmt",
    "git status",
    "docker ps",
    "jupyter lab",
    "vim notes.md",
    "git diff",
    "top",
)
HOME_NETS = ("203.0.113", "198.51.100", "192.0.2")

# --- what labs call the columns of their logs: event column -> names to draw from ------------------------------------

COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {
    "badge": {"time": ("swiped_at", "ts", "event_time", "read"), "card": ("card_no", "badge_id", "card"), "door": ("reader", "door_name", "portal"), "way": ("dir", "movement", "in_out")},
    "dhcp": {"time": ("granted", "lease_start", "ts"), "ip": ("address", "leased_ip", "ipv4"), "mac": ("hw", "mac_addr", "client_mac"), "device": ("client", "host_name", "device")},
    "vpn": {"time": ("at", "event_ts", "when"), "event": ("state", "what", "type"), "user": ("login", "uid", "account"), "device": ("machine", "endpoint", "client_id"), "ip": ("inner_ip", "tunnel_ip", "pool_ip"), "session": ("sid", "tunnel", "conn"), "source": ("outer_ip", "peer", "from_ip")},
    "edr": {"time": ("observed", "ts", "event_time"), "event": ("kind", "activity", "op"), "user": ("principal", "login", "acct"), "device": ("sensor", "machine", "endpoint"), "detail": ("cmd", "detail", "command_line")},
    "meetings": {"time": ("arrived", "joined_at", "ts"), "name": ("series", "title", "room_event"), "who": ("mail", "participant", "attendee_email"), "how": ("via", "mode", "channel")},
    "pipelines": {"time": ("started", "created", "ts"), "id": ("run", "pipeline_no", "build"), "user": ("requested_by", "trigger_user", "who"), "sha": ("commit", "produced", "head"), "ip": ("client_ip", "origin", "remote"), "status": ("result", "status", "conclusion")},
    "integrity": {"time": ("scanned", "checked_at", "ts"), "path": ("file", "target", "path"), "result": ("verdict", "outcome", "state"), "found": ("digest", "sha256_now", "hash")},
    "registry": {"time": ("pushed_at", "ts", "received"), "image": ("artifact", "reference", "object"), "user": ("account", "pusher", "robot_or_user"), "ip": ("client", "remote_addr", "ip"), "size": ("bytes", "layers", "size")},
}  # fmt: skip
STEMS: dict[str, tuple[str, ...]] = {
    "badge": ("badge", "doors", "access-control", "turnstiles"), "dhcp": ("dhcp", "leases", "kea"), "vpn": ("vpn", "remote-access", "tunnels"),
    "edr": ("edr", "endpoint", "laptops", "sensor"), "meetings": ("meetings", "calendar", "rooms"), "pipelines": ("pipelines", "ci-runs", "builds"),
    "integrity": ("integrity", "tripwire", "aide"), "registry": ("registry", "image-pushes", "harbor"),
}  # fmt: skip
