import modal

app = modal.App("x")
DAY = 24 * 60 * 60
COMMON = {"cpu": 2}


@app.function(
    gpu="A100-80GB",
    timeout=30 * 3600,  # expect: res-timeout-over-max
)
def train():
    pass


@app.function(timeout=DAY + 1, **COMMON)  # expect: res-timeout-over-max
def longer():
    pass


@app.cls(timeout=None)  # expect: res-timeout-over-max
class Model:
    @modal.method()
    def run(self):
        pass


@app.function(timeout=5)  # expect: res-timeout-over-max
def short():
    pass


def start():
    modal.Sandbox.create(app=app, timeout=100_000)  # expect: res-timeout-over-max

# What the rule says of this file:
# 10:5 error: timeout is 108000 s (30 h); Modal's limit is 86400 s (24 h)
#     why: the client does not check it: the deploy is refused after the image was built
#     remedy: set timeout=86400, and resume a longer run from a checkpoint
#     fix (safe):
#         line 10: '30 * 3600' -> '86400'
# 16:15 error: timeout is 86401 s (24.0003 h); Modal's limit is 86400 s (24 h)
#     why: the client does not check it: the deploy is refused after the image was built
#     remedy: set timeout=86400, and resume a longer run from a checkpoint
#     fix (safe):
#         line 16: 'DAY + 1' -> '86400'
# 21:10 error: timeout=None is refused when the file is imported
#     why: nothing of the app can run or be deployed
#     remedy: give seconds up to 86400, or leave it out for 300
#     fix (safe):
#         line 21: 'None' -> '86400'
# 28:15 info: timeout is 5 s: the function is ended after that long
#     remedy: the unit is seconds; multiply by 60 if minutes were meant
# 34:35 error: timeout is 100000 s (27.7778 h); Modal's limit is 86400 s (24 h)
#     why: the client does not check it: the deploy is refused after the image was built
#     remedy: set timeout=86400, and resume a longer run from a checkpoint
#     fix (safe):
#         line 34: '100_000' -> '86400'
