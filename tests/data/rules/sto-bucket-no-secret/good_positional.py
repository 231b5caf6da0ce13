import modal

a = modal.CloudBucketMount("data", None, "train/", modal.Secret.from_name("aws"))
