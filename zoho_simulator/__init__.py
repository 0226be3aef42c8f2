"""A Zoho on loopback, over real HTTP: to try the app without an account, to test it, to drill faults.

`python -m zoho_simulator` serves it; from Python::

    from zoho_simulator import Simulator

    with Simulator(seed=1, campaigns=12, recipients=2000) as zoho:
        ...

Standard library only, and nothing of the client it tests.
"""

from zoho_simulator.core import Simulator
from zoho_simulator.settings import Settings

__all__ = ["Settings", "Simulator"]
