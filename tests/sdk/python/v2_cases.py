"""alibabacloud-oss-v2, the second Python SDK, against the sandbox."""

import base64
import datetime
import hashlib
import os
import tempfile

import alibabacloud_oss_v2 as oss
import requests

from sandbox import KEYS, KIB, Cases, Sandbox, content, equal

cases, sandbox = Cases("oss-v2"), Sandbox()
case = cases.case


def client(version, key_id=None, secret=None, token=None, attempts=1):
    pair = (key_id or sandbox.key_id, secret or sandbox.secret)
    config = oss.config.load_default()
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(*pair, token)
    config.region, config.endpoint, config.signature_version = sandbox.region, sandbox.endpoint, version.lower()
    # A refusal is a finding: it must not be hidden by a second attempt that goes well.
    config.retry_max_attempts = attempts
    return oss.Client(config)


class Connected:
    """A client, and requests that know the bucket."""

    def __init__(self, version):
        self.version, self.client = version, client(version)

    def put(self, key, body, **more):
        return self.client.put_object(oss.PutObjectRequest(sandbox.bucket, key, body=body, **more))

    def get(self, key, **more):
        return self.client.get_object(oss.GetObjectRequest(sandbox.bucket, key, **more))

    def head(self, key):
        return self.client.head_object(oss.HeadObjectRequest(sandbox.bucket, key))

    def exists(self, key):
        return self.client.is_object_exist(sandbox.bucket, key)

    def stored(self, key, data):
        equal(self.get(key).body.content, data, f"content of {key}")

    def initiate(self, key, **more):
        request = oss.InitiateMultipartUploadRequest(sandbox.bucket, key, **more)
        return self.client.initiate_multipart_upload(request).upload_id

    def in_parts(self, key, data, size=100 * KIB, **more):
        """Initiates and sends; what remains is to complete."""
        upload_id, parts = self.initiate(key, **more), []
        for number, start in enumerate(range(0, len(data), size), 1):
            piece = data[start : start + size]
            request = oss.UploadPartRequest(sandbox.bucket, key, number, upload_id, body=piece)
            result = self.client.upload_part(request)
            equal(result.etag, quoted(hashlib.md5(piece).hexdigest()), "ETag of a part")
            parts.append(oss.UploadPart(number, result.etag))
        return upload_id, parts

    def complete(self, key, upload_id, parts, **more):
        listed = oss.CompleteMultipartUpload(parts) if parts else None
        request = oss.CompleteMultipartUploadRequest(
            sandbox.bucket, key, upload_id, complete_multipart_upload=listed, **more
        )
        return self.client.complete_multipart_upload(request)


def quoted(digest):
    return f'"{digest.upper()}"'


def refused(status, code, call):
    try:
        call()
    except oss.exceptions.OperationError as error:
        cause = error.unwrap()
        assert isinstance(cause, oss.exceptions.ServiceError), cause
        equal((cause.status_code, cause.code), (status, code), "the refusal")
        assert cause.request_id, "a refusal has a RequestId"
        return cause
    raise AssertionError(f"not refused with {code}")


@case("put object, get it, CRC-64 by the SDK")
def _(o, prefix):
    data = content(64 * KIB)
    result = o.put(prefix + "k", data)
    equal((result.status_code, result.etag), (200, quoted(hashlib.md5(data).hexdigest())))
    assert result.hash_crc64 and result.request_id
    o.stored(prefix + "k", data)


@case("put an empty object")
def _(o, prefix):
    equal(o.put(prefix + "k", b"").hash_crc64, "0")
    o.stored(prefix + "k", b"")


for name in KEYS:

    @case(f"key {name}")
    def _(o, prefix, name=name):
        o.put(prefix + name, name.encode())
        o.stored(prefix + name, name.encode())
        assert o.exists(prefix + name)


@case("dot segments, which its URL library folds away after signing: SignatureDoesNotMatch")
def _(o, prefix):
    refused(403, "SignatureDoesNotMatch", lambda: o.put(prefix + "a/../b", b"x"))
    assert not o.exists(prefix + "b")


@case("get a range")
def _(o, prefix):
    data = content(1000)
    o.put(prefix + "k", data)
    part = o.get(prefix + "k", range_header="bytes=10-19", range_behavior="standard")
    equal((part.status_code, part.body.content, part.content_range), (206, data[10:20], "bytes 10-19/1000"))
    equal(o.get(prefix + "k", range_header="bytes=-7").body.content, data[-7:])


@case("get to a file with CRC-64 by the SDK, and the downloader")
def _(o, prefix):
    data = content(500 * KIB)
    o.put(prefix + "k", data)
    get = oss.GetObjectRequest(sandbox.bucket, prefix + "k")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file.bin")
        for download in (
            # Of n attempts this call makes n - 1.
            lambda: client(o.version, attempts=2).get_object_to_file(get, path),
            lambda: o.client.downloader(part_size=150 * KIB).download_file(get, path),
        ):
            download()
            with open(path, "rb") as file:
                equal(file.read(), data, "the downloaded file")
            os.remove(path)


@case("head, and metadata as it was sent")
def _(o, prefix):
    sent = {
        "content_type": "text/csv",
        "cache_control": "no-cache",
        "content_disposition": 'attachment; filename="a b.csv"',
        "content_encoding": "identity",
        "storage_class": "IA",
    }
    o.put(prefix + "k", b"a,b", metadata={"author": "someone"}, **sent)
    head = o.head(prefix + "k")
    equal({name: getattr(head, name) for name in sent}, sent)
    equal((head.content_length, head.object_type, head.metadata), (3, "Normal", {"author": "someone"}))
    assert head.last_modified and head.hash_crc64
    meta = o.client.get_object_meta(oss.GetObjectMetaRequest(sandbox.bucket, prefix + "k"))
    equal((meta.content_length, meta.etag), (3, head.etag))


@case("Content-MD5 is checked")
def _(o, prefix):
    good = base64.b64encode(hashlib.md5(b"right").digest()).decode()
    o.put(prefix + "k", b"right", content_md5=good)
    refused(400, "InvalidDigest", lambda: o.put(prefix + "k", b"wrong", content_md5=good))
    o.stored(prefix + "k", b"right")


@case("a condition that does not hold")
def _(o, prefix):
    etag = o.put(prefix + "k", b"x").etag
    equal(o.get(prefix + "k", if_match=etag).status_code, 200)
    refused(412, "PreconditionFailed", lambda: o.get(prefix + "k", if_match=quoted("0" * 32)))


@case("multipart by hand: three parts, listed in pages, completed")
def _(o, prefix):
    key, data = prefix + "k +%.bin", content(250 * KIB)
    upload_id, parts = o.in_parts(key, data, metadata={"a": "b"}, content_type="text/x-three")
    paginator = o.client.list_parts_paginator(limit=2)
    pages = list(paginator.iter_page(oss.ListPartsRequest(sandbox.bucket, key, upload_id)))
    listed = [(part.part_number, part.etag) for page in pages for part in page.parts]
    equal((len(pages), listed), (2, [(part.part_number, part.etag) for part in parts]), "the parts")
    result = o.complete(key, upload_id, parts)
    etags = "".join(part.etag.strip('"') for part in parts)
    equal((result.key, result.etag), (key, quoted(hashlib.md5(etags.encode()).hexdigest() + "-3")))
    head = o.head(key)
    equal((head.object_type, head.content_type, head.metadata), ("Multipart", "text/x-three", {"a": "b"}))
    o.stored(key, data)


@case("complete with all parts there are")
def _(o, prefix):
    data = content(150 * KIB)
    upload_id, _parts = o.in_parts(prefix + "k", data)
    o.complete(prefix + "k", upload_id, None, complete_all="yes")
    o.stored(prefix + "k", data)


@case("uploader: a file in parts, taken up again from its checkpoint after a part has failed")
def _(o, prefix):
    data = content(700 * KIB)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file.bin")
        with open(path, "wb") as file:
            file.write(data)
        uploader = o.client.uploader(
            part_size=200 * KIB, parallel_num=1, enable_checkpoint=True, checkpoint_dir=folder
        )
        upload = lambda: uploader.upload_file(oss.PutObjectRequest(sandbox.bucket, prefix + "k"), path)
        sandbox.fail_part(prefix + "k", 3)
        try:
            upload()
        except oss.UploadError as error:
            assert "InternalError" in str(error), error
        else:
            raise AssertionError("the part that fails was not told")
        result = upload()
        sandbox.check_resumed(prefix + "k", parts=4, failed=3)
        assert result.etag.strip('"').endswith("-4"), result.etag
    o.stored(prefix + "k", data)


@case("list uploads, abort one")
def _(o, prefix):
    keys = [prefix + "a b", prefix + "c/1", prefix + "c/2"]
    ids = {o.initiate(key): key for key in keys}
    request = oss.ListMultipartUploadsRequest(sandbox.bucket, prefix=prefix, encoding_type="url")
    listed = lambda: {
        upload.upload_id: upload.key
        for page in o.client.list_multipart_uploads_paginator(limit=2).iter_page(request)
        for upload in page.uploads or []
    }
    equal(listed(), ids, "the uploads")
    gone, key = next(iter(ids.items()))
    o.client.abort_multipart_upload(oss.AbortMultipartUploadRequest(sandbox.bucket, key, gone))
    late = oss.UploadPartRequest(sandbox.bucket, key, 1, gone, body=b"late")
    refused(404, "NoSuchUpload", lambda: o.client.upload_part(late))
    refused(404, "NoSuchUpload", lambda: o.client.list_parts(oss.ListPartsRequest(sandbox.bucket, key, gone)))
    assert gone not in listed()


@case("complete refuses a wrong ETag and a part that is too small")
def _(o, prefix):
    upload_id, parts = o.in_parts(prefix + "k", content(150 * KIB))
    wrong = [oss.UploadPart(1, quoted("0" * 32)), parts[1]]
    refused(400, "InvalidPart", lambda: o.complete(prefix + "k", upload_id, wrong))
    small, parts = o.in_parts(prefix + "s", content(30 * KIB), size=20 * KIB)
    refused(400, "EntityTooSmall", lambda: o.complete(prefix + "s", small, parts))


@case("put with callback and variables: the application's answer")
def _(o, prefix):
    callback, variables = sandbox.callback()
    result = o.put(prefix + "k &=", b"12345", callback=callback, callback_var=variables)
    sandbox.check_answer(result.callback_result, prefix + "k &=", 5)


@case("complete with callback: the application's answer")
def _(o, prefix):
    data = content(250 * KIB)
    upload_id, parts = o.in_parts(prefix + "k", data)
    body = '{"object":${object},"size":${size},"no":${x:no}}'
    callback, variables = sandbox.callback(body, "application/json")
    result = o.complete(prefix + "k", upload_id, parts, callback=callback, callback_var=variables)
    sandbox.check_answer(result.callback_result, prefix + "k", len(data))


@case("failing callback: this SDK reports a 203 whose body is the error, and the object is stored")
def _(o, prefix):
    callback, variables = sandbox.callback()
    sandbox.fail_callback(prefix + "k", 500)
    result = o.put(prefix + "k", b"kept", callback=callback, callback_var=variables)
    equal(result.status_code, 203)
    body = result.callback_result
    assert "<Code>CallbackFailed</Code>" in body and "<EC>0007-00000203</EC>" in body, body
    o.stored(prefix + "k", b"kept")


@case("a callback that is no JSON is refused, and nothing is stored")
def _(o, prefix):
    broken = base64.b64encode(b"{nope").decode()
    refused(400, "InvalidArgument", lambda: o.put(prefix + "k", b"x", callback=broken))
    assert not o.exists(prefix + "k")


@case("form upload with policy and callback, as in its sample", "V4")
def _(o, prefix):
    callback, _variables = sandbox.callback()
    answer = sandbox.post(sandbox.form("V4", prefix + "k", {"callback": callback, "x:no": "1042"}), b"form data")
    equal(answer.status_code, 200, answer.text)
    sandbox.check_answer(answer.text, prefix + "k", 9)
    o.stored(prefix + "k", b"form data")


@case("presigned put, get and head")
def _(o, prefix):
    key, data = prefix + "k +%中.bin", content(5000)
    signed = lambda request: o.client.presign(request, expires=datetime.timedelta(seconds=60))
    put = signed(oss.PutObjectRequest(sandbox.bucket, key, content_type="text/plain", metadata={"a": "b"}))
    equal(requests.put(put.url, data=data, headers=put.signed_headers).status_code, 200)
    equal(requests.put(put.url, data=data, headers=put.signed_headers | {"Content-Type": "text/html"}).status_code, 403)
    equal(requests.get(signed(oss.GetObjectRequest(sandbox.bucket, key)).url).content, data)
    head = requests.head(signed(oss.HeadObjectRequest(sandbox.bucket, key)).url)
    equal((head.status_code, head.headers["x-oss-meta-a"]), (200, "b"))


@case("presigned multipart")
def _(o, prefix):
    key, signed = prefix + "k", lambda request: o.client.presign(request, expires=datetime.timedelta(seconds=60))
    started = signed(oss.InitiateMultipartUploadRequest(sandbox.bucket, key))
    answer = requests.post(started.url, headers=started.signed_headers)
    equal(answer.status_code, 200, answer.text)
    upload_id = answer.text.split("<UploadId>")[1].split("</UploadId>")[0]
    part = signed(oss.UploadPartRequest(sandbox.bucket, key, 1, upload_id))
    equal(requests.put(part.url, data=b"one part", headers=part.signed_headers).status_code, 200)
    done = signed(oss.CompleteMultipartUploadRequest(sandbox.bucket, key, upload_id, complete_all="yes"))
    answer = requests.post(done.url, headers=done.signed_headers)
    equal(answer.status_code, 200, answer.text)
    o.stored(key, b"one part")


@case("temporary keys (STS)", "V4")
def _(o, prefix):
    token = sandbox.token()
    pair = (token["AccessKeyId"], token["AccessKeySecret"])
    put = oss.PutObjectRequest(sandbox.bucket, prefix + "k", body=b"with a token")
    client(o.version, *pair, token["SecurityToken"]).put_object(put)
    o.stored(prefix + "k", b"with a token")
    refused(403, "InvalidSecurityToken", lambda: client(o.version, *pair, "nonsense").put_object(put))


@case("temporary keys (STS), whose token it sends in a header that no page of OSS knows: InvalidAccessKeyId", "V1")
def _(o, prefix):
    token = sandbox.token()
    temporary = client(o.version, token["AccessKeyId"], token["AccessKeySecret"], token["SecurityToken"])
    put = oss.PutObjectRequest(sandbox.bucket, prefix + "k", body=b"x")
    equal(refused(403, "InvalidAccessKeyId", lambda: temporary.put_object(put)).ec, "0002-00000003")


@case("wrong secret: SignatureDoesNotMatch with the StringToSign")
def _(o, prefix):
    wrong = client(o.version, secret="not-the-secret")
    put = oss.PutObjectRequest(sandbox.bucket, prefix + "k", body=b"x")
    error = refused(403, "SignatureDoesNotMatch", lambda: wrong.put_object(put))
    assert error.error_fileds.get("StringToSign"), error.error_fileds
    # A HEAD has no body: the SDK reads the same from a header.
    head = oss.HeadObjectRequest(sandbox.bucket, prefix + "k")
    refused(403, "SignatureDoesNotMatch", lambda: wrong.head_object(head))


@case("unknown key id: InvalidAccessKeyId")
def _(o, prefix):
    put = oss.PutObjectRequest(sandbox.bucket, prefix + "k", body=b"x")
    refused(403, "InvalidAccessKeyId", lambda: client(o.version, key_id="nobody").put_object(put))


@case("no such key, no such bucket")
def _(o, prefix):
    equal(refused(404, "NoSuchKey", lambda: o.get(prefix + "none")).ec, "0026-00000001")
    refused(404, "NoSuchKey", lambda: o.head(prefix + "none"))
    assert not o.exists(prefix + "none")
    put = oss.PutObjectRequest("no-such-bucket-here", "k", body=b"x")
    refused(404, "NoSuchBucket", lambda: o.client.put_object(put))
    assert o.client.is_bucket_exist(sandbox.bucket) and not o.client.is_bucket_exist("no-such-bucket-here")


@case("forbid overwrite: put, and complete")
def _(o, prefix):
    o.put(prefix + "k", b"first", forbid_overwrite=True)
    refused(409, "FileAlreadyExists", lambda: o.put(prefix + "k", b"second", forbid_overwrite=True))
    upload_id, parts = o.in_parts(prefix + "k", b"third")
    refused(409, "FileAlreadyExists", lambda: o.complete(prefix + "k", upload_id, parts, forbid_overwrite=True))
    o.stored(prefix + "k", b"first")


@case("copy with metadata, with new metadata, and the copier")
def _(o, prefix):
    source, data = prefix + "源 +%", content(400 * KIB)
    o.put(source, data, metadata={"a": "1"}, content_type="text/x-a")
    copy = lambda key, **more: oss.CopyObjectRequest(
        sandbox.bucket, prefix + key, source_bucket=sandbox.bucket, source_key=source, **more
    )
    equal(o.client.copy_object(copy("copy")).etag, quoted(hashlib.md5(data).hexdigest()))
    head = o.head(prefix + "copy")
    equal((head.metadata, head.content_type), ({"a": "1"}, "text/x-a"))
    o.client.copy_object(copy("other", metadata_directive="REPLACE", metadata={"b": "2"}))
    equal(o.head(prefix + "other").metadata, {"b": "2"})
    o.client.copier(part_size=150 * KIB, multipart_copy_threshold=100 * KIB).copy(copy("parts"))
    for key in ("copy", "other", "parts"):
        o.stored(prefix + key, data)


@case("upload part copy")
def _(o, prefix):
    data = content(300 * KIB)
    o.put(prefix + "source +", data)
    upload_id, parts = o.initiate(prefix + "k"), []
    for number, (start, end) in enumerate([(0, 150 * KIB - 1), (150 * KIB, 300 * KIB - 1)], 1):
        part = o.client.upload_part_copy(
            oss.UploadPartCopyRequest(
                sandbox.bucket,
                prefix + "k",
                number,
                upload_id,
                source_bucket=sandbox.bucket,
                source_key=prefix + "source +",
                source_range=f"bytes={start}-{end}",
            )
        )
        equal(part.etag, quoted(hashlib.md5(data[start : end + 1]).hexdigest()))
        parts.append(oss.UploadPart(number, part.etag))
    o.complete(prefix + "k", upload_id, parts)
    o.stored(prefix + "k", data)


@case("delete, and delete again")
def _(o, prefix):
    o.put(prefix + "k", b"x")
    request = oss.DeleteObjectRequest(sandbox.bucket, prefix + "k")
    equal([o.client.delete_object(request).status_code for _ in range(2)], [204, 204])
    assert not o.exists(prefix + "k")


@case("delete several, told and quiet")
def _(o, prefix):
    keys = [prefix + name for name in KEYS]
    request = lambda **more: oss.DeleteMultipleObjectsRequest(
        sandbox.bucket, objects=[oss.DeleteObject(key) for key in keys], **more
    )
    for more in ({"encoding_type": "url"}, {"quiet": True}):
        for key in keys:
            o.put(key, b"x")
        deleted = o.client.delete_multiple_objects(request(**more)).deleted_objects or []
        equal(sorted(entry.key for entry in deleted), [] if "quiet" in more else sorted(keys), "the deleted")
        assert not o.exists(keys[0]) and not o.exists(keys[-1])


def fill(o, prefix):
    keys = sorted((prefix + name for name in KEYS + ["d/1", "d/2", "e/1"]), key=str.encode)
    for key in keys:
        o.put(key, b"x")
    return keys


@case("list objects (first version): pages, prefix, delimiter, any name")
def _(o, prefix):
    keys = fill(o, prefix)
    request = oss.ListObjectsRequest(sandbox.bucket, prefix=prefix, encoding_type="url")
    pages = list(o.client.list_objects_paginator(limit=3).iter_page(request))
    found = [entry for page in pages for entry in page.contents]
    equal([entry.key for entry in found], keys, "the keys")
    equal((found[0].size, found[0].object_type, found[0].storage_class), (1, "Normal", "Standard"))
    grouped = o.client.list_objects(oss.ListObjectsRequest(sandbox.bucket, prefix=prefix, delimiter="/"))
    assert {prefix + "d/", prefix + "e/"} <= {entry.prefix for entry in grouped.common_prefixes}


@case("list objects (second version): pages, prefix, delimiter, any name")
def _(o, prefix):
    keys = fill(o, prefix)
    request = oss.ListObjectsV2Request(sandbox.bucket, prefix=prefix, encoding_type="url", fetch_owner=True)
    pages = list(o.client.list_objects_v2_paginator(limit=3).iter_page(request))
    found = [entry for page in pages for entry in page.contents]
    equal([entry.key for entry in found], keys, "the keys")
    equal(sum(page.key_count for page in pages), len(keys))
    assert found[0].owner.id
    after = oss.ListObjectsV2Request(sandbox.bucket, prefix=prefix + "d/", start_after=prefix + "d/1")
    equal([entry.key for entry in o.client.list_objects_v2(after).contents], [prefix + "d/2"])


@case("list buckets")
def _(o, _prefix):
    pages = o.client.list_buckets_paginator(limit=1).iter_page(oss.ListBucketsRequest())
    found = {entry.name: entry for page in pages for entry in page.buckets}
    equal((found[sandbox.bucket].location, found[sandbox.bucket].region), (f"oss-{sandbox.region}", sandbox.region))


@case("bucket info and location")
def _(o, _prefix):
    info = o.client.get_bucket_info(oss.GetBucketInfoRequest(sandbox.bucket)).bucket_info
    equal((info.name, info.location, info.storage_class), (sandbox.bucket, f"oss-{sandbox.region}", "Standard"))
    assert info.extranet_endpoint and info.creation_date and info.owner.id
    location = o.client.get_bucket_location(oss.GetBucketLocationRequest(sandbox.bucket)).location
    equal(location, f"oss-{sandbox.region}")


cases.run(Connected)
