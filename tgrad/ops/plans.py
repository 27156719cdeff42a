"""What shapes and options decide, found and looked through once for calls that are alike."""

from __future__ import annotations

from typing import Any, Final

MOST: Final = 256


class Plans(dict[Any, Any]):
    """Plans by what they depend on; when there are too many, all are forgotten.

    Errors aren't kept: a plan is one for a call that is right.
    """

    def keep(self, key: Any, plan: Any) -> Any:
        """Remember a plan, and return it."""
        if len(self) >= MOST:
            self.clear()
        self[key] = plan
        return plan
