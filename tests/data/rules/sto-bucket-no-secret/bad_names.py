import os

import modal

a = modal.CloudBucketMount(bucket_name="data", secret=None)  # expect: sto-bucket-no-secret
b = modal.CloudBucketMount(os.environ["BUCKET"], read_only=True)  # expect: sto-bucket-no-secret
c = modal.CloudBucketMount("data", None, "train/", oidc_auth_role_arn=None)  # expect: sto-bucket-no-secret

# What the rule says of this file:
# 5:11 warning: the mount of data has neither secret= nor oidc_auth_role_arn=
#     why: a private bucket answers 403 when the container starts, after the image build
#     remedy: give secret=modal.Secret.from_name(…) with the bucket's keys; leave it out only for a public bucket
# 6:11 warning: the mount of a bucket has neither secret= nor oidc_auth_role_arn=
#     why: a private bucket answers 403 when the container starts, after the image build
#     remedy: give secret=modal.Secret.from_name(…) with the bucket's keys; leave it out only for a public bucket
# 7:11 warning: the mount of data has neither secret= nor oidc_auth_role_arn=
#     why: a private bucket answers 403 when the container starts, after the image build
#     remedy: give secret=modal.Secret.from_name(…) with the bucket's keys; leave it out only for a public bucket
