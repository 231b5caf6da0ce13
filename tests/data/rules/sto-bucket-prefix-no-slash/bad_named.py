import modal

s = modal.Secret.from_name("aws")
PREFIX = "train"
a = modal.CloudBucketMount(
    "data",
    key_prefix=PREFIX,  # expect: sto-bucket-prefix-no-slash
    secret=s,
)
b = modal.CloudBucketMount("data", key_prefix='a/b', secret=s)  # expect: sto-bucket-prefix-no-slash

# What the rule says of this file:
# 7:5 error: key_prefix is 'train' and does not end in '/'
#     why: the client raises ValueError when the app is deployed or run
#     remedy: write 'train/'
# 10:36 error: key_prefix is 'a/b' and does not end in '/'
#     why: the client raises ValueError when the app is deployed or run
#     remedy: write 'a/b/'
#     fix (safe):
#         line 10: "'a/b'" -> "'a/b/'"
