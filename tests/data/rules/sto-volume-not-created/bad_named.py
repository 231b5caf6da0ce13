import modal

vol = modal.Volume.from_name("v")  # expect: sto-volume-not-created

# What the rule says of this file:
# 3:20 info: the Volume 'v' must exist already: create_if_missing is not given
#     remedy: add create_if_missing=True, or make it once with `modal volume create`
