import modal

nfs = modal.NetworkFileSystem.from_name("n")  # expect: sto-nfs-deprecated
