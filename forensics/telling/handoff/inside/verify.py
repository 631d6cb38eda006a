"""Check a handoff bundle: python3 verify.py [FOLDER or ZIP] [--key FINGERPRINT] [--head HASH].

One file, standard library alone (Python 3.9 or later), so that you can read it before you believe it.
It stops with exit code 4 at the first thing that is wrong:

1. of a zip: it is, byte for byte, the one zip that its files make
2. each file is listed, each listed file is there, each hash holds (BagIt, RFC 8493; SHA-256 and SHA-512)
3. the statement, and its signature (DSSE over Ed25519, RFC 8032)
4. the root over all that was examined, with a salted commitment in the place of what is withheld (trees as in RFC 6962)
5. the chain of the custody log, and the arithmetic of each likelihood ratio in the findings

Whose key it is, it can't tell: compare the fingerprint with one that you got by another way. `forensics rerun` says whether the findings follow from
the records, and openssl whose a time stamp is (README.txt).
"""

import base64, hashlib, json, math, os, re, struct, sys, zipfile, zlib

LARGEST = 1 << 28  # bytes of a list or a JSON file
TAGMANIFESTS = ("tagmanifest-sha256.txt", "tagmanifest-sha512.txt")
OUTSIDE = (*TAGMANIFESTS, "statement.json", "signature.dsse.json", "timestamp.tsr", "timestamp.tsr.sha256")  # what no manifest can list

class Wrong(Exception):
    """The first thing that does not hold."""

def need(holds, where, what):
    if not holds:
        raise Wrong(f"{where}: {what}")

def of_folder(path):
    bag = {}  # name -> function that opens it
    for here, folders, names in os.walk(path):
        need(folders or names, here, "is an empty folder, which no bundle has")
        for full in (os.path.join(here, name) for name in folders + names):
            name = os.path.relpath(full, path).replace(os.sep, "/")
            need(not os.path.islink(full) and (os.path.isfile(full) or os.path.isdir(full)), name, "is a link, or no regular file")
            if os.path.isfile(full):
                bag[name] = lambda full=full: open(full, "rb")
    return bag

def of_zip(path):
    bag, packed = {}, zipfile.ZipFile(path)
    need(sum(i.file_size for i in packed.infolist()) <= os.path.getsize(path), path, "says that it holds more than it does")
    for info in packed.infolist():
        top, _, name = info.filename.partition("/")
        need(name and not {"", ".", ".."} & set(info.filename.split("/")) and "\\" not in name, info.filename, "is no name in a bundle")
        need(name not in bag and info.compress_type == 0 and info.file_size == info.compress_size, name, "is there twice, or compressed")
        bag[name] = lambda info=info: packed.open(info)
    with open(path, "rb") as found:
        for piece in zip_of(top, bag):
            need(found.read(len(piece)) == piece, path, "is not, byte for byte, the zip that its files make")
        need(not found.read(1), path, "goes on after its end")
    return bag

def zip_of(top, bag):
    """Yield the one zip that files make: in the order of names, stored as they are, all of 1980 (PKWARE's APPNOTE, 4.3; with 64 bits if any needs them)."""
    known = {}
    for name in sorted(bag):
        size = crc = 0
        for block in blocks(bag, name):
            size, crc = size + len(block), zlib.crc32(block, crc)
        known[name] = size, crc, f"{top}/{name}".encode()
    big, listing, offset = len(known) >= 0xFFFF or sum(size + 200 for size, _, _ in known.values()) >= 0x7FFFFFFF, [], 0
    for name, (size, crc, label) in known.items():
        shown, extra = (0xFFFFFFFF if big else size), struct.pack("<HHQQ", 1, 16, size, size) if big else b""
        head = struct.pack("<HHHHHLLLH", 45 if big else 20, 0x800, 0, 0, 0x21, crc, shown, shown, len(label))
        yield b"PK\3\4" + head + struct.pack("<H", len(extra)) + label + extra
        yield from blocks(bag, name)
        more = struct.pack("<HHQQQ", 1, 24, size, size, offset) if big else b""
        rest = struct.pack("<HHHHLL", len(more), 0, 0, 0, 0o100644 << 16, 0xFFFFFFFF if big else offset)
        listing.append(b"PK\1\2" + struct.pack("<H", 0x300 + (45 if big else 20)) + head + rest + label + more)
        offset += 30 + len(label) + len(extra) + size
    count, size, start = len(known), sum(map(len, listing)), offset
    yield b"".join(listing)
    if big:
        yield b"PK\6\6" + struct.pack("<QHHLLQQQQ", 44, 0x32D, 45, 0, 0, count, count, size, offset)
        yield b"PK\6\7" + struct.pack("<LQL", 0, offset + size, 1)
        count, size, start = 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF
    yield b"PK\5\6" + struct.pack("<HHHHLLH", 0, 0, count, count, size, start, 0)

def blocks(bag, name):
    with bag[name]() as stream:
        yield from iter(lambda: stream.read(1 << 20), b"")

def digest(bag, name, kind="sha256"):
    found = hashlib.new(kind)
    for block in blocks(bag, name):
        found.update(block)
    return found.hexdigest()

def read(bag, name):
    need(name in bag, name, "is missing")
    with bag[name]() as stream:
        data = stream.read(LARGEST + 1)
    need(len(data) <= LARGEST, name, f"is larger than {LARGEST} bytes")
    return data

def lines(bag, name):
    text = read(bag, name).decode().split("\n")
    need(text.pop() == "", name, "does not end with a line end")
    return text

def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

def check_hashes(bag):
    payload = {name for name in bag if name.startswith("data/")}
    for kind in ("sha256", "sha512"):
        for manifest, names in ((f"tagmanifest-{kind}.txt", set(bag) - payload - set(OUTSIDE)), (f"manifest-{kind}.txt", payload)):
            pairs = [re.fullmatch(r"([0-9a-f]{%d})  ([^%%\\\r]+)" % (int(kind[3:]) // 4), line) for line in lines(bag, manifest)]
            need(all(pairs), manifest, "has a line that is none: each is a hash, two blanks and a name")
            hashes = {p[2]: p[1] for p in pairs}
            need([p[2] for p in pairs] == sorted(hashes), manifest, "is not in order, or lists a name twice")
            need(not set(hashes) - names, manifest, f"lists a file that is not there: {min(set(hashes) - names, default='')}")
            need(not names - set(hashes), manifest, f"does not list a file that is there: {min(names - set(hashes), default='')}")
            for name in sorted(names):
                need(digest(bag, name, kind) == hashes[name], name, f"its {kind} is not the one in {manifest}")
    return payload

P, Q = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ROOT = -121665 * pow(121666, P - 2, P) % P, pow(2, (P - 1) // 4, P)

def add(a, b):
    s, t, u, v = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0]), 2 * a[3] * b[3] * D, 2 * a[2] * b[2]
    e, f, g, h = t - s, v - u, v + u, t + s
    return e * f % P, g * h % P, f * g % P, e * h % P

def multiply(number, point):
    found = (0, 1, 1, 0)
    while number:
        found, point, number = add(found, point) if number & 1 else found, add(point, point), number >> 1
    return found

def point_of(data):
    sign, y = divmod(int.from_bytes(data, "little"), 2**255)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * ROOT % P
    need(len(data) == 32 and y < P and x * x % P == square and (x or not sign), "signature", "holds no point of the curve")
    x = x if x & 1 == sign else P - x
    return x, y, 1, x * y % P

def signed(public, message, signature):
    key, start, number = point_of(public), point_of(signature[:32]), int.from_bytes(signature[32:], "little")
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % Q
    one, other = multiply(number, point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))), add(start, multiply(challenge, key))
    return len(signature) == 64 and number < Q and all((one[n] * other[2] - other[n] * one[2]) % P == 0 for n in (0, 1))

def check_statement(bag, pinned):
    text = read(bag, "statement.json")
    statement = json.loads(text)
    need(canonical(statement) == text, "statement.json", "is not in its canonical form")
    need([s["name"] for s in statement["subject"]] == list(TAGMANIFESTS), "statement.json", "is about other files")
    for s in statement["subject"]:
        need(digest(bag, s["name"]) == s["digest"]["sha256"], s["name"], "is not what the statement is about")
    told = statement["predicate"]
    need(("signature.dsse.json" in bag) == ("signer.pem" in bag) == bool(told["key"]), "signature.dsse.json", "is missing, or has no key")
    need(pinned in (None, told["key"]), "signer.pem", f"the key is {told['key']}, and you named {pinned}")
    if told["key"]:
        public = base64.b64decode("".join(lines(bag, "signer.pem")[1:-1]))[-32:]
        need(hashlib.sha256(public).hexdigest() == told["key"], "signer.pem", "is not the key that the statement names")
        signature = base64.b64decode(json.loads(read(bag, "signature.dsse.json"))["signatures"][0]["sig"])
        need(signed(public, b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(text), text), signature), "signature.dsse.json", "does not hold")
        sigs = [{"keyid": told["key"], "sig": base64.b64encode(signature).decode()}]
        whole = {"payload": base64.b64encode(text).decode(), "payloadType": "application/vnd.in-toto+json", "signatures": sigs}
        need(read(bag, "signature.dsse.json") == canonical(whole), "signature.dsse.json", "is not in its canonical form")
    need(("timestamp.tsr" in bag) == ("timestamp.tsr.sha256" in bag) == told["stamped"], "timestamp.tsr", "is missing, or was added")
    if told["stamped"]:
        need(lines(bag, "timestamp.tsr.sha256") == [f"{digest(bag, 'timestamp.tsr')}  timestamp.tsr"], "timestamp.tsr", "has another sha256")
        need(hashlib.sha256(text).digest() in read(bag, "timestamp.tsr"), "timestamp.tsr", "is not about this statement")
    return told

def tree(leaves):
    """Return the root over leaves, in their order (RFC 6962, section 2.1)."""
    stack = []  # of whole trees, the largest first
    for number, leaf in enumerate(leaves):
        stack.append(hashlib.sha256(b"\0" + leaf).digest())
        while number & 1:
            stack[-2:], number = [hashlib.sha256(b"\1" + stack[-2] + stack[-1]).digest()], number >> 1
    while len(stack) > 1:
        stack[-2:] = [hashlib.sha256(b"\1" + stack[-2] + stack[-1]).digest()]
    return stack[0] if stack else hashlib.sha256(b"").digest()

def commitment(salt, name, hashed):
    return hashlib.sha256(salt + name.encode() + b"\0" + hashed).digest()

def units(value, pointer=""):
    """Yield (JSON pointer, canonical bytes) of every plain value in a document, in the order of keys."""
    parts = sorted(value.items()) if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not parts or not value:
        yield pointer, canonical(value)
        return
    for key, part in parts:
        yield from units(part, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")

def document(bag, name):
    return [json.loads(line) for line in lines(bag, name)] if name.endswith(".jsonl") else json.loads(read(bag, name))

def root_of(bag, name, line):
    """Return the root over a document's values: each with a salt, or a commitment where something else is shown in its place."""
    found = list(units(document(bag, name)))
    salts = line.get("units") or [hashlib.sha256(bytes.fromhex(line["key"]) + p.encode()).hexdigest() for p, _ in found]
    need(len(salts) == len(found), name, "has more or fewer values than were committed to")
    hashed = ((p, hashlib.sha256(v).digest(), s) for (p, v), s in zip(found, salts))
    return tree(bytes.fromhex(s["commitment"]) if isinstance(s, dict) else commitment(bytes.fromhex(s), p, v) for p, v, s in hashed)

def check_roots(bag, told, payload):
    leaves, names = [], []
    for line in document(bag, "commitments.jsonl"):
        if "path" in line:
            need(line["path"] in payload and line["path"] not in names, line["path"], "was committed to, and is not there, or twice")
            names.append(line["path"])
            whole = root_of(bag, names[-1], line) if "key" in line or "units" in line else bytes.fromhex(digest(bag, names[-1]))
            leaves.append(commitment(bytes.fromhex(line["salt"]), names[-1], whole))
        else:
            leaves.append(bytes.fromhex(line["leaf"]))
    need(tree(leaves).hex() == told["case_root"], "commitments.jsonl", "gives another root over what was examined than the statement")
    whole = tree(commitment(b"", name, bytes.fromhex(digest(bag, name))) for name in sorted(payload))
    need(whole.hex() == told["content_root"], "statement.json", "has another root over all files than they give")

def check_custody(bag, told, pinned):
    entries, head = document(bag, "data/custody.jsonl"), "0" * 64
    need(len(entries) == told["custody_entries"], "data/custody.jsonl", "has more or fewer entries than the statement says")
    if told["custody_head"] is None:
        need(not pinned, "data/custody.jsonl", "its hashes are withheld in this view: ask for a full bundle to compare the head")
        return
    for number, entry in enumerate(entries):
        body = canonical({key: value for key, value in entry.items() if key != "hash"})
        holds = (entry["seq"], entry["prev"], entry["hash"]) == (number, head, hashlib.sha256(body).hexdigest())
        need(holds, "data/custody.jsonl", f"the chain is broken at entry {number}")
        head = entry["hash"]
    need(head == told["custody_head"] == (pinned or head), "data/custody.jsonl", f"ends with {head}: entries are missing, or were added")

def item_log(policy, weighing, item, other, factor=1.0):
    """Return how much likelier a record is to say so if the leading hypothesis holds than if another does, as a logarithm."""
    every, found = [weighing["leading"], *weighing["compared"]], []
    for number in (0, other):
        if every[number]["mechanism"] == "forged-record" and every[number]["person"] in item["controllers"]:
            return 0.0  # whoever keeps a record could have made it up: against that it weighs nothing
        word = next((w for w, numbers in item["expect"].items() if number in numbers), item["otherwise"])
        wrong = min(1.0, policy["tiers"][item["tier"]] * factor)  # chance that the record is wrong, whatever happened
        found.append(math.log((1 - wrong) * policy["words"][word] + wrong / 2))
    return found[0] - found[1]

def by_group(policy, weighing, other, factor=1.0, without=None):
    """Return the logarithm of each group of records: its strongest item either way counts, and no other."""
    up, down = {}, {}
    for item in (i for i in weighing["items"] if without not in i["sources"]):
        value, group = item_log(policy, weighing, item, other, factor), item["group"]
        up[group], down[group] = max(up.get(group, 0.0), value), min(down.get(group, 0.0), value)
    return [up[group] + down[group] for group in up]

def check_ratio(policy, weighing, other, where):
    said, values = weighing["compared"][other - 1], by_group(policy, weighing, other)
    point, sources = sum(values), {s for item in weighing["items"] for s in item["sources"]}
    varied = [point, *(sum(by_group(policy, weighing, other, factor)) for factor in policy["factors"])]
    dropped = [sum(by_group(policy, weighing, other, without=source)) for source in sources] or [point]
    sums = (point, min(varied), max(varied), min([point - value for value in values] or [point]), min(dropped))
    written = (said["lr"]["point"], said["lr"]["low"], said["lr"]["high"], said["left_out"]["low"], said["dropped"]["low"])
    for one, two in zip(written, map(math.exp, sums)):
        need(math.isclose(one, two, rel_tol=6e-4), where, f"says {one}, and its arithmetic gives {two:.4g}")

def check_arithmetic(bag):
    policy, count = json.loads(read(bag, "data/weights.json")), 0
    for answer in json.loads(read(bag, "data/findings.json"))["answers"]:
        where, known = f"data/findings.json, {answer['question']}", []
        for weighing in answer["weighings"]:
            known += [(c["person"], c["lr"], c["left_out"], c["dropped"]) for c in weighing["compared"]]
            for other in range(1, len(weighing["compared"]) + 1):
                check_ratio(policy, weighing, other, where)
        for a in answer["alternatives"]:
            need((a["person"], a["lr"], a["left_out"], a["dropped"]) in known, where, "has a ratio that was never weighed")
        for item in (i for side in ("for", "against", "neutral") for i in answer[side] if "weighed" in i):
            weighing, number = answer["weighings"][item["weighed"][0]], item["weighed"][1]
            found = math.exp(item_log(policy, weighing, weighing["items"][number], weighing["nearest"] or 0))
            need(math.isclose(item["lr"], found, rel_tol=6e-4), where, f"an item says {item['lr']}, and its arithmetic gives {found:.4g}")
        count += len(known)
    return count

def main(arguments):
    options = {name: arguments.pop(arguments.index(name) + 1) for name in ("--key", "--head") if name in arguments[:-1]}
    place = next((a for a in arguments if a not in options), os.path.dirname(os.path.abspath(__file__)))
    try:
        bag = of_zip(place) if os.path.isfile(place) else of_folder(place)
        payload = check_hashes(bag)
        told = check_statement(bag, options.get("--key"))
        check_roots(bag, told, payload)
        check_custody(bag, told, options.get("--head"))
        ratios = check_arithmetic(bag)
    except Exception as error:  # whatever a damaged bundle does to its reader, it is no whole one
        print("WRONG  " + ("" if isinstance(error, Wrong) else f"{type(error).__name__}: ") + ascii(str(error))[1:-1])
        return 4
    print(f"HOLDS  {len(bag)} files, the root {told['case_root']}, {told['custody_entries']} entries of custody, {ratios} likelihood ratios")
    print(f"SIGNED by the key {told['key']}" if told["key"] else "NOT SIGNED: whoever could write this could have written all of it anew")
    if not told["key"] and "--head" not in options:
        print("       A custody log cut short with all else made to fit could not be told: nothing outside holds its head (--head HASH)")
    return 0

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
