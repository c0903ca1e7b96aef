"""What can go wrong for an emitter; none of it reaches the pipeline unless it asked for ``strict``.

::

    EmitError
    ├── DeliveryError          an event or a prediction did not reach the server
    ├── HashingError           content can't be hashed as it is: no such file, a socket, a link out of the tree
    │   └── ContentMovingError content changed each time that it was being hashed
    └── RunStateError          a run was told to do what its state does not allow, as to start twice

RunStateError says that a program is wrong, and is raised in any case.
"""

from __future__ import annotations


class EmitError(Exception):
    """Base of what emitters raise on purpose."""


class DeliveryError(EmitError):
    """An event or a prediction did not reach the server, or was refused by it."""


class HashingError(EmitError):
    """Content that can't be hashed as it is."""


class ContentMovingError(HashingError):
    """Content that changed each time that it was being hashed; no digest of it would be true."""


class RunStateError(EmitError):
    """A run was told to do what its state does not allow."""
