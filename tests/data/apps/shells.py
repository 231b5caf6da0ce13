import modal

app = modal.App("shells")
image = (
    modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11")
    .run_commands(
        "apt-get update && apt-get install -y git",
        "pip install x>=1.2 y",
        "CC=gcc CXX=g++ /usr/local/bin/pip3 install -v --no-build-isolation 'mamba-ssm>=2.0.0'",
        "export A=1 B=2 && python -m pip install -U causal-conv1d==1.4.0 || true",
        "uv pip install --system \
            --index-url https://download.pytorch.org/whl/cu121 torch==2.2.2",
        "cd /tmp && git clone https://x.example/r.git && pip install -e . -q | tail -1",
    )
    .run_commands(["python3 -m pip install a", "echo pip install b"])
    .run_commands("cat > /root/x <<'EOT'\npip install inside\nEOT\npip install after")
    .dockerfile_commands("FROM x", ["RUN pip install docker-one && \\\n  pip install docker-two", "ENTRYPOINT []"])
)


@app.function(image=image)
def run():
    pass
