import modal

a = modal.CloudBucketMount("data", secret=modal.Secret.from_name("gcp-hmac"))  # expect: sto-bucket-endpoint-missing
b = modal.CloudBucketMount("gs://data", secret=modal.Secret.from_name("x"))  # expect: sto-bucket-endpoint-missing

# What the rule says of this file:
# 3:11 warning: the mount of data has no bucket_endpoint_url, and gcp is not S3
#     why: the mount asks S3 for a bucket of that name
#     remedy: add bucket_endpoint_url="https://storage.googleapis.com"
# 4:11 error: the mount of gs://data has no bucket_endpoint_url, and gs is not S3
#     why: the mount asks S3 for a bucket of that name
#     remedy: add bucket_endpoint_url="https://storage.googleapis.com" and give the bucket's bare name
