import modal

app = modal.App("x")


class Base:
    def __init__(self, size):  # expect: dep-cls-custom-init
        self.size = size


@app.cls()
class A:
    def __init__(self):  # expect: dep-cls-custom-init
        self.x = 1


@app.cls()
class B(Base):
    pass

# What the rule says of this file:
# 7:5 error: B has a constructor (__init__, inherited from Base); Modal's classes have none
#     why: the client raises InvalidError when the file is imported
#     remedy: use @modal.enter() for set-up and `name: str = modal.parameter()` for parameters
# 13:5 error: A has a constructor (__init__); Modal's classes have none
#     why: the client raises InvalidError when the file is imported
#     remedy: use @modal.enter() for set-up and `name: str = modal.parameter()` for parameters
#     fix (unsafe):
#         line 13: '' -> '@modal.enter()\n    '
#         line 13: '__init__' -> 'set_up'
