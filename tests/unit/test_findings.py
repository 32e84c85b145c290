from apprunner_guardrails.findings import Severity, Status


def test_severities_rank_from_the_worst() -> None:
    assert sorted(Severity, key=lambda severity: severity.rank) == [
        Severity.CRITICAL,
        Severity.HIGH,
        Severity.MEDIUM,
        Severity.LOW,
        Severity.INFO,
    ]


def test_the_answers_are_the_words_that_results_are_made_of() -> None:
    assert [status.value for status in Status] == ["pass", "fail", "unknown", "error", "exempt"]
