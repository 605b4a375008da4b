"""A second verifier of Custody bundles, receipts and exported logs, as docs/formats.md describes them.

Programs use bundle.verify_bundle, receipt.verify_receipt and trust.read_trust; people use
`python3 -m custody_verify`.
"""
