import modal

VERSION = "latest"
first = modal.Image.from_registry("vllm/vllm-openai:latest")  # expect: cac-mutable-tag
second = modal.Image.from_registry(
    f"ghcr.io/team/base:{VERSION}",  # expect: cac-mutable-tag
    add_python="3.11",
)
third = modal.Image.from_registry("ubuntu", add_python="3.11")  # expect: cac-mutable-tag
fourth = modal.Image.from_registry("team/train:nightly-cu128")  # expect: cac-mutable-tag
app = modal.App("a", image=first)

# What the rule says of this file:
# 4:35 warning: the base vllm/vllm-openai:latest has the moving tag 'latest'
#     why: the cached layer and the next full build are different images
#     remedy: name a version, or the digest (…@sha256:…)
# 6:5 warning: the base ghcr.io/team/base:latest has the moving tag 'latest'
#     why: the cached layer and the next full build are different images
#     remedy: name a version, or the digest (…@sha256:…)
# 9:35 warning: the base ubuntu has no tag: it means latest
#     why: the cached layer and the next full build are different images
#     remedy: name a version, or the digest (…@sha256:…)
# 10:36 warning: the base team/train:nightly-cu128 has the moving tag 'nightly-cu128'
#     why: the cached layer and the next full build are different images
#     remedy: name a version, or the digest (…@sha256:…)
