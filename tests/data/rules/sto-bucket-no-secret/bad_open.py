import modal

mount = modal.CloudBucketMount("data")  # expect: sto-bucket-no-secret

# What the rule says of this file:
# 3:15 warning: the mount of data has neither secret= nor oidc_auth_role_arn=
#     why: a private bucket answers 403 when the container starts, after the image build
#     remedy: give secret=modal.Secret.from_name(…) with the bucket's keys; leave it out only for a public bucket
