"""App Runner's addresses for moto: one path, the operation is in the X-Amz-Target header."""

from emulator.apprunner.responses import AppRunnerResponse

url_bases = [r"https?://apprunner(-fips)?\.(.+)\.amazonaws\.com"]

url_paths = {"{0}/$": AppRunnerResponse.dispatch}
