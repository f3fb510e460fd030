"""What the cases of both Python SDKs share: the running sandbox, the list of cases, forms as Alibaba's samples make them."""

import base64
import datetime
import hashlib
import hmac
import json
import os
import sys
import threading
import traceback

import requests

KIB = 1024
# Seconds that one case may take. A sandbox that hangs must not hang the run.
DEADLINE = 60
# Names that a client, a URL library or a server may change on their way.
KEYS = ["plain.txt", "中文/文件 名.txt", "a+b.txt", "100%25 %.txt", "a b/c  d", "q?x=1&y#z", "!'()*~-_.@$,;:=", "\U0001f4e6.bin"]


def content(size, seed=b"waybill"):
    """Bytes that no part repeats: SHA-256 in counter mode."""
    blocks = (hashlib.sha256(seed + i.to_bytes(8, "big")).digest() for i in range(-(-size // 32)))
    return b"".join(blocks)[:size]


def equal(found, wanted, what="value"):
    assert found == wanted, f"{what}: {short(found)} instead of {short(wanted)}"


def short(value):
    text = repr(value)
    return text if len(text) < 300 else text[:300] + "…"


class Sandbox:
    """The sandbox that xtask started: its ready line is in the environment, where no other user can read the secret."""

    def __init__(self):
        info = json.loads(os.environ["WAYBILL_SANDBOX"])
        self.endpoint, self.region, self.bucket = info["endpoint"], info["region"], info["bucket"]
        self.key_id, self.secret = info["accessKeyId"], info["accessKeySecret"]
        self.callback_url = info["callbackUrl"]

    def fail_callback(self, key, status):
        """Lets the receiver answer the callback for this key with a status."""
        self._fault({"operation": "Callback", "key": key, "fault": {"kind": "callbackStatus", "status": status}})

    def fail_part(self, key, number):
        """Answers the next try at this part with an error, and does nothing with it."""
        fault = {"kind": "status", "status": 500, "code": "InternalError"}
        self._fault({"operation": "UploadPart", "key": key, "partNumber": number, "fault": fault})

    def _fault(self, fault):
        requests.post(self.endpoint + "/_sandbox/faults", json=fault, timeout=DEADLINE).raise_for_status()

    def check_resumed(self, key, parts, failed):
        """The upload was begun once, and each part was stored once: what had been sent was not sent again."""
        log = requests.get(self.endpoint + "/_sandbox/log", timeout=DEADLINE).json()
        own = [entry for entry in log if entry["key"] == key]
        asked = lambda operation: [entry for entry in own if entry["operation"] == operation]
        equal(len(asked("InitiateMultipartUpload")), 1, "uploads begun")
        sent = [(entry["partNumber"], entry["status"]) for entry in asked("UploadPart")]
        wanted = [(n, 200) for n in range(1, failed)] + [(failed, 500)] + [(n, 200) for n in range(failed, parts + 1)]
        equal(sent, wanted, "the parts sent")

    def token(self):
        """A temporary key pair of an hour, in the form of a credentials URI."""
        answer = requests.get(self.endpoint + "/_sandbox/tokens", timeout=DEADLINE)
        answer.raise_for_status()
        return answer.json()

    def callback(self, body="object=${object}&size=${size}&etag=${etag}&no=${x:no}", kind=None):
        """The two callback values, Base64 of JSON."""
        callback = {"callbackUrl": self.callback_url, "callbackBody": body}
        if kind:
            callback["callbackBodyType"] = kind
        return base64_json(callback), base64_json({"x:no": "1042"})

    def check_answer(self, body, key, size):
        """The receiver sends back what it got: the proof that OSS's variables and ours went through."""
        answer = json.loads(body) if isinstance(body, (bytes, str)) else body
        equal(answer["Status"], "OK", "the application's answer")
        received = answer["received"]
        equal((received["object"], str(received["size"]), received["no"]), (key, str(size), "1042"), "what was received")

    def form(self, version, key, extra):
        """Fields of a form upload, signed as in Alibaba's samples (`post_object.py`, `post_object_callback.py`)."""
        now = datetime.datetime.now(datetime.timezone.utc)
        expires = (now + datetime.timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        conditions = [{"bucket": self.bucket}, ["eq", "$key", key], ["content-length-range", 1, 10 * KIB * KIB]]
        fields = {"key": key}
        if version == "V4":
            day = now.strftime("%Y%m%d")
            fields |= {
                "x-oss-signature-version": "OSS4-HMAC-SHA256",
                "x-oss-credential": f"{self.key_id}/{day}/{self.region}/oss/aliyun_v4_request",
                "x-oss-date": now.strftime("%Y%m%dT%H%M%SZ"),
            }
            conditions += [{name: value} for name, value in fields.items() if name.startswith("x-oss-")]
        policy = base64_json({"expiration": expires, "conditions": conditions})
        fields |= {"policy": policy} | extra
        if version == "V1":
            signature = base64.b64encode(hmac.new(self.secret.encode(), policy.encode(), hashlib.sha1).digest()).decode()
            return fields | {"OSSAccessKeyId": self.key_id, "Signature": signature}
        signing_key = ("aliyun_v4" + self.secret).encode()
        for part in (day, self.region, "oss", "aliyun_v4_request"):
            signing_key = hmac.new(signing_key, part.encode(), hashlib.sha256).digest()
        return fields | {"x-oss-signature": hmac.new(signing_key, policy.encode(), hashlib.sha256).hexdigest()}

    def post(self, fields, body):
        return requests.post(f"{self.endpoint}/{self.bucket}/", data=fields, files={"file": ("file.bin", body)})


def base64_json(value):
    return base64.b64encode(json.dumps(value).encode()).decode()


class Cases:
    """One line for each case and signature version; the closing line is the one that xtask counts."""

    def __init__(self, sdk):
        self.sdk, self.cases = sdk, []

    def case(self, name, *versions):
        def keep(function):
            self.cases.extend((name, version, function) for version in versions or ("V1", "V4"))
            return function

        return keep

    def run(self, connect):
        """Runs all with what `connect(version)` gives; the exit status says whether all went well."""
        failed = 0
        for number, (name, version, function) in enumerate(self.cases):
            line = f"{self.sdk} · {name} · {version}"
            try:
                within(DEADLINE, lambda: function(connect(version), f"{self.sdk}/{version}/{number}/"))
                print(f"ok  {line}", flush=True)
            except Hanging:
                failed += len(self.cases) - number
                print(f"FAILED  {line}: no end after {DEADLINE} s; the cases after it are not run", flush=True)
                break
            except Exception as error:  # Whatever an SDK throws is a finding, and the other cases still run.
                failed += 1
                where = traceback.extract_tb(error.__traceback__)
                ours = next((frame for frame in reversed(where) if "_cases" in frame.filename), where[-1])
                print(f"FAILED  {line}: line {ours.lineno}: {type(error).__name__}: {short(str(error))}", flush=True)
        passed = len(self.cases) - failed
        print(f"test result: {'FAILED' if failed else 'ok'}. {passed} passed; {failed} failed", flush=True)
        sys.stdout.flush()
        # Not sys.exit, which would wait for the threads of an SDK that hangs.
        os._exit(1 if failed else 0)


class Hanging(Exception):
    """A case that did not end in its time."""


def within(seconds, run):
    """Runs it on a thread of its own, since nothing ends a call that waits for a server."""
    thrown = []

    def keep():
        try:
            run()
        except BaseException as error:  # It is thrown again where somebody hears it.
            thrown.append(error)

    thread = threading.Thread(target=keep, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise Hanging
    if thrown:
        raise thrown[0]
