import modal

app = modal.App("x")
bucket = modal.CloudBucketMount("d", secret=modal.Secret.from_name("s"))


@app.function(volumes={"/bucket": bucket})
def f():
    import torch

    with open("/bucket/log.txt", "a") as log:  # expect: sto-bucket-write-mode
        log.write("x")
    torch.save({}, "/bucket/m.pt")  # expect: sto-bucket-write-mode
