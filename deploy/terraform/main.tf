# What several weft servers need of AWS: a PostgreSQL, and, for the SNS bus only, a topic and a queue for each
# server. NOTIFY, the other bus, needs nothing but the database: leave replica_ids empty, and neither topic
# nor queues nor the policy are made. docs/SCALING.md says how it is used and what of it was never tried.

terraform {
  required_version = ">= 1.5.0"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.40"
    }
  }
}

provider "aws" {
  region = var.region
  default_tags {
    tags = { Application = var.name }
  }
}

locals {
  has_bus = length(var.replica_ids) > 0
}

# --- The SNS bus: one topic, and a queue for each server ---------------------------------------------

resource "aws_sns_topic" "news" {
  count = local.has_bus ? 1 : 0
  name  = "${var.name}-news"
  # Messages may carry rows of documents.
  kms_master_key_id = "alias/aws/sns"
}

resource "aws_sqs_queue" "replica" {
  for_each = var.replica_ids
  # The name that a server looks for, whatever var.name is: servers of another database in this account and
  # region need other REPLICA_IDs.
  name = "weft-${each.key}"
  # News that waited for minutes is worth nothing: the server has asked the database long ago.
  message_retention_seconds  = 300
  visibility_timeout_seconds = 30
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true
}

data "aws_iam_policy_document" "queue" {
  for_each = var.replica_ids
  statement {
    sid       = "TopicOnly"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.replica[each.key].arn]
    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }
    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_sns_topic.news[0].arn]
    }
  }
}

resource "aws_sqs_queue_policy" "replica" {
  for_each  = var.replica_ids
  queue_url = aws_sqs_queue.replica[each.key].url
  policy    = data.aws_iam_policy_document.queue[each.key].json
}

resource "aws_sns_topic_subscription" "replica" {
  for_each  = var.replica_ids
  topic_arn = aws_sns_topic.news[0].arn
  protocol  = "sqs"
  endpoint  = aws_sqs_queue.replica[each.key].arn
  # The message as it was published, without SNS' envelope.
  raw_message_delivery = true
  depends_on           = [aws_sqs_queue_policy.replica]
}

# For the role that the servers run as. They may not make or remove anything.
data "aws_iam_policy_document" "server" {
  count = local.has_bus ? 1 : 0
  statement {
    sid       = "Publish"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.news[0].arn]
  }
  statement {
    sid = "Receive"
    actions = [
      "sqs:ReceiveMessage",
      "sqs:DeleteMessage",
      "sqs:GetQueueUrl",
      "sqs:GetQueueAttributes",
    ]
    resources = [for queue in aws_sqs_queue.replica : queue.arn]
  }
}

resource "aws_iam_policy" "server" {
  count       = local.has_bus ? 1 : 0
  name        = "${var.name}-server"
  description = "What a weft server does with the topic and the queues"
  policy      = data.aws_iam_policy_document.server[0].json
}

# --- The database: Aurora PostgreSQL 15 in several availability zones --------------------------------

resource "aws_db_subnet_group" "database" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "database" {
  name        = "${var.name}-database"
  description = "PostgreSQL, for weft servers only"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  security_group_id            = aws_security_group.database.id
  referenced_security_group_id = var.server_security_group_id
  description                  = "PostgreSQL from the servers"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_rds_cluster_parameter_group" "database" {
  name   = var.name
  family = "aurora-postgresql15"
  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }
  parameter {
    name  = "ssl_min_protocol_version"
    value = "TLSv1.2"
  }
}

resource "aws_rds_cluster" "database" {
  cluster_identifier              = var.name
  engine                          = "aurora-postgresql"
  engine_version                  = var.engine_version
  database_name                   = "weft"
  master_username                 = "weft_master"
  manage_master_user_password     = true
  storage_encrypted               = true
  db_subnet_group_name            = aws_db_subnet_group.database.name
  vpc_security_group_ids          = [aws_security_group.database.id]
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.database.name
  backup_retention_period         = var.backup_retention_days
  copy_tags_to_snapshot           = true
  deletion_protection             = true
  skip_final_snapshot             = false
  final_snapshot_identifier       = "${var.name}-final"
  enabled_cloudwatch_logs_exports = ["postgresql"]
}

# One writes, the others wait to take its place. RDS puts them into different zones of the subnets.
resource "aws_rds_cluster_instance" "database" {
  count                = var.database_instances
  identifier           = "${var.name}-${count.index}"
  cluster_identifier   = aws_rds_cluster.database.id
  engine               = aws_rds_cluster.database.engine
  engine_version       = aws_rds_cluster.database.engine_version
  instance_class       = var.instance_class
  db_subnet_group_name = aws_db_subnet_group.database.name
  publicly_accessible  = false
}
