"""oss2 as a client of the bench: ENDPOINT BUCKET REGION FOLDER FILES_AT_ONCE PARTS_AT_ONCE PART_SIZE, the keys in the environment."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import oss2

endpoint, name, region, folder = sys.argv[1:5]
files_at_once, parts_at_once, part_size = map(int, sys.argv[5:8])
auth = oss2.AuthV4(os.environ["OSS_ACCESS_KEY_ID"], os.environ["OSS_ACCESS_KEY_SECRET"])
session = oss2.Session(pool_size=max(files_at_once, parts_at_once))
bucket = oss2.Bucket(auth, endpoint, name, region=region, session=session)
above = os.path.dirname(folder)


def put(path):
    key = os.path.relpath(path, above)
    if os.path.getsize(path) <= part_size:
        bucket.put_object_from_file(key, path)
        return
    oss2.resumable_upload(
        bucket,
        key,
        path,
        store=oss2.ResumableStore(root=os.environ["BENCH_SCRATCH"]),
        multipart_threshold=part_size,
        part_size=part_size,
        num_threads=parts_at_once,
    )


paths = [os.path.join(place, file) for place, _, files in os.walk(folder) for file in files]
with ThreadPoolExecutor(files_at_once) as pool:
    for _ in pool.map(put, paths):
        pass
