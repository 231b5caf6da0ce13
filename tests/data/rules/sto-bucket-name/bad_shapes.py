import modal

s = modal.Secret.from_name("aws")
a = modal.CloudBucketMount("https://data.s3.us-east-1.amazonaws.com/train/v1/", secret=s)  # expect: sto-bucket-name
b = modal.CloudBucketMount("S3://Data//raw", secret=s)  # expect: sto-bucket-name
c = modal.CloudBucketMount("data/", secret=s)  # expect: sto-bucket-name
d = modal.CloudBucketMount("data.s3-eu-west-1.amazonaws.com", secret=s)  # expect: sto-bucket-name
e = modal.CloudBucketMount(bucket_name="ARN:aws:s3:eu-west-1:123:data/a/b", secret=s)  # expect: sto-bucket-name

# What the rule says of this file:
# 4:11 error: bucket_name is 'https://data.s3.us-east-1.amazonaws.com/train/v1/'; wanted the bare name
#     why: there is no bucket of that name; the container stops when it mounts it
#     remedy: write 'data' with key_prefix='train/v1/'
# 5:11 error: bucket_name is 'S3://Data//raw'; wanted the bare name
#     why: there is no bucket of that name; the container stops when it mounts it
#     remedy: write 'Data' with key_prefix='raw/'
# 6:11 error: bucket_name is 'data/'; wanted the bare name
#     why: there is no bucket of that name; the container stops when it mounts it
#     remedy: write 'data'
# 7:11 error: bucket_name is 'data.s3-eu-west-1.amazonaws.com'; wanted the bare name
#     why: there is no bucket of that name; the container stops when it mounts it
#     remedy: write 'data'
# 8:11 error: bucket_name is 'ARN:aws:s3:eu-west-1:123:data/a/b'; wanted the bare name
#     why: there is no bucket of that name; the container stops when it mounts it
#     remedy: write 'data' with key_prefix='a/b/'
