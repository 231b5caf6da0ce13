import modal

s = modal.Secret.from_name("aws")
a = modal.CloudBucketMount("s3://data/train", secret=s)  # expect: sto-bucket-name
b = modal.CloudBucketMount(bucket_name="arn:aws:s3:::data", secret=s)  # expect: sto-bucket-name
