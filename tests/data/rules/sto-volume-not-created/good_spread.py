import modal

options = load_options()
a = modal.Volume.from_name("a", **options)
b = modal.Volume.from_name("b", "main")
c = modal.Dict.from_name("c")
