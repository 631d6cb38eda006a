"""Kubernetes' audit log: who launched, changed and cancelled which jobs, where their pods ran, when they ended.

`format` owns what a record looks like, and what clouds wrap around it; `workload` what a job asks for; `nodes` what trouble a node is in; `acts` what a record says.
"""

from forensics.model import Tier
from forensics.records import split_json
from forensics.source import Source
from forensics.sources.kubernetes_audit.acts import read

SOURCE = Source(
    name="kubernetes_audit",
    reads="Kubernetes audit log: API server requests; also as AKS, EKS and GKE export it",
    collect=(
        "cp --preserve=timestamps /var/log/kubernetes/audit/audit*.log evidence/k8s/  # on every control plane node (--audit-log-path)",
        "EKS: aws logs filter-log-events --log-group-name /aws/eks/$CLUSTER/cluster --log-stream-name-prefix kube-apiserver-audit",
        "AKS: the storage container insights-logs-kube-audit; GKE: gcloud logging read 'protoPayload.serviceName=\"k8s.io\"' --format=json",
        "collect /etc/kubernetes/audit-policy.yaml too: it says what was never logged",
    ),
    reference="https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/",
    tier=Tier.T3,
    keeps="as long as --audit-log-maxage and --audit-log-maxbackup say, on the control plane's disks",
    split=split_json,
    read=read,
)
