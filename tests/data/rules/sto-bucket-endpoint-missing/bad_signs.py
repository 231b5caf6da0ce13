import os

import modal

aws = modal.Secret.from_name("aws")
keys = modal.Secret.from_name("keys", required_keys=["GOOGLE_ACCESS_KEY_ID", "GOOGLE_ACCESS_KEY_SECRET"])
a = modal.CloudBucketMount("r2-data", secret=aws)  # expect: sto-bucket-endpoint-missing
b = modal.CloudBucketMount("logs-minio", secret=aws)  # expect: sto-bucket-endpoint-missing
c = modal.CloudBucketMount(os.environ["BUCKET"], secret=modal.Secret.from_name("Google keys"))  # expect: sto-bucket-endpoint-missing
d = modal.CloudBucketMount(bucket_name="data", secret=keys)  # expect: sto-bucket-endpoint-missing
e = modal.CloudBucketMount("R2://data", None, secret=aws)  # expect: sto-bucket-endpoint-missing
f = modal.CloudBucketMount("https://data.example.com")  # expect: sto-bucket-endpoint-missing

# What the rule says of this file:
# 7:11 warning: the mount of r2-data has no bucket_endpoint_url, and r2 is not S3
#     why: the mount asks S3 for a bucket of that name
#     remedy: add bucket_endpoint_url="https://<account id>.r2.cloudflarestorage.com"
# 8:11 warning: the mount of logs-minio has no bucket_endpoint_url, and minio is not S3
#     why: the mount asks S3 for a bucket of that name
#     remedy: add bucket_endpoint_url="<address of that store>"
# 9:11 warning: the mount of a bucket has no bucket_endpoint_url, and google is not S3
#     why: the mount asks S3 for a bucket of that name
#     remedy: add bucket_endpoint_url="https://storage.googleapis.com"
# 10:11 warning: the mount of data has no bucket_endpoint_url, and google is not S3
#     why: the mount asks S3 for a bucket of that name
#     remedy: add bucket_endpoint_url="https://storage.googleapis.com"
# 11:11 error: the mount of R2://data has no bucket_endpoint_url, and r2 is not S3
#     why: the mount asks S3 for a bucket of that name
#     remedy: add bucket_endpoint_url="https://<account id>.r2.cloudflarestorage.com" and give the bucket's bare name
# 12:11 error: the mount of https://data.example.com has no bucket_endpoint_url, and that address is not S3
#     why: the mount asks S3 for a bucket of that name
#     remedy: add bucket_endpoint_url="<address of that store>" and give the bucket's bare name
