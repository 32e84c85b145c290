"""The errors of App Runner's API model. Each carries one message of at most 600 characters."""

from moto.core.exceptions import ServiceException


class AppRunnerError(ServiceException):
    def __init__(self, message: str) -> None:
        super().__init__(message[:600])


class InvalidRequestException(AppRunnerError):
    code = "InvalidRequestException"


class InvalidStateException(AppRunnerError):
    code = "InvalidStateException"


class ResourceNotFoundException(AppRunnerError):
    code = "ResourceNotFoundException"


class ServiceQuotaExceededException(AppRunnerError):
    code = "ServiceQuotaExceededException"
