import modal

v = modal.Volume.from_name("v", create_if_missing=True)
persisted = v
