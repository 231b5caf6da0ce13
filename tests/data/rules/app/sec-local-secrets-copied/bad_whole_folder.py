import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .add_local_dir(".", remote_path="/root/project")  # expect: sec-local-secrets-copied
    .add_local_file(".env", "/root/.env")  # expect: sec-local-secrets-copied
    .add_local_dir(local_path="./", remote_path="/root/x", copy=True)  # expect: sec-local-secrets-copied
)
app = modal.App("a", image=image)
