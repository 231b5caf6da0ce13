import os

import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.run_commands("echo y | apt-get install git", "apt-get --force-yes install wget", "apt-get -qq install jq")
b = slim.run_commands("echo 'APT::Get::Assume-Yes \"true\";' > /etc/yes").run_commands("apt-get install git")
c = slim.run_commands("cp /src/apt.conf /etc/apt/", "apt install git")
d = slim.run_commands("apt-get install $PACKAGES", "apt-get update", "apt-cache install git", "brew install git")
bare = modal.Image.from_registry("ubuntu:22.04", add_python="3.11")
e = bare.apt_install("git").run_commands("apt-get install -y wget")
f = bare.run_commands(os.environ["SETUP"]).run_commands("apt-get install -y wget")
g = bare.run_commands("apt update").run_commands("apt-get install -y wget")
h = bare.run_commands("bash -c 'apt-get update'", "apt-get install -y wget")
i = modal.Image.from_registry("ghcr.io/team/base:1").run_commands("apt-get install -y wget")
