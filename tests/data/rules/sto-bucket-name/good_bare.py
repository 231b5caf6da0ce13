import modal

s = modal.Secret.from_name("aws")
a = modal.CloudBucketMount("my-data.v2", secret=s)
