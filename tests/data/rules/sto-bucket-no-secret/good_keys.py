import modal

a = modal.CloudBucketMount("data", secret=modal.Secret.from_name("aws"))
b = modal.CloudBucketMount("data", oidc_auth_role_arn="arn:aws:iam::1:role/x")
c = modal.CloudBucketMount("data", **options())
