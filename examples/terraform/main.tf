# Deploy the gateway from Terraform. First put the packaged template into a bucket of yours:
#
#   make build
#   .venv/bin/sam package --s3-bucket YOUR-BUCKET --output-template-file packaged.yaml
#   aws s3 cp packaged.yaml s3://YOUR-BUCKET/zoom-gateway/packaged.yaml

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.0" }
  }
}

variable "template_url" {
  description = "https address of packaged.yaml in S3"
  type        = string
}

variable "zoom" {
  description = "The Zoom app's three values"
  type        = object({ client_id = string, client_secret = string, webhook_secret_token = string })
  sensitive   = true
}

resource "aws_cloudformation_stack" "zoom_gateway" {
  name         = "zoom-gateway-prod"
  template_url = var.template_url
  # The template makes roles, and its transform expands it.
  capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]

  parameters = {
    Stage                  = "prod"
    ZoomClientId           = var.zoom.client_id
    ZoomClientSecret       = var.zoom.client_secret
    ZoomWebhookSecretToken = var.zoom.webhook_secret_token
    ReturnUrls             = "https://app.example.com"
  }

  # What CloudFormation hides (NoEcho) comes back as stars; without this every plan would show a change.
  lifecycle {
    ignore_changes = [parameters["ZoomClientSecret"], parameters["ZoomWebhookSecretToken"]]
  }
}

output "api_url" {
  value = aws_cloudformation_stack.zoom_gateway.outputs["ApiUrl"]
}

output "webhook_url" {
  description = "Register this address in the Zoom app's event subscription"
  value       = aws_cloudformation_stack.zoom_gateway.outputs["WebhookUrl"]
}
