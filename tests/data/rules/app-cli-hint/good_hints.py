"""Train.

    modal run --detach app.py --action train
    modal secret create aws AWS_REGION=us-east-1 --env main
"""

import modal

# the modal status page is at status.modal.com
app = modal.App("a")
print("modal run app.py --detach")
