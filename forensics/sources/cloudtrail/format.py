"""What a CloudTrail record looks like, and what other tools put around it.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

import msgspec

from forensics.fields import ABSENT


class Issuer(msgspec.Struct, gc=False, rename="camel"):
    """The role or user that temporary credentials come from."""

    user_name: str | None = None
    arn: str | None = None


class SessionAttributes(msgspec.Struct, gc=False, rename="camel"):
    """How the session came about."""

    mfa_authenticated: str | bool | None = None


class SessionContext(msgspec.Struct, gc=False, rename="camel"):
    """The session of temporary credentials."""

    session_issuer: Issuer | None = None
    attributes: SessionAttributes | None = None
    source_identity: str | None = None


class OnBehalfOf(msgspec.Struct, gc=False, rename="camel"):
    """The user of IAM Identity Center for whom a service called."""

    user_id: str | None = None


class Identity(msgspec.Struct, gc=False, rename="camel"):
    """Who called: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html ."""

    type: str | None = None
    principal_id: str | None = None
    arn: str | None = None
    account_id: str | None = None
    access_key_id: str | None = None
    user_name: str | None = None
    invoked_by: str | None = None
    session_context: SessionContext | None = None
    on_behalf_of: OnBehalfOf | None = None


class Call(msgspec.Struct, gc=False, rename="camel"):
    """Fields of every record, in the order in which CloudTrail writes them."""

    user_identity: msgspec.Raw = ABSENT
    event_time: str | None = None
    event_source: str | None = None
    event_name: str | None = None
    source_address: str | None = msgspec.field(name="sourceIPAddress", default=None)
    user_agent: str | None = None
    error_code: str | None = None
    request_id: str | None = msgspec.field(name="requestID", default=None)
    event_id: str | None = msgspec.field(name="eventID", default=None)
    logstash_time: str | None = msgspec.field(name="@timestamp", default=None)
    """Logstash's codec moves eventTime here"""


class Record(Call, gc=False, rename="camel"):
    """Any record; what depends on the call is read later."""

    event_type: str | None = None
    request: msgspec.Raw = msgspec.field(name="requestParameters", default=ABSENT)
    response: msgspec.Raw = msgspec.field(name="responseElements", default=ABSENT)
    more: msgspec.Raw = msgspec.field(name="additionalEventData", default=ABSENT)
    recipient_account_id: str | None = None


class Envelope(msgspec.Struct, gc=False, rename="camel"):
    """What other tools put around a record; and a digest file, which lies beside the log files that it hashes.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
    """

    looked_up: str | None = msgspec.field(name="CloudTrailEvent", default=None)
    """`aws cloudtrail lookup-events`"""
    detail: msgspec.Raw = ABSENT
    """EventBridge"""
    message: str | None = None
    """CloudWatch Logs"""
    digest_end_time: str | None = None
    digest_object: str | None = msgspec.field(name="digestS3Object", default=None)
    previous_digest: str | None = msgspec.field(name="previousDigestHashValue", default=None)


class ObjectRequest(msgspec.Struct, gc=False, rename="camel"):
    """What a call to S3 asked for."""

    bucket_name: str | None = None
    key: str | None = None
    version_id: str | None = None
    copy_source: str | None = msgspec.field(name="x-amz-copy-source", default=None)
    upload_id: str | None = None
    part_number: msgspec.Raw = ABSENT


class ObjectResponse(msgspec.Struct, gc=False):
    """What S3 answered."""

    version: str | None = msgspec.field(name="x-amz-version-id", default=None)


class Moved(msgspec.Struct, gc=False):
    """How many bytes went where."""

    received: int | float | None = msgspec.field(name="bytesTransferredIn", default=None)
    sent: int | float | None = msgspec.field(name="bytesTransferredOut", default=None)


class ObjectRecord(Call, gc=False, rename="camel"):
    """A call to S3; most records are."""

    request: ObjectRequest | None = msgspec.field(name="requestParameters", default=None)
    response: ObjectResponse | None = msgspec.field(name="responseElements", default=None)
    more: Moved | None = msgspec.field(name="additionalEventData", default=None)
    resources: msgspec.Raw = ABSENT


class Request(msgspec.Struct, gc=False, rename="camel"):
    """What a call to STS asked for."""

    role_arn: str | None = None
    role_session_name: str | None = None
    name: str | None = None


class Issued(msgspec.Struct, gc=False, rename="camel"):
    """A key that was handed out."""

    access_key_id: str | None = None
    user_name: str | None = None


class Principal(msgspec.Struct, gc=False):
    """Who the key stands for."""

    arn: str | None = None


class Response(msgspec.Struct, gc=False, rename="camel"):
    """What STS, IAM or the sign-in page answered."""

    credentials: Issued | None = None
    access_key: Issued | None = None
    assumed_role_user: Principal | None = None
    federated_user: Principal | None = None
    console_login: str | None = msgspec.field(name="ConsoleLogin", default=None)


class ImageId(msgspec.Struct, gc=False, rename="camel"):
    """What an image is known by."""

    image_digest: str | None = None
    image_tag: str | None = None


class Image(msgspec.Struct, gc=False, rename="camel"):
    """An image in a repository."""

    repository_name: str | None = None
    image_id: ImageId | None = None


class Pushed(msgspec.Struct, gc=False):
    """What ECR answered to the last step of a push: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImage.html ."""

    image: Image | None = None


class More(msgspec.Struct, gc=False):
    """What the sign-in page adds."""

    mfa_used: str | None = msgspec.field(name="MFAUsed", default=None)


class Resource(msgspec.Struct, gc=False):
    """A thing that a call touched."""

    type: str | None = None
    arn: str | None = msgspec.field(name="ARN", default=None)


OBJECT_RECORD = msgspec.json.Decoder(ObjectRecord)
RECORD = msgspec.json.Decoder(Record)
ENVELOPE = msgspec.json.Decoder(Envelope)
IDENTITY = msgspec.json.Decoder(Identity)
REQUEST = msgspec.json.Decoder(Request)
RESPONSE = msgspec.json.Decoder(Response)
PUSHED = msgspec.json.Decoder(Pushed)
MORE = msgspec.json.Decoder(More)
RESOURCES = msgspec.json.Decoder(list[Resource])
