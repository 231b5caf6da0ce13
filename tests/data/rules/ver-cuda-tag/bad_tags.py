import modal

a = modal.Image.from_registry("nvidia/cuda:12.4-devel-ubuntu22.04", add_python="3.11")  # expect: ver-cuda-tag
b = modal.Image.from_registry("nvidia/cuda:latest", add_python="3.11")  # expect: ver-cuda-tag
c = modal.Image.from_registry("nvidia/cuda:12.4.1-ubuntu22.04", add_python="3.11")  # expect: ver-cuda-tag
app = modal.App("a", image=a)

# What the rule says of this file:
# 3:31 error: nvidia/cuda:12.4-devel-ubuntu22.04 12.4 is no X.Y.Z version
#     why: the image build stops at its first line: manifest unknown
#     remedy: use a tag such as nvidia/cuda:12.4.1-devel-ubuntu22.04
# 4:31 error: nvidia/cuda:latest latest starts with no CUDA version, and nvidia/cuda has no latest
#     why: the image build stops at its first line: manifest unknown
#     remedy: use a tag such as nvidia/cuda:12.4.1-devel-ubuntu22.04
# 5:31 error: nvidia/cuda:12.4.1-ubuntu22.04 names none of base, runtime, devel
#     why: the image build stops at its first line: manifest unknown
#     remedy: use a tag such as nvidia/cuda:12.4.1-devel-ubuntu22.04
