import modal

vol = modal.Volume.from_name("v", create_if_missing=True)
old = modal.Volume.from_name("v", create_if_missing=False)
