"""An independent verifier of Custody bundles and receipts, written from docs/formats.md."""

from .bundle import verify_bundle
from .errors import Forged, Malformed
from .receipt import verify_receipt
from .report import Outcome, Report
from .trust import Trust, parse_trust, read_trust

__all__ = ["Forged", "Malformed", "Outcome", "Report", "Trust", "parse_trust", "read_trust",
           "verify_bundle", "verify_receipt"]
