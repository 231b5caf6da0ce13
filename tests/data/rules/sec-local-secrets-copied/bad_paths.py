import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.add_local_file("deploy/prod/.env", "/root/.env")  # expect: sec-local-secrets-copied
b = slim.add_local_file(local_path=".env", remote_path="/x")  # expect: sec-local-secrets-copied
c = slim.add_local_dir(".", "/x")  # expect: sec-local-secrets-copied

# What the rule says of this file:
# 4:10 warning: add_local_file('deploy/prod/.env') puts the values of .env into the container as a file
#     why: keys of this machine reach the container, or the image
#     remedy: use secrets=[modal.Secret.from_dotenv()]
# 5:10 warning: add_local_file('.env') puts the values of .env into the container as a file
#     why: keys of this machine reach the container, or the image
#     remedy: use secrets=[modal.Secret.from_dotenv()]
# 6:10 warning: add_local_dir('.') takes everything in the folder, .env and .git too
#     why: keys of this machine reach the container, or the image
#     remedy: add ignore=[".env", ".git", ".venv"], or name the folders that are needed
