from tests.cases._healthy import CONNECTOR_ARN
from tests.cases._healthy_path import set_connector
from tests.cases._tags import cases_of_tags

CASES = cases_of_tags(CONNECTOR_ARN, lambda tags: set_connector(tags=tags))
