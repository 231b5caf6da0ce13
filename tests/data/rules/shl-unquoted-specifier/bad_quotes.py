import modal

COMMAND = "pip install ninja>=1.11"
slim = modal.Image.debian_slim(python_version="3.11")
a = slim.run_commands("pip install numpy<2")  # expect: shl-unquoted-specifier
b = slim.run_commands('pip install torch[cpu]>=2.4,<2.6 einops>=0.8 wheel')  # expect: shl-unquoted-specifier
c = slim.run_commands("pip install 'wheel' && pip install numpy<2")  # expect: shl-unquoted-specifier
d = slim.run_commands(COMMAND)  # expect: shl-unquoted-specifier
e = slim.run_commands(f"pip install numpy<2")  # expect: shl-unquoted-specifier
f = slim.run_commands(
    """
    pip install numpy<2  # expect: shl-unquoted-specifier
    pip list
    """
)

g = slim.run_commands('pip install ninja>=1.11 && echo "done"')  # expect: shl-unquoted-specifier
h = slim.run_commands("pip install ninja>=1.11 'einops'")  # expect: shl-unquoted-specifier

# What the rule says of this file:
# 5:24 error: `pip install numpy <2`: the shell takes <2 for a redirection
#     why: the bound is not given to pip; '>' leaves a file of that name, '<' fails because there is none
#     remedy: put quotes around each requirement that has a bound
#     fix (safe):
#         line 5: '' -> "'"
#         line 5: '' -> "'"
# 6:24 error: `pip install torch[cpu] >=2.4, <2.6 >=0.8 einops wheel`: the shell takes >=2.4,, <2.6, >=0.8 for a redirection
#     why: the bound is not given to pip; '>' leaves a file of that name, '<' fails because there is none
#     remedy: put quotes around each requirement that has a bound
#     fix (safe):
#         line 6: '' -> '"'
#         line 6: '' -> '"'
#         line 6: '' -> '"'
#         line 6: '' -> '"'
# 7:47 error: `pip install numpy <2`: the shell takes <2 for a redirection
#     why: the bound is not given to pip; '>' leaves a file of that name, '<' fails because there is none
#     remedy: put quotes around each requirement that has a bound
# 8:23 error: `pip install ninja >=1.11`: the shell takes >=1.11 for a redirection
#     why: the bound is not given to pip; '>' leaves a file of that name, '<' fails because there is none
#     remedy: put quotes around each requirement that has a bound
# 9:23 error: `pip install numpy <2`: the shell takes <2 for a redirection
#     why: the bound is not given to pip; '>' leaves a file of that name, '<' fails because there is none
#     remedy: put quotes around each requirement that has a bound
# 12:5 error: `pip install numpy <2`: the shell takes <2 for a redirection
#     why: the bound is not given to pip; '>' leaves a file of that name, '<' fails because there is none
#     remedy: put quotes around each requirement that has a bound
#     fix (safe):
#         line 12: '' -> "'"
#         line 12: '' -> "'"
# 17:24 error: `pip install ninja >=1.11`: the shell takes >=1.11 for a redirection
#     why: the bound is not given to pip; '>' leaves a file of that name, '<' fails because there is none
#     remedy: put quotes around each requirement that has a bound
#     fix (safe):
#         line 17: '' -> '"'
#         line 17: '' -> '"'
# 18:24 error: `pip install ninja >=1.11 einops`: the shell takes >=1.11 for a redirection
#     why: the bound is not given to pip; '>' leaves a file of that name, '<' fails because there is none
#     remedy: put quotes around each requirement that has a bound
