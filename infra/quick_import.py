"""Import without garbage collection, for the provider's SDK."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def quick_import() -> Iterator[None]:
    """Runs imports with the garbage collector off, and leaves what they made out of later collections.

    The SDK of the provider makes very many objects that all stay alive. Looking for garbage among them took half of the
    import, and as long again at the end of the process.
    """
    gc.disable()
    yield
    gc.freeze()
    gc.enable()
