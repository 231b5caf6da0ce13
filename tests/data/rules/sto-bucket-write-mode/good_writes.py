import modal

app = modal.App("x")
bucket = modal.CloudBucketMount("d", secret=modal.Secret.from_name("s"))


@app.function(volumes={"/bucket": bucket})
def f():
    import torch

    open("/bucket/new.txt", "w").write("x")
    open("/bucket2/log.txt", "a").write("x")
    torch.save({}, "/tmp/m.pt")
