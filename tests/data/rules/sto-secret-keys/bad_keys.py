import modal

a = modal.CloudBucketMount("data", secret=modal.Secret.from_name("aws"))  # expect: sto-secret-keys
b = modal.CloudBucketMount("data", secret=modal.Secret.from_dict({"AWS_DEFAULT_REGION": "x"}))  # expect: sto-secret-keys

# What the rule says of this file:
# 3:56 info: the secret 'aws' of a bucket names no required_keys
#     why: a key that is missing shows only when the container mounts the bucket
#     remedy: add required_keys=["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"]
# 4:56 info: a bucket's secret holds AWS_DEFAULT_REGION; the mount reads AWS_REGION
#     why: the region is then guessed, and the mount fails where the guess is wrong
#     remedy: name the key AWS_REGION, or give both
