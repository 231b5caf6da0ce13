"""What the Modal client had and has no more: nine rules, each a row of facts/modal_removed.toml with its page."""

from preflight.rules import removals

CHECKS = removals.rules()
