import modal

app = modal.App.lookup("app", create_if_missing=True)
f = modal.Function.from_name("app", "f")
table = {}
x = dict.lookup(table) if hasattr(dict, "lookup") else None
