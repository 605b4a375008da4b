"""An independent verifier of Custody bundles and receipts, written from docs/formats.md.

Programs use bundle.verify_bundle, receipt.verify_receipt and trust.read_trust; people use
`python3 -m custody_verify`.
"""
