import modal

a = modal.Image.from_registry(
    add_python="3.11",
    tag="ghcr.io/team/base/image:main",  # expect: cac-mutable-tag
)
b = modal.Image.from_registry("localhost:5000/team/base")  # expect: cac-mutable-tag

# What the rule says of this file:
# 5:5 warning: the base ghcr.io/team/base/image:main has the moving tag 'main'
#     why: the cached layer and the next full build are different images
#     remedy: name a version, or the digest (…@sha256:…)
# 7:31 warning: the base localhost:5000/team/base has no tag: it means latest
#     why: the cached layer and the next full build are different images
#     remedy: name a version, or the digest (…@sha256:…)
