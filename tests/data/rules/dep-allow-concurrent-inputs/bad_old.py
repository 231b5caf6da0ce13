import modal

app = modal.App("x")


@app.cls(gpu="A100", allow_concurrent_inputs=10)  # expect: dep-allow-concurrent-inputs
class M:
    pass

# What the rule says of this file:
# 6:22 error: allow_concurrent_inputs is refused since 1.4.0
#     why: an error when the file is imported: nothing of the app runs
#     remedy: put @modal.concurrent(max_inputs=…) below the decorator
#     fix (unsafe):
#         line 6: ', allow_concurrent_inputs=10' -> ''
#         line 6: '' -> '\n@modal.concurrent(max_inputs=10)'
