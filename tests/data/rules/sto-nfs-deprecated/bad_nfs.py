import modal

nfs = modal.NetworkFileSystem.from_name("n")  # expect: sto-nfs-deprecated

# What the rule says of this file:
# 3:7 warning: modal.NetworkFileSystem is deprecated since 2026-09-16
#     why: a later client refuses it
#     remedy: use modal.Volume; `modal nfs get` and `modal volume put` move the data
