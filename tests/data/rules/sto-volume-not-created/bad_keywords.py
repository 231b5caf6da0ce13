import os

import modal

a = modal.Volume.from_name(name="a")  # expect: sto-volume-not-created
b = modal.Volume.from_name(label="b")  # expect: sto-volume-not-created
c = modal.Volume.from_name(os.environ["VOLUME"])  # expect: sto-volume-not-created
d = modal.Volume.from_name("d", environment_name="main")  # expect: sto-volume-not-created

# What the rule says of this file:
# 5:18 info: the Volume 'a' must exist already: create_if_missing is not given
#     remedy: add create_if_missing=True, or make it once with `modal volume create`
# 6:18 info: the Volume 'b' must exist already: create_if_missing is not given
#     remedy: add create_if_missing=True, or make it once with `modal volume create`
# 7:18 info: the Volume of that name must exist already: create_if_missing is not given
#     remedy: add create_if_missing=True, or make it once with `modal volume create`
# 8:18 info: the Volume 'd' must exist already: create_if_missing is not given
#     remedy: add create_if_missing=True, or make it once with `modal volume create`
