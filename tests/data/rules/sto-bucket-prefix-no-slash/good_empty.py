import modal

s = modal.Secret.from_name("aws")
a = modal.CloudBucketMount("data", key_prefix="", secret=s)
b = modal.CloudBucketMount("data", key_prefix=None, secret=s)
