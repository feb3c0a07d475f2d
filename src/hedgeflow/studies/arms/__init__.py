"""The same alerts run other ways, for evidence to set beside the record."""

from hedgeflow.studies.arms.every import arms_of
from hedgeflow.studies.arms.rerun import Rerun

__all__ = ["Rerun", "arms_of"]
