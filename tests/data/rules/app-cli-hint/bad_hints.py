"""Train.

    modal run app.py --action train --detach  # expect: app-cli-hint
"""

import modal

# modal status shows the credits  # expect: app-cli-hint
# modal secret create aws --env AWS_REGION=us-east-1  # expect: app-cli-hint
app = modal.App("a")

# What the rule says of this file:
# 3:5 info: --detach after the file is an option of the app, which has none: modal run app.py --action train --detach
#     remedy: write `modal run --detach FILE …`
# 8:3 info: `modal status` is not a command: modal status
#     remedy: write `modal token info`, or `modal billing summary` for what was spent
# 9:3 info: `modal secret create --env` names a Modal environment; K=V stands alone: modal secret create aws --env AWS_REGION=
#     remedy: write `modal secret create NAME K=V …`
