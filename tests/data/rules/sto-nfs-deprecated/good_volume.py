import modal

vol = modal.Volume.from_name("n")
NetworkFileSystem = object
