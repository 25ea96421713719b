"""Turns each refusal of AWS into one paragraph that says what to do.

Refusals are recognised by the names of exceptions and by AWS's error codes, so that only `ecr` imports boto3.
"""

from __future__ import annotations

from typing import Any

from runner.errors import RegistryError

_NO_CREDENTIALS = ("NoCredentialsError", "PartialCredentialsError")
_SIGN_IN = ("SSOError", "SSOTokenLoadError", "UnauthorizedSSOTokenError", "TokenRetrievalError", "LoginError")
_UNREACHABLE = ("EndpointConnectionError", "HTTPClientError", "ConnectionError", "SSLError", "ProxyConnectionError")
_DENIED = ("AccessDeniedException", "AccessDenied", "UnauthorizedOperation", "OptInRequired")
_BAD_CREDENTIALS = (
    "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch",
    "AuthFailure", "IncompleteSignature",
)  # fmt: skip
_EXPIRED = ("ExpiredTokenException", "ExpiredToken", "RequestExpired")


def code_of(error: Exception) -> str:
    """The error code in AWS's answer; empty if the exception holds no answer of AWS."""
    response: Any = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def explain(doing: str, error: Exception) -> RegistryError:
    """The error for an exception of a request to AWS: what was being done (`doing`), the cause, and what to do."""
    names = {kind.__name__ for kind in type(error).__mro__}
    code = code_of(error)
    head = f"{doing} failed: {str(error).rstrip('.')}."
    if names & set(_NO_CREDENTIALS):
        advice = (
            "No AWS credentials were found. Name a profile (--profile, AWS_PROFILE), set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or run on an instance whose role provides them."
        )
    elif names & set(_SIGN_IN):
        advice = "Sign in again (aws sso login), then run the same command."
    elif names & set(_UNREACHABLE):
        advice = "Check the region's name, the network, and HTTPS_PROXY; AWS_CA_BUNDLE names a proxy's certificate."
    elif code in _DENIED or "not authorized to perform" in str(error):
        advice = (
            f"These credentials lack the permission for {doing}. The permissions that the kit needs are in "
            "runner/registry/ecr-push-policy.json (to push) and ecr-pull-policy.json (to pull). Attach them, or choose "
            "another profile with --profile."
        )
    elif code in _BAD_CREDENTIALS:
        advice = "AWS does not know these credentials, or this host's clock is wrong. Check the profile and the clock."
    elif code in _EXPIRED:
        advice = "These credentials have expired: get new ones, then run the same command again."
    else:
        advice = "Nothing was pushed. Correct what AWS names, then run the same command again."
    return RegistryError(f"{head} {advice}")
