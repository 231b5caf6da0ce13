import modal
from modal import SharedVolume  # expect: dep-removed-api

image = modal.Image.from_dockerhub("ubuntu:22.04")  # expect: dep-removed-api
vol = modal.Volume.from_name("v")
vol.delete()  # expect: dep-removed-api
other = modal.experimental.raw_registry_image("x")  # expect: dep-removed-api

# What the rule says of this file:
# 2:19 error: modal.SharedVolume is not in modal VERSION
#     why: an AttributeError or ImportError when the line runs: at import for what stands at the top level
#     remedy: use modal.Volume
# 4:9 error: modal.Image.from_dockerhub is not in modal VERSION
#     why: an AttributeError or ImportError when the line runs: at import for what stands at the top level
#     remedy: use modal.Image.from_registry
# 6:1 error: Volume.delete is not in modal VERSION
#     why: an AttributeError or ImportError when the line runs: at import for what stands at the top level
#     remedy: use modal.Volume.objects.delete
# 7:9 error: modal.experimental.raw_registry_image is not in modal VERSION
#     why: an AttributeError or ImportError when the line runs: at import for what stands at the top level
#     remedy: use modal.Image.from_registry
