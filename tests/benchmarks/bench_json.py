"""Speed of the JSON sources against DuckDB's `read_json`, on made-up logs of the real formats: python tests/benchmarks/bench_json.py [MB].

Both write Parquet with two workers or threads; the fields of DuckDB's statement are those that the sources read.
"""

import importlib
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from forensics.case.reading import plan, read_all
from forensics.model import Evidence, EvidenceFile, SourceConfig

ROUNDS = 5
WORKERS = 2
LIMIT = 1.5

CLOUDTRAIL = """
    COPY (
        SELECT eventTime, eventName, eventSource, eventType, eventID, userIdentity, sourceIPAddress, userAgent, requestID, errorCode,
            requestParameters, responseElements, additionalEventData
        FROM read_json($path, format = 'newline_delimited', columns = {
            eventTime: 'VARCHAR', eventName: 'VARCHAR', eventSource: 'VARCHAR', eventType: 'VARCHAR', eventID: 'VARCHAR',
            userIdentity: 'STRUCT(type VARCHAR, principalId VARCHAR, arn VARCHAR, accountId VARCHAR, accessKeyId VARCHAR, userName VARCHAR,
                invokedBy VARCHAR, sessionContext STRUCT(sessionIssuer STRUCT(userName VARCHAR, arn VARCHAR),
                attributes STRUCT(mfaAuthenticated VARCHAR)))',
            sourceIPAddress: 'VARCHAR', userAgent: 'VARCHAR', requestID: 'VARCHAR', errorCode: 'VARCHAR',
            requestParameters: 'STRUCT(bucketName VARCHAR, "key" VARCHAR, versionId VARCHAR, "x-amz-copy-source" VARCHAR)',
            responseElements: 'STRUCT("x-amz-version-id" VARCHAR)',
            additionalEventData: 'STRUCT(bytesTransferredIn BIGINT, bytesTransferredOut BIGINT)'})
    ) TO '{out}' (FORMAT parquet, COMPRESSION zstd)
"""
KUBERNETES = """
    COPY (
        SELECT auditID, stage, verb, requestURI, "user", impersonatedUser, sourceIPs, userAgent, objectRef, responseStatus, requestObject,
            responseObject, requestReceivedTimestamp, stageTimestamp
        FROM read_json($path, format = 'newline_delimited', columns = {
            auditID: 'VARCHAR', stage: 'VARCHAR', verb: 'VARCHAR', requestURI: 'VARCHAR', "user": 'STRUCT(username VARCHAR, uid VARCHAR)',
            impersonatedUser: 'STRUCT(username VARCHAR)', sourceIPs: 'VARCHAR[]', userAgent: 'VARCHAR',
            objectRef: 'STRUCT(resource VARCHAR, namespace VARCHAR, "name" VARCHAR, apiGroup VARCHAR, subresource VARCHAR)',
            responseStatus: 'STRUCT(code BIGINT, reason VARCHAR)', requestObject: 'JSON', responseObject: 'JSON',
            requestReceivedTimestamp: 'VARCHAR', stageTimestamp: 'VARCHAR'})
    ) TO '{out}' (FORMAT parquet, COMPRESSION zstd)
"""


def main() -> None:
    """Measure each kind in a process of its own, whose workers then start from the same memory."""
    size = sys.argv[1] if len(sys.argv) > 1 else "300"
    kinds = sys.argv[2:]
    if len(kinds) == 1:
        make, query = KINDS[kinds[0]]
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(_measure(kinds[0], make, query, Path(folder), int(size) << 20)))
        return
    for kind in kinds or KINDS:
        subprocess.run([sys.executable, __file__, size, kind], check=True)


def _measure(kind: str, make: Callable[[random.Random, int], str], query: str, folder: Path, size: int) -> dict[str, object]:
    log = folder / "log.jsonl"
    lines = _write(log, make, size)
    _forensics(kind, log, folder / "parts", lines)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) >> 10  # before DuckDB's
    _duckdb(query, log, folder / "out.parquet")
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(_timed(lambda: _forensics(kind, log, folder / "parts", lines)))
        theirs.append(_timed(lambda: _duckdb(query, log, folder / "out.parquet")))
    (wall, processor), (their_wall, their_processor) = (map(statistics.median, zip(*times, strict=True)) for times in (ours, theirs))
    print(
        f"{kind}: {log.stat().st_size >> 20} MB, {lines} records; forensics {wall:.2f} s ({processor:.2f} s of processors), "
        f"DuckDB {their_wall:.2f} s ({their_processor:.2f} s); largest worker {peak} MB"
    )
    return {
        "kind": kind, "bytes": log.stat().st_size, "records": lines, "forensics_s": ours, "duckdb_s": theirs, "limit": LIMIT,
        "ratio": round(wall / their_wall, 2), "processor_ratio": round(processor / their_processor, 2), "worker_peak_mb": peak,
    }  # fmt: skip


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    """Return (seconds that passed, seconds of processors), this process's and its workers'."""
    begin, before = time.perf_counter(), os.times()
    work()
    after = os.times()
    return round(time.perf_counter() - begin, 3), round(sum(after[:4]) - sum(before[:4]), 2)


def _forensics(kind: str, log: Path, folder: Path, lines: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    size = log.stat().st_size
    evidence = Evidence(SourceConfig("bench", kind, log.name, host="bench"), (EvidenceFile("", str(log), size),))
    accounts = read_all(plan([evidence], folder), WORKERS)
    assert sum(a.parsed + a.skipped + a.rejected for a in accounts) == size
    assert not sum(a.rejected for a in accounts), f"{lines} records, some rejected"


def _duckdb(query: str, log: Path, out: Path) -> None:
    duckdb = importlib.import_module("duckdb")  # here, since worker processes import this file, too, and need no database
    connection = duckdb.connect(config={"threads": WORKERS})
    connection.execute(query.replace("{out}", str(out)), {"path": str(log)})
    connection.close()


# --- made-up logs -------------------------------------------------------------------------------------------------


def _write(log: Path, make: Callable[[random.Random, int], str], size: int) -> int:
    chance = random.Random(7)
    written = count = 0
    with log.open("w") as stream:
        while written < size:
            line = make(chance, count) + "\n"
            stream.write(line)
            written += len(line)
            count += 1
    return count


def _hex(chance: random.Random, digits: int) -> str:
    return f"{chance.getrandbits(digits * 4):0{digits}x}"


def _cloudtrail(chance: random.Random, count: int) -> str:
    write = chance.random() < 0.4
    job = f"train-{count // 400}"
    role, key = "gpu-job", f"ASIA{count // 400:016d}"
    bucket, name = "models", f"team-{chance.randrange(20)}/run-{count // 400}/step_{count:08d}.pt"
    record = {
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "AssumedRole", "principalId": f"AROA0000000000000001:{job}", "arn": f"arn:aws:sts::111122223333:assumed-role/{role}/{job}",
            "accountId": "111122223333", "accessKeyId": key,
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "principalId": "AROA0000000000000001", "arn": f"arn:aws:iam::111122223333:role/{role}",
                                  "accountId": "111122223333", "userName": role},
                "attributes": {"creationDate": "2024-06-01T00:00:00Z", "mfaAuthenticated": "false"}},
        },
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1717200000 + count // 5)),
        "eventSource": "s3.amazonaws.com", "eventName": "PutObject" if write else "GetObject", "awsRegion": "us-east-1",
        "sourceIPAddress": f"10.1.{count // 400 % 200}.{chance.randrange(1, 9)}",
        "userAgent": "[Boto3/1.34.51 md/Botocore#1.34.51 ua/2.0 os/linux#5.15.0 lang/python#3.10.12]",
        "requestParameters": {"bucketName": bucket, "Host": f"{bucket}.s3.us-east-1.amazonaws.com", "key": name},
        "responseElements": {"x-amz-server-side-encryption": "AES256", "x-amz-version-id": _hex(chance, 32)} if write else None,
        "additionalEventData": {
            "SignatureVersion": "SigV4", "CipherSuite": "TLS_AES_128_GCM_SHA256", "bytesTransferredIn": chance.randrange(10**9) if write else 0,
            "AuthenticationMethod": "AuthHeader", "x-amz-id-2": _hex(chance, 64), "bytesTransferredOut": 0 if write else chance.randrange(10**9)},
        "requestID": _hex(chance, 16).upper(), "eventID": f"{_hex(chance, 8)}-{_hex(chance, 4)}-{_hex(chance, 4)}-{_hex(chance, 12)}",
        "readOnly": not write,
        "resources": [{"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/{name}"},
                      {"accountId": "111122223333", "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"}],
        "eventType": "AwsApiCall", "managementEvent": False, "recipientAccountId": "111122223333", "eventCategory": "Data",
        "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": f"{bucket}.s3.amazonaws.com"},
    }  # fmt: skip
    return json.dumps(record, separators=(",", ":"))


def _kubernetes(chance: random.Random, count: int) -> str:
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1717200000 + count // 5)) + f".{chance.randrange(10**6):06d}Z"
    name = f"train-{count}-{_hex(chance, 5)}"
    kind = chance.random()
    record = {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "auditID": _hex(chance, 32), "stage": "ResponseComplete",
    } | _request(kind, name) | {
        "sourceIPs": [f"10.2.0.{chance.randrange(1, 250)}"], "userAgent": "kubectl/v1.28.4 (linux/amd64) kubernetes/bae2c62",
        "responseStatus": {"metadata": {}, "code": 200}, "requestReceivedTimestamp": moment, "stageTimestamp": moment,
        "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason":
                        'RBAC: allowed by RoleBinding "ml/ml-batch" of Role "job-editor" to Group "oidc:ml"'},
    }  # fmt: skip
    return json.dumps(record, separators=(",", ":"))


def _request(kind: float, name: str) -> dict[str, object]:
    """Mostly reads by controllers, as in a cluster at work; a fifth jobs, pods on nodes, and ends of jobs."""
    if kind < 0.8:
        return {
            "requestURI": f"/api/v1/namespaces/ml/pods/{name}", "verb": "get",
            "user": {"username": "system:node:gpu-17", "groups": ["system:nodes", "system:authenticated"]},
            "objectRef": {"resource": "pods", "namespace": "ml", "name": name, "apiVersion": "v1"},
        }  # fmt: skip
    if kind < 0.9:
        return {
            "requestURI": f"/api/v1/namespaces/ml/pods/{name}/binding", "verb": "create", "user": {"username": "system:kube-scheduler"},
            "objectRef": {"resource": "pods", "namespace": "ml", "name": name, "apiVersion": "v1", "subresource": "binding"},
            "requestObject": {"kind": "Binding", "apiVersion": "v1", "metadata": {"name": name}, "target": {"kind": "Node", "name": "gpu-17"}},
        }  # fmt: skip
    about = {"resource": "jobs", "namespace": "ml", "name": name, "apiGroup": "batch", "apiVersion": "v1"}
    head: dict[str, object] = {
        "kind": "Job",
        "apiVersion": "batch/v1",
        "metadata": {"name": name, "labels": {"owner": "mei", "team": "rank"}},
    }
    if kind < 0.95:
        container = {"name": "main", "image": "registry.example/train:1", "command": ["python", "train.py"], "args": ["--config", "base.yaml"],
                     "env": [{"name": "GIT_COMMIT", "value": "3f" * 20}], "resources": {"limits": {"nvidia.com/gpu": "8"}}}  # fmt: skip
        return {
            "requestURI": "/apis/batch/v1/namespaces/ml/jobs", "verb": "create", "user": {"username": "oidc:mei@lab.example"}, "objectRef": about,
            "requestObject": head | {"spec": {"parallelism": 1, "template": {"spec": {"containers": [container]}}}},
        }  # fmt: skip
    status = {"startTime": "2024-06-01T10:00:00Z", "completionTime": "2024-06-01T11:00:00Z", "succeeded": 1}
    return {
        "requestURI": f"/apis/batch/v1/namespaces/ml/jobs/{name}/status", "verb": "update",
        "user": {"username": "system:serviceaccount:kube-system:job-controller"}, "objectRef": about | {"subresource": "status"},
        "requestObject": head | {"status": status},
    }  # fmt: skip


KINDS = {"cloudtrail": (_cloudtrail, CLOUDTRAIL), "kubernetes_audit": (_kubernetes, KUBERNETES)}

if __name__ == "__main__":
    main()
