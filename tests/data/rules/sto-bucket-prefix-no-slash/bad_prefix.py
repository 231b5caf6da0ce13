import modal

s = modal.Secret.from_name("aws")
mount = modal.CloudBucketMount(
    "data",
    key_prefix="train",  # expect: sto-bucket-prefix-no-slash
    secret=s,
)

# What the rule says of this file:
# 6:5 error: key_prefix is 'train' and does not end in '/'
#     why: the client raises ValueError when the app is deployed or run
#     remedy: write 'train/'
#     fix (safe):
#         line 6: '"train"' -> '"train/"'
