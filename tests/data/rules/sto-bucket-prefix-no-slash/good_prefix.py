import os

import modal

s = modal.Secret.from_name("aws")
a = modal.CloudBucketMount("data", key_prefix="train/", secret=s)
b = modal.CloudBucketMount("data", key_prefix=os.environ["PREFIX"], secret=s)
c = modal.CloudBucketMount("data", secret=s)
