import modal

KEYS = load_keys()
a = modal.CloudBucketMount("data", secret=modal.Secret.from_name("aws", required_keys=["AWS_REGION"]))
b = modal.CloudBucketMount("data", secret=modal.Secret.from_name("aws2", required_keys=KEYS))
c = modal.Secret.from_name("wandb")
