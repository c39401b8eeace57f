"""The Content-Security-Policy of all responses but embedded pages."""

_POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
    " object-src 'none'"
)


def content_security_policy(*image_sources: str) -> str:
    """The header's value: everything from this server, and images from `image_sources` too."""
    return "; ".join([_POLICY, " ".join(["img-src 'self'", *image_sources])])
