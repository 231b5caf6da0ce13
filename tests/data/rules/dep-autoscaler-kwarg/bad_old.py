import modal

app = modal.App("x")


@app.function(
    keep_warm=1,  # expect: dep-autoscaler-kwarg
    container_idle_timeout=300,  # expect: dep-autoscaler-kwarg
)
def a():
    pass

# What the rule says of this file:
# 7:5 error: keep_warm was renamed to min_containers; the old name is refused since 1.4.0
#     why: an error when the file is imported: nothing of the app runs
#     remedy: write min_containers=
#     fix (safe):
#         line 7: 'keep_warm' -> 'min_containers'
# 8:5 error: container_idle_timeout was renamed to scaledown_window; the old name is refused since 1.4.0
#     why: an error when the file is imported: nothing of the app runs
#     remedy: write scaledown_window=
#     fix (safe):
#         line 8: 'container_idle_timeout' -> 'scaledown_window'
