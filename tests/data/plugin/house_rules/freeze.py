"""Nobody trains in the days of the freeze.

Looks at: The date.
Why it matters: The cluster's data is moved then.
How to fix: Wait for January.
Source: The house's own rules.
"""

from preflight.api import Answer, Check, Looked, Stage, failed, passed


async def run(looked: Looked) -> Answer:
    if looked.now.month == 12 and looked.now.day > 20:
        return failed("the data is being moved", remedy="wait for January")
    return passed(f"{looked.now:%Y-%m-%d} is no day of the freeze")


CHECK = Check(id="HSE020", name="house-freeze", title="nobody trains in the days of the freeze", stage=Stage.STATIC, run=run)
