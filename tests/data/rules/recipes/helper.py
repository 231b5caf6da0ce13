import modal

APT = ("git", "build-essential")
BUILD = ["packaging", "wheel", "setuptools", "ninja"]
WHEELS = "https://github.com/state-spaces/mamba/releases/download/v2.2.4"
MAMBA = f"{WHEELS}/mamba_ssm-2.2.4+cu12torch2.5cxx11abiFALSE-cp311-cp311-linux_x86_64.whl"


def with_torch(base: modal.Image, torch: str = "2.5.1") -> modal.Image:
    return base.uv_pip_install(f"torch=={torch}", "transformers==4.48.3").uv_pip_install(*BUILD)


def training_image() -> modal.Image:
    slim = modal.Image.debian_slim(python_version="3.11").apt_install(*APT)
    image = with_torch(slim)
    image = image.uv_pip_install(
        "https://github.com/Dao-AILab/causal-conv1d/releases/download/v1.5.0.post8/"
        "causal_conv1d-1.5.0.post8+cu12torch2.5cxx11abiFALSE-cp311-cp311-linux_x86_64.whl"
    )
    return image.uv_pip_install(MAMBA)


train_image = training_image()
web_image = modal.Image.debian_slim(python_version="3.12").pip_install("fastapi[standard]==0.115.6")
app = modal.App("helper", image=web_image)
data = modal.CloudBucketMount(
    "eeg-data",
    key_prefix="train/",
    secret=modal.Secret.from_name("aws", required_keys=["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"]),
    read_only=True,
)


@app.function(image=train_image, gpu=["H100", "A100-80GB"], timeout=86_400, volumes={"/data": data})
def train_remote():
    print(open("/data/list.txt").read())


@app.function(min_containers=0, max_containers=2)
@modal.fastapi_endpoint(method="POST")
def web(body: dict):
    return body


@app.local_entrypoint()
def main():
    train_remote.remote()
