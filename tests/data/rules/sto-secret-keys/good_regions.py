import modal

options = load_options()
both = modal.Secret.from_dict({"AWS_DEFAULT_REGION": "x", "AWS_REGION": "x"})
a = modal.CloudBucketMount("data", secret=both)
b = modal.CloudBucketMount("data", secret=modal.Secret.from_name("aws", **options))
c = modal.CloudBucketMount("data", secret=modal.Secret.from_dict({"AWS_REGION": "x"}))
