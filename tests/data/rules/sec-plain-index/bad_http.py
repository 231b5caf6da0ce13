import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install(
        "torch==2.6.0",
        index_url="http://mirror.example.com/simple",  # expect: sec-plain-index
    )
    .run_commands(
        "pip install einops==0.8.1",
        "pip install --trusted-host mirror.example.com -i https://mirror.example.com/simple ninja",  # expect: sec-plain-index
    )
    .pip_install("wheel", extra_options="--trusted-host mirror.example.com")  # expect: sec-plain-index
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 7:9 warning: http://mirror.example.com/simple: what pip gets can be changed on the way
#     why: a changed package runs its setup.py in the build, with the build's secrets
#     remedy: use an https:// address
# 11:10 warning: --trusted-host: what pip gets can be changed on the way
#     why: a changed package runs its setup.py in the build, with the build's secrets
#     remedy: use an https:// address
# 13:27 warning: --trusted-host: what pip gets can be changed on the way
#     why: a changed package runs its setup.py in the build, with the build's secrets
#     remedy: use an https:// address
