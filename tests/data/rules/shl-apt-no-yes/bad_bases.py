
import modal

COMMAND = "apt-get install curl"
slim = modal.Image.debian_slim(python_version="3.11").run_commands(
    "apt install -qy wget && apt install git",  # expect: shl-apt-no-yes
    COMMAND,  # expect: shl-apt-no-yes
    "cat answers | apt-get install jq",  # expect: shl-apt-no-yes
    "apt-get -o Acquire::Retries=3 install --no-install-recommends build-essential ninja-build",  # expect: shl-apt-no-yes
)
bare = (
    modal.Image.from_registry("ubuntu:22.04", add_python="3.11")
    .run_commands("ls /", "yes | apt-get install git")  # expect: shl-apt-no-yes
    .run_commands("apt-get install -y wget && apt-get update")  # expect: shl-apt-no-yes
)

# What the rule says of this file:
# 6:30 error: `apt install git` has no -y: apt asks and gets no answer
#     why: the image build stops at this step
#     remedy: write apt-get install -y, or use .apt_install(…)
#     fix (safe):
#         line 6: ' install ' -> ' install -y '
# 7:5 error: `apt-get install curl` has no -y: apt asks and gets no answer
#     why: the image build stops at this step
#     remedy: write apt-get install -y, or use .apt_install(…)
# 8:20 error: `apt-get install jq` has no -y: apt asks and gets no answer
#     why: the image build stops at this step
#     remedy: write apt-get install -y, or use .apt_install(…)
#     fix (safe):
#         line 8: ' install ' -> ' install -y '
# 9:6 error: `apt-get -o Acquire::Retries=3 install --no-install-recommend` has no -y: apt asks and gets no answer
#     why: the image build stops at this step
#     remedy: write apt-get install -y, or use .apt_install(…)
#     fix (safe):
#         line 9: ' install ' -> ' install -y '
# 13:34 error: `apt-get install git` before any apt-get update: the base has no package list
#     why: the image build stops with 'Unable to locate package'
#     remedy: write `apt-get update && ` before it, or use .apt_install(…)
# 14:20 error: `apt-get install -y wget` before any apt-get update: the base has no package list
#     why: the image build stops with 'Unable to locate package'
#     remedy: write `apt-get update && ` before it, or use .apt_install(…)
