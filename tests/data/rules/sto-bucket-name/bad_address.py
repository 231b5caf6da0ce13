import modal

s = modal.Secret.from_name("aws")
a = modal.CloudBucketMount("s3://data/train", secret=s)  # expect: sto-bucket-name
b = modal.CloudBucketMount(bucket_name="arn:aws:s3:::data", secret=s)  # expect: sto-bucket-name

# What the rule says of this file:
# 4:11 error: bucket_name is 's3://data/train'; wanted the bare name
#     why: there is no bucket of that name; the container stops when it mounts it
#     remedy: write 'data' with key_prefix='train/'
# 5:11 error: bucket_name is 'arn:aws:s3:::data'; wanted the bare name
#     why: there is no bucket of that name; the container stops when it mounts it
#     remedy: write 'data'
