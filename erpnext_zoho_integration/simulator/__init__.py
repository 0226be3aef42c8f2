"""A Zoho on loopback, over real HTTP: to try the app without an account, to test it, to drill faults.

`python -m erpnext_zoho_integration.simulator` serves it; from Python::

    from erpnext_zoho_integration.simulator import Simulator

    with Simulator(seed=1, campaigns=12, recipients=2000) as zoho:
        ...

Standard library only, and nothing of the client it tests.
"""

from erpnext_zoho_integration.simulator.core import Simulator
from erpnext_zoho_integration.simulator.settings import Settings

__all__ = ["Settings", "Simulator"]
