import modal
from modal import SharedVolume  # expect: dep-removed-api

image = modal.Image.from_dockerhub("ubuntu:22.04")  # expect: dep-removed-api
vol = modal.Volume.from_name("v")
vol.delete()  # expect: dep-removed-api
other = modal.experimental.raw_registry_image("x")  # expect: dep-removed-api
