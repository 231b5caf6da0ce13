import modal

a = modal.CloudBucketMount("data", secret=modal.Secret.from_name("gcp-hmac"))  # expect: sto-bucket-endpoint-missing
b = modal.CloudBucketMount("gs://data", secret=modal.Secret.from_name("x"))  # expect: sto-bucket-endpoint-missing
