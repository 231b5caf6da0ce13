import modal

a = modal.Image.debian_slim(python_version="3.11").pip_install("torch==2.9.0.dev20250801", pre=True)  # expect: ver-nightly-pin
b = modal.Image.debian_slim(python_version="3.11").pip_install("torch", index_url="https://download.pytorch.org/whl/nightly/cu128")  # expect: ver-nightly-pin
app = modal.App("a", image=a)

# What the rule says of this file:
# 3:64 warning: torch==2.9.0.dev20250801 is a nightly build
#     why: dated nightlies are deleted, undated ones change every day: the image can't be built again
#     remedy: pin a release
# 4:73 warning: https://download.pytorch.org/whl/nightly/cu128 is a nightly build
#     why: dated nightlies are deleted, undated ones change every day: the image can't be built again
#     remedy: pin a release
