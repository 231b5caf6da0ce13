import modal

URL = "https://storage.googleapis.com"
gcp = modal.Secret.from_name("gcp")  # expect: sto-secret-keys
a = modal.CloudBucketMount("data", bucket_endpoint_url=URL, secret=gcp)

# What the rule says of this file:
# 4:20 info: the secret 'gcp' of a bucket names no required_keys
#     why: a key that is missing shows only when the container mounts the bucket
#     remedy: name the keys that the mount reads in required_keys=
