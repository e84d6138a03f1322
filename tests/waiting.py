# SPDX-License-Identifier: Apache-2.0
"""What tests do instead of sleeping."""

import time


def wait_for(seconds, what, condition):
    """What @condition answers as soon as that is true; an AssertionError when it has not been for so long."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        time.sleep(0.01)
    return value
