variable "region" {
  description = "Where everything is made, such as eu-central-1; AWS_REGION of the servers"
  type        = string
}

variable "name" {
  description = "What the names of everything begin with"
  type        = string
  default     = "weft"
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}$", var.name))
    error_message = "Lower case letters, digits and hyphens, at most 31, a letter first."
  }
}

variable "replica_ids" {
  description = "For the SNS bus: the REPLICA_ID of each server, which gets a queue. Empty for NOTIFY"
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for id in var.replica_ids : can(regex("^[A-Za-z0-9_-]{1,40}$", id))])
    error_message = "A REPLICA_ID becomes part of a queue's name: letters, digits, _ and -, at most 40."
  }
}

variable "vpc_id" {
  description = "The network of the database"
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets for the database, in two availability zones at least"
  type        = list(string)
  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "Two subnets at least, in different availability zones."
  }
}

variable "server_security_group_id" {
  description = "The security group that the weft servers are in: nobody else reaches the database"
  type        = string
}

variable "engine_version" {
  description = "Aurora PostgreSQL, of major version 15; 15 alone takes the region's default minor version"
  type        = string
  default     = "15"
  validation {
    condition     = can(regex("^15([.][0-9]+)?$", var.engine_version))
    error_message = "15, or 15 and a minor version."
  }
}

variable "instance_class" {
  description = "The size of each instance of the database"
  type        = string
  default     = "db.r6g.large"
}

variable "database_instances" {
  description = "Instances of the database: one that writes, the others ready to take over"
  type        = number
  default     = 2
  validation {
    condition     = var.database_instances >= 2
    error_message = "Two at least: a single one is not there while its zone is not."
  }
}

variable "backup_retention_days" {
  description = "For how long point-in-time recovery goes back"
  type        = number
  default     = 14
}
