from tests.cases import PASS, Case, fail, unknown
from tests.cases._commands import lines
from tests.cases._healthy import unread
from tests.cases._healthy_path import set_interface

_ATTACHED = fail(
    "eni-managed-1 in subnet-private-1 has the public address 203.0.113.7:"
    " App Runner gives its interfaces private addresses only, so somebody attached it",
    command=lines(
        "# first give the subnet a route to a NAT gateway, or VPC endpoints for what the services call",
        'aws ec2 disassociate-address --region us-east-1 --association-id "$(aws ec2 describe-addresses'
        " --region us-east-1 --public-ips 203.0.113.7 --query 'Addresses[0].AssociationId' --output text)\"",
    ),
)

CASES = (
    Case(name="pass: private addresses only", expect=PASS),
    Case(
        name="fail: an Elastic IP address is attached",
        changes=(set_interface(public_address="203.0.113.7"),),
        expect=_ATTACHED,
    ),
    Case(
        name="fail: also where no connector has the interface any more",
        changes=(set_interface(public_address="203.0.113.7", connectors=()),),
        expect=_ATTACHED,
    ),
    Case(
        name="unknown: the interface cannot be read",
        changes=(unread("managed_interfaces"),),
        expect=unknown("ec2:DescribeNetworkInterfaces failed (UnauthorizedOperation)"),
    ),
)
