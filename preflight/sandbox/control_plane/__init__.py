"""A Modal control plane on 127.0.0.1 for the real client, the real CLI and the real container entrypoint.

One class a topic holds the RPCs; ``service`` publishes them.  It knows no prices, schedules or quotas beyond
what the scenario says, and it runs function bodies as local processes, without the image or a GPU: confined, with
/root and what the app mounts, where the machine can do that.  It executes the code it is sent, so it listens on the
loopback address only.
"""
