import modal

a = modal.CloudBucketMount("data", secret=modal.Secret.from_name("aws"))  # expect: sto-secret-keys
b = modal.CloudBucketMount("data", secret=modal.Secret.from_dict({"AWS_DEFAULT_REGION": "x"}))  # expect: sto-secret-keys
