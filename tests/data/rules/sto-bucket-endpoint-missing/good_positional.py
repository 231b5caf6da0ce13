import modal

options = load_options()
gcp = modal.Secret.from_name("gcp-hmac")
a = modal.CloudBucketMount("data", "https://storage.googleapis.com", secret=gcp)
b = modal.CloudBucketMount("data", secret=gcp, **options)
c = modal.CloudBucketMount("s3://data", secret=modal.Secret.from_name("aws"))
d = modal.CloudBucketMount("r2d2", secret=load_secret())
e = modal.CloudBucketMount("data", secret=modal.Secret.from_dict({"AWS_ACCESS_KEY_ID": "x"}))
f = modal.CloudBucketMount("https://data.s3.eu-west-1.amazonaws.com/train", secret=modal.Secret.from_name("aws"))
