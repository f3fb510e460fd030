"""oss2, the first Python SDK, against the sandbox."""

import base64
import hashlib
import logging
import os
import tempfile

import oss2
import requests

from sandbox import KEYS, KIB, Cases, Sandbox, content, equal

# A part that fails on command is no news.
logging.getLogger("oss2.task_queue").disabled = True
cases, sandbox = Cases("oss2"), Sandbox()
case = cases.case


def auth(version, key_id=None, secret=None):
    kind = oss2.AuthV4 if version == "V4" else oss2.Auth
    return kind(key_id or sandbox.key_id, secret or sandbox.secret)


def bucket(credentials):
    # An address as endpoint: path style.
    return oss2.Bucket(credentials, sandbox.endpoint, sandbox.bucket, region=sandbox.region)


class Connected:
    def __init__(self, version):
        self.version, self.auth = version, auth(version)
        self.bucket = bucket(self.auth)
        self.service = oss2.Service(self.auth, sandbox.endpoint, region=sandbox.region)


def refused(status, code, call):
    try:
        result = call()
    except oss2.exceptions.OssError as error:
        equal((error.status, error.code), (status, code), "the refusal")
        assert error.request_id, "a refusal has a RequestId"
        return error
    raise AssertionError(f"not refused with {code}: {result.status}")


def stored(o, key, data):
    equal(o.bucket.get_object(key).read(), data, f"content of {key}")


def in_parts(o, key, data, size=100 * KIB, headers=None):
    """Initiates and sends; what remains is to complete."""
    upload_id = o.bucket.init_multipart_upload(key, headers=headers).upload_id
    parts = []
    for number, start in enumerate(range(0, len(data), size), 1):
        piece = data[start : start + size]
        result = o.bucket.upload_part(key, upload_id, number, piece)
        equal(result.etag, hashlib.md5(piece).hexdigest().upper(), "ETag of a part")
        parts.append(oss2.models.PartInfo(number, result.etag, size=len(piece), part_crc=result.crc))
    return upload_id, parts


@case("put object, get it, CRC-64 by the SDK")
def _(o, prefix):
    data = content(64 * KIB)
    result = o.bucket.put_object(prefix + "k", data)
    equal((result.status, result.etag), (200, hashlib.md5(data).hexdigest().upper()))
    assert result.crc is not None and result.request_id
    stored(o, prefix + "k", data)


@case("put an empty object")
def _(o, prefix):
    equal(o.bucket.put_object(prefix + "k", b"").crc, 0)
    stored(o, prefix + "k", b"")


for name in KEYS + ["a/../b/./c"]:

    @case(f"key {name}")
    def _(o, prefix, name=name):
        o.bucket.put_object(prefix + name, name.encode())
        stored(o, prefix + name, name.encode())
        assert o.bucket.object_exists(prefix + name)


@case("get a range, and the last bytes")
def _(o, prefix):
    data = content(1000)
    o.bucket.put_object(prefix + "k", data)
    part = o.bucket.get_object(prefix + "k", byte_range=(10, 19))
    equal((part.status, part.read(), part.headers["Content-Range"]), (206, data[10:20], "bytes 10-19/1000"))
    equal(o.bucket.get_object(prefix + "k", byte_range=(None, 7)).read(), data[-7:])
    equal(o.bucket.get_object(prefix + "k", byte_range=(990, None)).read(), data[990:])


@case("head, object meta, and metadata as it was sent")
def _(o, prefix):
    headers = {
        "Content-Type": "text/csv",
        "Cache-Control": "no-cache",
        "Content-Disposition": 'attachment; filename="a b.csv"',
        "Content-Encoding": "identity",
        "x-oss-meta-author": "someone",
        "x-oss-storage-class": "IA",
    }
    o.bucket.put_object(prefix + "k", b"a,b", headers=headers)
    head = o.bucket.head_object(prefix + "k")
    for header, value in headers.items():
        equal(head.headers.get(header), value, header)
    equal((head.content_length, head.object_type), (3, "Normal"))
    assert head.last_modified > 0 and head.etag
    meta = o.bucket.get_object_meta(prefix + "k")
    equal((meta.content_length, meta.etag), (3, head.etag))


@case("Content-MD5 is checked")
def _(o, prefix):
    good = base64.b64encode(hashlib.md5(b"right").digest()).decode()
    equal(o.bucket.put_object(prefix + "k", b"right", headers={"Content-MD5": good}).status, 200)
    refused(400, "InvalidDigest", lambda: o.bucket.put_object(prefix + "k", b"wrong", headers={"Content-MD5": good}))
    stored(o, prefix + "k", b"right")


@case("multipart by hand: three parts, listed in pages, completed")
def _(o, prefix):
    key, data = prefix + "k +%.bin", content(250 * KIB)
    upload_id, parts = in_parts(o, key, data, headers={"x-oss-meta-a": "b", "Content-Type": "text/x-three"})
    listed = list(oss2.PartIterator(o.bucket, key, upload_id, max_parts=2))
    wanted = [(p.part_number, p.etag, p.size) for p in parts]
    equal([(p.part_number, p.etag, p.size) for p in listed], wanted, "the parts")
    result = o.bucket.complete_multipart_upload(key, upload_id, parts)
    etags = "".join(part.etag for part in parts)
    equal(result.etag, hashlib.md5(etags.encode()).hexdigest().upper() + "-3", "ETag of the whole")
    head = o.bucket.head_object(key)
    equal((head.object_type, head.content_type, head.headers["x-oss-meta-a"]), ("Multipart", "text/x-three", "b"))
    stored(o, key, data)


@case("complete with all parts there are")
def _(o, prefix):
    data = content(150 * KIB)
    upload_id, _parts = in_parts(o, prefix + "k", data)
    o.bucket.complete_multipart_upload(prefix + "k", upload_id, None, headers={"x-oss-complete-all": "yes"})
    stored(o, prefix + "k", data)


@case("resumable upload of a file, taken up again after a part has failed")
def _(o, prefix):
    data = content(700 * KIB)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file.bin")
        with open(path, "wb") as file:
            file.write(data)
        store = oss2.ResumableStore(root=folder)
        sizes = {"multipart_threshold": 100 * KIB, "part_size": 200 * KIB, "num_threads": 1}
        upload = lambda: oss2.resumable_upload(o.bucket, prefix + "k", path, store=store, **sizes)
        sandbox.fail_part(prefix + "k", 3)
        refused(500, "InternalError", upload)
        result = upload()
        assert result.etag.endswith("-4"), result.etag
        sandbox.check_resumed(prefix + "k", parts=4, failed=3)
        stored(o, prefix + "k", data)
        copy = os.path.join(folder, "copy.bin")
        oss2.resumable_download(o.bucket, prefix + "k", copy, multiget_threshold=100 * KIB, part_size=150 * KIB)
        with open(copy, "rb") as file:
            equal(file.read(), data, "the downloaded file")


@case("list uploads, abort one")
def _(o, prefix):
    keys = [prefix + "a b", prefix + "c/1", prefix + "c/2"]
    ids = {o.bucket.init_multipart_upload(key).upload_id: key for key in keys}
    found = oss2.MultipartUploadIterator(o.bucket, prefix=prefix, max_uploads=2)
    equal({upload.upload_id: upload.key for upload in found}, ids, "the uploads")
    grouped = o.bucket.list_multipart_uploads(prefix=prefix, delimiter="/")
    equal((len(grouped.upload_list), grouped.prefix_list), (1, [prefix + "c/"]))
    gone = next(iter(ids))
    equal(o.bucket.abort_multipart_upload(ids[gone], gone).status, 204)
    refused(404, "NoSuchUpload", lambda: o.bucket.list_parts(ids[gone], gone))
    refused(404, "NoSuchUpload", lambda: o.bucket.upload_part(ids[gone], gone, 1, b"late"))
    left = oss2.MultipartUploadIterator(o.bucket, prefix=prefix)
    assert gone not in {upload.upload_id for upload in left}


@case("complete refuses a wrong ETag, a wrong order and a part that is too small")
def _(o, prefix):
    upload_id, parts = in_parts(o, prefix + "k", content(150 * KIB))
    wrong = [oss2.models.PartInfo(1, "0" * 32), parts[1]]
    refused(400, "InvalidPart", lambda: o.bucket.complete_multipart_upload(prefix + "k", upload_id, wrong))
    small, parts = in_parts(o, prefix + "s", content(30 * KIB), size=20 * KIB)
    refused(400, "EntityTooSmall", lambda: o.bucket.complete_multipart_upload(prefix + "s", small, parts))


@case("put with callback and variables: the application's answer")
def _(o, prefix):
    callback, variables = sandbox.callback()
    headers = {"x-oss-callback": callback, "x-oss-callback-var": variables}
    result = o.bucket.put_object(prefix + "k &=", b"12345", headers=headers)
    equal((result.status, result.headers["Content-Type"]), (200, "application/json"))
    sandbox.check_answer(result.resp.read(), prefix + "k &=", 5)


@case("complete with callback: the application's answer")
def _(o, prefix):
    data = content(250 * KIB)
    upload_id, parts = in_parts(o, prefix + "k", data)
    body = '{"object":${object},"size":${size},"no":${x:no}}'
    callback, variables = sandbox.callback(body, "application/json")
    headers = {"x-oss-callback": callback, "x-oss-callback-var": variables}
    result = o.bucket.complete_multipart_upload(prefix + "k", upload_id, parts, headers=headers)
    sandbox.check_answer(result.resp.read(), prefix + "k", len(data))


@case("failing callback: oss2 reports a 203 whose body is the error, and the object is stored")
def _(o, prefix):
    callback, variables = sandbox.callback()
    sandbox.fail_callback(prefix + "k", 500)
    headers = {"x-oss-callback": callback, "x-oss-callback-var": variables}
    result = o.bucket.put_object(prefix + "k", b"kept", headers=headers)
    body = result.resp.read().decode()
    equal(result.status, 203)
    assert "<Code>CallbackFailed</Code>" in body and "<EC>0007-00000203</EC>" in body, body
    stored(o, prefix + "k", b"kept")


@case("a callback that is no JSON is refused, and nothing is stored")
def _(o, prefix):
    headers = {"x-oss-callback": base64.b64encode(b"{nope").decode()}
    refused(400, "InvalidArgument", lambda: o.bucket.put_object(prefix + "k", b"x", headers=headers))
    assert not o.bucket.object_exists(prefix + "k")


@case("form upload with policy and callback")
def _(o, prefix):
    key = prefix + "表 k.bin"
    callback, _variables = sandbox.callback()
    fields = sandbox.form(o.version, key, {"callback": callback, "x:no": "1042"})
    answer = sandbox.post(fields, b"form data")
    equal(answer.status_code, 200, answer.text)
    sandbox.check_answer(answer.text, key, 9)
    stored(o, key, b"form data")


def forbidden(answer, code, ec):
    equal(answer.status_code, 403, answer.text)
    assert f"<Code>{code}</Code>" in answer.text and f"<EC>{ec}</EC>" in answer.text, answer.text


@case("form upload that its policy forbids is refused")
def _(o, prefix):
    fields = sandbox.form(o.version, prefix + "k", {}) | {"key": prefix + "other"}
    forbidden(sandbox.post(fields, b"x"), "AccessDenied", "0006-00000227")
    fields = sandbox.form(o.version, prefix + "k", {})
    tampered = "x-oss-signature" if o.version == "V4" else "Signature"
    fields[tampered] = fields[tampered][::-1]
    forbidden(sandbox.post(fields, b"x"), "SignatureDoesNotMatch", "0002-00000705")
    assert not o.bucket.object_exists(prefix + "k") and not o.bucket.object_exists(prefix + "other")


@case("form upload without callback answers 204, 201 on demand")
def _(o, prefix):
    equal(sandbox.post(sandbox.form(o.version, prefix + "k", {}), b"x").status_code, 204)
    fields = sandbox.form(o.version, prefix + "k", {"success_action_status": "201"})
    answer = sandbox.post(fields, b"y")
    equal(answer.status_code, 201)
    assert f"<Key>{prefix}k</Key>" in answer.text and "<PostResponse>" in answer.text, answer.text


@case("presigned put and get")
def _(o, prefix):
    key, data = prefix + "k +%中.bin", content(5000)
    put = o.bucket.sign_url("PUT", key, 60, headers={"Content-Type": "text/plain"})
    equal(requests.put(put, data=data, headers={"Content-Type": "text/plain"}).status_code, 200)
    equal(requests.put(put, data=data, headers={"Content-Type": "text/html"}).status_code, 403)
    equal(o.bucket.put_object_with_url(put, data, headers={"Content-Type": "text/plain"}).status, 200)
    equal(o.bucket.get_object_with_url(o.bucket.sign_url("GET", key, 60)).read(), data)
    slashes = o.bucket.sign_url("GET", key, 60, slash_safe=True)
    equal(requests.get(slashes).content, data)
    equal(requests.get(slashes.replace("Signature=", "Signature=0").replace("-signature=", "-signature=0")).status_code, 403)


@case("presigned put with callback in the query")
def _(o, prefix):
    callback, variables = sandbox.callback()
    params = {"callback": callback, "callback-var": variables}
    answer = requests.put(o.bucket.sign_url("PUT", prefix + "k", 60, params=params), data=b"123")
    equal(answer.status_code, 200, answer.text)
    sandbox.check_answer(answer.text, prefix + "k", 3)


@case("temporary keys (STS): header and presigned")
def _(o, prefix):
    token = sandbox.token()
    version = "v4" if o.version == "V4" else "v1"
    pair = (token["AccessKeyId"], token["AccessKeySecret"], token["SecurityToken"])
    temporary = bucket(oss2.StsAuth(*pair, auth_version=version))
    temporary.put_object(prefix + "k", b"with a token")
    equal(requests.get(temporary.sign_url("GET", prefix + "k", 60)).content, b"with a token")
    wrong = bucket(oss2.StsAuth(*pair[:2], "nonsense", auth_version=version))
    refused(403, "InvalidSecurityToken", lambda: wrong.put_object(prefix + "k", b"x"))


@case("wrong secret: SignatureDoesNotMatch with the StringToSign")
def _(o, prefix):
    wrong = bucket(auth(o.version, secret="not-the-secret"))
    error = refused(403, "SignatureDoesNotMatch", lambda: wrong.put_object(prefix + "k", b"x"))
    assert error.details.get("StringToSign"), error.details
    # A HEAD has no body: the SDK reads the same from a header.
    equal(refused(403, "SignatureDoesNotMatch", lambda: wrong.head_object(prefix + "k")).status, 403)


@case("unknown key id: InvalidAccessKeyId")
def _(o, prefix):
    refused(403, "InvalidAccessKeyId", lambda: bucket(auth(o.version, key_id="nobody")).put_object(prefix + "k", b"x"))


@case("no such key, no such bucket")
def _(o, prefix):
    error = refused(404, "NoSuchKey", lambda: o.bucket.get_object(prefix + "none"))
    equal((type(error).__name__, error.details.get("Key")), ("NoSuchKey", prefix + "none"))
    refused(404, "NoSuchKey", lambda: o.bucket.head_object(prefix + "none"))
    assert not o.bucket.object_exists(prefix + "none")
    other = oss2.Bucket(o.auth, sandbox.endpoint, "no-such-bucket-here", region=sandbox.region)
    refused(404, "NoSuchBucket", lambda: other.put_object("k", b"x"))


@case("forbid overwrite: put, and complete")
def _(o, prefix):
    forbid = {"x-oss-forbid-overwrite": "true"}
    o.bucket.put_object(prefix + "k", b"first", headers=forbid)
    refused(409, "FileAlreadyExists", lambda: o.bucket.put_object(prefix + "k", b"second", headers=forbid))
    upload_id, parts = in_parts(o, prefix + "k", b"third")
    complete = lambda: o.bucket.complete_multipart_upload(prefix + "k", upload_id, parts, headers=forbid)
    refused(409, "FileAlreadyExists", complete)
    stored(o, prefix + "k", b"first")


@case("copy with metadata, and with new metadata onto itself")
def _(o, prefix):
    source = prefix + "源 +%"
    o.bucket.put_object(source, b"copied", headers={"x-oss-meta-a": "1", "Content-Type": "text/x-a"})
    result = o.bucket.copy_object(sandbox.bucket, source, prefix + "copy")
    equal(result.etag, hashlib.md5(b"copied").hexdigest().upper())
    head = o.bucket.head_object(prefix + "copy")
    equal((head.headers["x-oss-meta-a"], head.content_type), ("1", "text/x-a"))
    o.bucket.update_object_meta(prefix + "copy", {"x-oss-meta-b": "2"})
    head = o.bucket.head_object(prefix + "copy")
    equal((head.headers.get("x-oss-meta-a"), head.headers["x-oss-meta-b"]), (None, "2"))
    stored(o, prefix + "copy", b"copied")
    refused(404, "NoSuchKey", lambda: o.bucket.copy_object(sandbox.bucket, prefix + "none", prefix + "copy"))


@case("upload part copy")
def _(o, prefix):
    data = content(300 * KIB)
    o.bucket.put_object(prefix + "source +", data)
    upload_id = o.bucket.init_multipart_upload(prefix + "k").upload_id
    parts = []
    for number, (start, end) in enumerate([(0, 150 * KIB - 1), (150 * KIB, 300 * KIB - 1)], 1):
        part = o.bucket.upload_part_copy(sandbox.bucket, prefix + "source +", (start, end), prefix + "k", upload_id, number)
        equal(part.etag, hashlib.md5(data[start : end + 1]).hexdigest().upper())
        parts.append(oss2.models.PartInfo(number, part.etag, size=end - start + 1, part_crc=part.crc))
    o.bucket.complete_multipart_upload(prefix + "k", upload_id, parts)
    stored(o, prefix + "k", data)


@case("delete, and delete again")
def _(o, prefix):
    o.bucket.put_object(prefix + "k", b"x")
    equal([o.bucket.delete_object(prefix + "k").status for _ in range(2)], [204, 204])
    assert not o.bucket.object_exists(prefix + "k")


@case("delete several")
def _(o, prefix):
    keys = [prefix + name for name in KEYS]
    for key in keys:
        o.bucket.put_object(key, b"x")
    equal(sorted(o.bucket.batch_delete_objects(keys).deleted_keys), sorted(keys), "the deleted")
    equal(o.bucket.list_objects(prefix=prefix).object_list, [])


def fill(o, prefix):
    keys = sorted((prefix + name for name in KEYS + ["d/1", "d/2", "e/1"]), key=str.encode)
    for key in keys:
        o.bucket.put_object(key, b"x")
    return keys


@case("list objects (first version): pages, prefix, delimiter, any name")
def _(o, prefix):
    keys = fill(o, prefix)
    found = list(oss2.ObjectIterator(o.bucket, prefix=prefix, max_keys=3))
    equal([entry.key for entry in found], keys, "the keys")
    equal((found[0].size, found[0].type, found[0].storage_class), (1, "Normal", "Standard"))
    first = o.bucket.list_objects(prefix=prefix, delimiter="/")
    assert {prefix + "d/", prefix + "e/"} <= set(first.prefix_list) and prefix + "d/1" not in first.object_list
    later = o.bucket.list_objects(prefix=prefix + "d/", marker=prefix + "d/1")
    equal([entry.key for entry in later.object_list], [prefix + "d/2"])


@case("list objects (second version): pages, prefix, delimiter, any name")
def _(o, prefix):
    keys = fill(o, prefix)
    found = oss2.ObjectIteratorV2(o.bucket, prefix=prefix, max_keys=3)
    equal([entry.key for entry in found], keys, "the keys")
    after = o.bucket.list_objects_v2(prefix=prefix + "d/", start_after=prefix + "d/1", fetch_owner=True)
    equal([entry.key for entry in after.object_list], [prefix + "d/2"])
    assert after.object_list[0].owner.id
    grouped = [entry for entry in oss2.ObjectIteratorV2(o.bucket, prefix=prefix, delimiter="/", max_keys=2)]
    assert {prefix + "d/", prefix + "e/"} <= {entry.key for entry in grouped if entry.is_prefix()}


@case("list buckets")
def _(o, _prefix):
    assert sandbox.bucket in [entry.name for entry in oss2.BucketIterator(o.service)]
    equal(o.service.list_buckets(prefix="no-such-bucket").buckets, [])


@case("bucket info and location")
def _(o, _prefix):
    info = o.bucket.get_bucket_info()
    equal((info.name, info.location, info.storage_class), (sandbox.bucket, f"oss-{sandbox.region}", "Standard"))
    assert info.extranet_endpoint and info.owner.id and info.acl.grant
    equal(o.bucket.get_bucket_location().location, f"oss-{sandbox.region}")


cases.run(Connected)
