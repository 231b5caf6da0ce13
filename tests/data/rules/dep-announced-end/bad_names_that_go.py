import modal
from modal import experimental

app = modal.App("x")
modal.experimental.stop_app("other")  # expect: dep-announced-end
experimental.stop_app("another")  # expect: dep-announced-end

# What the rule says of this file:
# 5:20 warning: experimental.stop_app is announced to end (2026-09-24; no day is named)
#     evidence: `modal.experimental.stop_app` is deprecated; use `modal.App.lookup(name).stop()` instead.
#     evidence: deprecation warnings of modal VERSION, modal/experimental/__init__.py
#     why: an app that runs today stops with that release of the client, or on that day
#     remedy: use what the announcement names in its place
# 6:14 warning: experimental.stop_app is announced to end (2026-09-24; no day is named)
#     evidence: `modal.experimental.stop_app` is deprecated; use `modal.App.lookup(name).stop()` instead.
#     evidence: deprecation warnings of modal VERSION, modal/experimental/__init__.py
#     why: an app that runs today stops with that release of the client, or on that day
#     remedy: use what the announcement names in its place
