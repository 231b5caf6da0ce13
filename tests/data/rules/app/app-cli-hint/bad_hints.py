"""Train.

    modal run app.py --action train --detach  # expect: app-cli-hint
"""

import modal

# modal status shows the credits  # expect: app-cli-hint
# modal secret create aws --env AWS_REGION=us-east-1  # expect: app-cli-hint
app = modal.App("a")
