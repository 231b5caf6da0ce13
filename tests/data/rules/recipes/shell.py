import modal

app = modal.App("shell")
image = (
    modal.Image.from_registry(
        "nvidia/cuda:12.1.1-devel-ubuntu22.04",
        add_python="3.11",
    )
    .run_commands(
        "apt-get update && apt-get install -y git clang ninja-build",
        "pip install torch==2.2.2 torchvision==0.17.2 'numpy<2' --index-url https://download.pytorch.org/whl/cu121",
        "pip install packaging wheel setuptools 'transformers<5'",
        "CC=gcc CXX=g++ pip install -v --no-build-isolation causal-conv1d==1.4.0 && CC=gcc CXX=g++ pip install "
        "--no-build-isolation mamba-ssm==2.2.2",
        "git clone https://github.com/owner/project /project && git -C /project checkout 4f10e96c",
    )
    .run_commands("cd /project && pip install -e . --no-deps")
)


@app.cls(
    image=image,
    gpu="A100",
    timeout=3600,
    scaledown_window=300,
)
@modal.concurrent(max_inputs=4)
class Model:
    @modal.enter()
    def load(self):
        import torch

        self.net = torch.load("/project/net.pt").cuda()

    @modal.method()
    def predict(self, x):
        return self.net(x)
