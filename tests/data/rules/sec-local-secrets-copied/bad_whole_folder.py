import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .add_local_dir(".", remote_path="/root/project")  # expect: sec-local-secrets-copied
    .add_local_file(".env", "/root/.env")  # expect: sec-local-secrets-copied
    .add_local_dir(local_path="./", remote_path="/root/x", copy=True)  # expect: sec-local-secrets-copied
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 5:6 warning: add_local_dir('.') takes everything in the folder, .env and .git too
#     why: keys of this machine reach the container, or the image
#     remedy: add ignore=[".env", ".git", ".venv"], or name the folders that are needed
# 6:6 warning: add_local_file('.env') puts the values of .env into the container as a file
#     why: keys of this machine reach the container, or the image
#     remedy: use secrets=[modal.Secret.from_dotenv()]
# 7:6 warning: add_local_dir('./') takes everything in the folder, .env and .git too
#     why: keys of this machine reach the container, or the image
#     remedy: add ignore=[".env", ".git", ".venv"], or name the folders that are needed
