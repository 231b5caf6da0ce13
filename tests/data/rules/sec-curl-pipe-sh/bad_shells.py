import modal

image = modal.Image.debian_slim(python_version="3.11").run_commands(
    "wget -qO- https://example.com/a.py | /usr/bin/python3 -",  # expect: sec-curl-pipe-sh
    "curl https://example.com/a | zsh && curl https://example.com/b | dash",  # expect: sec-curl-pipe-sh
    "ls && curl https://example.com/a | python",  # expect: sec-curl-pipe-sh
)

# What the rule says of this file:
# 4:6 info: a script from the network is piped into python3
#     remedy: install a pinned package, or check the script's digest before it runs
# 5:6 info: a script from the network is piped into zsh
#     remedy: install a pinned package, or check the script's digest before it runs
# 5:42 info: a script from the network is piped into dash
#     remedy: install a pinned package, or check the script's digest before it runs
# 6:12 info: a script from the network is piped into python
#     remedy: install a pinned package, or check the script's digest before it runs
