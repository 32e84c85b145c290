"""The stack on this machine, deployed: `make deploy-local`, and what `make e2e` does with it.

template.yaml is built and deployed by SAM as it is. Two servers stand for AWS:

    our emulator    what is guarded: App Runner, EC2, Elastic Load Balancing, API Gateway, quotas, tags, STS
    ministack       all else: CloudFormation, Lambda, EventBridge, SNS, SQS, DynamoDB, CloudWatch, KMS, IAM, S3

The functions run in this machine's Python, not in the Lambda runtime (tests/e2e/test_lambda_runtime.py has that).
What is emulated and never checked here: permissions, policies of queues and keys, encryption, alarms on metrics, the
retries of EventBridge. cloud.py says what we add to ministack.
"""
