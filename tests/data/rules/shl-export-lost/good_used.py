import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .run_commands(
        "export CXX=g++ && pip install mamba-ssm==2.2.4 --no-build-isolation",
        "cd /src && pip install -e .",
        """
        . /venv/bin/activate
        pip install wheel
        """,
        "echo 'export A=1' >> /root/.bashrc",
    )
    .workdir("/src")
)
app = modal.App("a", image=image)
