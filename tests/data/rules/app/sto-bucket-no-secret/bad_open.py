import modal

mount = modal.CloudBucketMount("data")  # expect: sto-bucket-no-secret
