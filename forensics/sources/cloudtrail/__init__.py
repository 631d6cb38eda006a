"""AWS CloudTrail: who called which API with which key, from where; S3 reads, writes and deletions object by object.

`format` owns what a record looks like; `identity` who called; `acts` what a record says.
"""

from forensics.model import Tier
from forensics.records import split_json
from forensics.source import Source
from forensics.sources.cloudtrail.acts import read

SOURCE = Source(
    name="cloudtrail",
    reads="AWS CloudTrail: API calls and S3 data events",
    collect=(
        "aws s3 sync s3://$TRAIL_BUCKET/AWSLogs/ evidence/cloudtrail/AWSLogs/",
        "aws cloudtrail validate-logs --trail-arn $TRAIL --start-time $FROM  # keep its output, and the CloudTrail-Digest folder",
        "object reads and writes are in it only where the trail records S3 data events",
    ),
    reference="https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html",
    tier=Tier.T4,
    keeps="the trail's bucket keeps them as long as its lifecycle says; the console's event history 90 days, without data events",
    split=split_json,
    read=read,
)
