import modal

f = modal.Function.lookup("app", "f")  # expect: dep-lookup-removed
v = modal.Volume.lookup("v")  # expect: dep-lookup-removed
