import modal

a = modal.Image.from_registry("team/train@sha256:2d1c5b7e8f4a3b6c9d0e1f2a3b4c5d6e7f8a9b0c1d2e3f4a5b6c7d8e9f0a1b2c")
b = modal.Image.from_registry("team/train:nightly@sha256:2d1c5b7e8f4a3b6c9d0e1f2a3b4c5d6e7f8a9b0c1d2e3f4a5b6c7d8e9f0a1b2c")
c = modal.Image.from_registry("team/latest:v1.2-development")
