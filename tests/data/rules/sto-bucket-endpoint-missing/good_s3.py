import modal

a = modal.CloudBucketMount("logs", secret=modal.Secret.from_name("aws-s3-secret"))
b = modal.CloudBucketMount(
    "data", bucket_endpoint_url="https://storage.googleapis.com", secret=modal.Secret.from_name("gcp-hmac")
)
