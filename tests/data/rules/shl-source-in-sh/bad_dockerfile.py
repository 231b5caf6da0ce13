import modal

COMMAND = "source /venv/bin/activate"
slim = modal.Image.debian_slim(python_version="3.11")
a = slim.dockerfile_commands("RUN source /opt/env.sh && make")  # expect: shl-source-in-sh
b = slim.run_commands(COMMAND)  # expect: shl-source-in-sh
c = slim.run_commands("SHELL=bash source /opt/a/very/long/path/that/goes/on/and/on/and/on/env.sh && make")  # expect: shl-source-in-sh
d = slim.run_commands("source /opt/a/very/long/path/that/goes/on/and/on/and/on/and/on/env.sh")  # expect: shl-source-in-sh
e = slim.run_commands("SHELL ['bash']", "source /opt/env.sh")  # expect: shl-source-in-sh

# What the rule says of this file:
# 5:35 error: `source /opt/env.sh`: the image's /bin/sh is dash, which has no `source`
#     why: the image build stops with 'source: not found'
#     remedy: write `.` in place of `source`, or run it with bash -c
#     fix (safe):
#         line 5: 'source ' -> '. '
# 6:23 error: `source /venv/bin/activate`: the image's /bin/sh is dash, which has no `source`
#     why: the image build stops with 'source: not found'
#     remedy: write `.` in place of `source`, or run it with bash -c
# 7:24 error: `SHELL=bash source /opt/a/very/long/path/that/goes/on/and/on/`: the image's /bin/sh is dash, which has no `source`
#     why: the image build stops with 'source: not found'
#     remedy: write `.` in place of `source`, or run it with bash -c
#     fix (safe):
#         line 7: 'source ' -> '. '
# 8:24 error: `source /opt/a/very/long/path/that/goes/on/and/on/and/on/and/`: the image's /bin/sh is dash, which has no `source`
#     why: the image build stops with 'source: not found'
#     remedy: write `.` in place of `source`, or run it with bash -c
#     fix (safe):
#         line 8: 'source ' -> '. '
# 9:42 error: `source /opt/env.sh`: the image's /bin/sh is dash, which has no `source`
#     why: the image build stops with 'source: not found'
#     remedy: write `.` in place of `source`, or run it with bash -c
#     fix (safe):
#         line 9: 'source ' -> '. '
