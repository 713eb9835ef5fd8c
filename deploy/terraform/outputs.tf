output "database_host" {
  description = "DB_HOST: the endpoint that writes; it follows a failover"
  value       = aws_rds_cluster.database.endpoint
}

output "database_name" {
  description = "DB_NAME"
  value       = aws_rds_cluster.database.database_name
}

output "database_master_secret_arn" {
  description = "The secret with the master user's password, which RDS changes by itself: make the servers a user of their own"
  value       = aws_rds_cluster.database.master_user_secret[0].secret_arn
}

output "sns_topic" {
  description = "SNS_TOPIC; null without replica_ids"
  value       = local.has_bus ? aws_sns_topic.news[0].arn : null
}

output "queue_urls" {
  description = "The queue of each REPLICA_ID"
  value       = { for id, queue in aws_sqs_queue.replica : id => queue.url }
}

output "server_policy_arn" {
  description = "To attach to the role of the servers; null without replica_ids"
  value       = local.has_bus ? aws_iam_policy.server[0].arn : null
}
