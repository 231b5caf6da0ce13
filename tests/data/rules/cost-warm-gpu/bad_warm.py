import modal

app = modal.App("x")


@app.cls(gpu="B200", min_containers=1)  # expect: cost-warm-gpu
class A:
    pass


@app.cls(gpu="B200", scaledown_window=1800)  # expect: cost-warm-gpu
class B:
    pass

# What the rule says of this file:
# 6:22 info: A keeps 1 × B200 up without work once it is deployed
#     why: billed around the clock
#     remedy: set min_containers=0 where a cold start is acceptable
# 11:22 info: B keeps its B200 for 1800 s after the last request
#     why: each burst of requests pays up to 30 minutes of B200 more
#     remedy: a shorter scaledown_window costs less between requests
