"""Security Hub: importing findings in its own format (ASFF)."""

from collections.abc import Mapping, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from apprunner_guardrails.aws.clients import Clients, said


def import_findings(client: Clients, batch: Sequence[Mapping[str, object]]) -> Mapping[str, str]:
    """Import a batch of at most 100 findings; what went wrong, by the finding's Id. A part may fail in a success."""
    try:
        answer = client("securityhub").batch_import_findings(  # type: ignore[attr-defined]  # made from the model
            Findings=list(batch)
        )
    except (ClientError, BotoCoreError) as error:
        return {str(one["Id"]): f"securityhub:BatchImportFindings: {said(error)}" for one in batch}
    failed = {
        one["Id"]: f"securityhub:BatchImportFindings: {one.get('ErrorCode')} {one.get('ErrorMessage', '')}".strip()
        for one in answer.get("FailedFindings", ())
    }
    if answer.get("FailedCount", 0) > len(failed):  # some failed, and it does not say which: all are owed
        return {str(one["Id"]): "securityhub:BatchImportFindings: FailedCount without names" for one in batch}
    return failed
