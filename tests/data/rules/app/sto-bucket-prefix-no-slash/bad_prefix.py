import modal

s = modal.Secret.from_name("aws")
mount = modal.CloudBucketMount(
    "data",
    key_prefix="train",  # expect: sto-bucket-prefix-no-slash
    secret=s,
)
