import modal

app = modal.App("x")
bucket = modal.CloudBucketMount("d", secret=modal.Secret.from_name("s"))


@app.function(volumes={"/bucket": bucket})
def f():
    import torch

    with open("/bucket/log.txt", "a") as log:  # expect: sto-bucket-write-mode
        log.write("x")
    torch.save({}, "/bucket/m.pt")  # expect: sto-bucket-write-mode

# What the rule says of this file:
# 11:10 warning: open(…, 'a') writes to '/bucket/log.txt', below a bucket mount: it takes whole files, front to back
#     why: the write fails with an input/output error in the middle of the run
#     remedy: write it to local disk or a Volume, and copy it to the bucket when it is complete
# 13:5 warning: torch.save() writes to '/bucket/m.pt', below a bucket mount: it takes whole files, front to back
#     why: the write fails with an input/output error in the middle of the run
#     remedy: write it to local disk or a Volume, and copy it to the bucket when it is complete
