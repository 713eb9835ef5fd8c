// deploy/terraform as far as it can be checked without terraform and AWS: its blocks and brackets, that everything
// named is declared and the other way round, and that nobody has opened what must be closed.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repository } from "../../house/tree.mjs";
import { parse, problems_of, references_in } from "./hcl.mjs";

const folder = join(repository, "deploy/terraform");
const files = readdirSync(folder).filter((name) => name.endsWith(".tf")).sort();
const read = (name) => readFileSync(join(folder, name), "utf8");
const all = files.map(read).join("\n");

/** The body of a resource or a data source. */
const body_of = (...labels) => parse(all).blocks.find((block) => block.labels.join() === labels.join())?.body;
const text_of = (tokens) => tokens?.map(({ text }) => text).join("");

test("everything that is named is declared, and everything declared is named", () => {
  assert.deepEqual(files, ["main.tf", "outputs.tf", "variables.tf"]);
  for (const name of files) parse(read(name));
  assert.ok(references_in(parse(all)).length > 40, "references are found");
  assert.deepEqual(problems_of(all), []);
});

test("the check finds what it is for", () => {
  const sound = `
    variable "name" {
      type        = string
      description = "a name" # with a comment
      validation { condition = length(var.name) > 0 }
    }
    resource "aws_sqs_queue" "one" {
      for_each = toset([var.name])
      name     = "\${var.name}-\${each.key}"
    }
    output "urls" {
      description = "not a reference: var.nobody, $\${var.nobody}"
      value       = { for id, queue in aws_sqs_queue.one : id => queue.url }
    }`;
  assert.deepEqual(problems_of(sound), []);
  const broken = [
    ["${var.name}", "${var.nome}", "var.nome is not declared"],
    ["in aws_sqs_queue.one", "in aws_sqs_queue.two", "aws_sqs_queue.two is not declared"],
    ["queue.url }", "queues.url }", "queues.url is not declared"],
    ["for_each = toset([var.name])", "", "each.key without for_each"],
    ["type        = string", "", "variable name has no type"],
    ['"urls"', "", "line 11: output "],
    ['variable "name"', 'variable "other" {\n type = string\n description = ""\n}\nvariable "name"', "var.other is not used"],
    ['output "urls"', 'resource "aws_sqs_queue" "one" {}\noutput "urls"', "aws_sqs_queue.one is there twice"],
  ];
  for (const [from, to, problem] of broken) {
    assert.notEqual(sound.replace(from, () => to), sound, from);
    assert.ok(problems_of(sound.replace(from, () => to)).includes(problem), problem);
  }
  for (const [from, to] of [["toset([var.name])", "toset([var.name)]"], ["queue.url }\n    }", "queue.url }"],
    ["queue.url }", "queue.url"], ["-${each.key}\"", "-${each.key}"], ["= string", "="], ["validation {", "validation"]]) {
    assert.notEqual(sound.replace(from, () => to), sound, from);
    assert.throws(() => problems_of(sound.replace(from, () => to)), assert.AssertionError, `${from} as ${to}`);
  }
});

test("the database is encrypted, wants TLS, is in two zones, and is the servers' alone", () => {
  const cluster = body_of("aws_rds_cluster", "database").attributes;
  for (const [name, value] of Object.entries({
    engine: "aurora-postgresql", storage_encrypted: "true", deletion_protection: "true", skip_final_snapshot: "false",
    manage_master_user_password: "true", db_cluster_parameter_group_name: "aws_rds_cluster_parameter_group.database.name",
    vpc_security_group_ids: "[aws_security_group.database.id]",
  })) {
    assert.equal(text_of(cluster.get(name)), value, name);
  }
  const group = body_of("aws_rds_cluster_parameter_group", "database");
  assert.equal(text_of(group.attributes.get("family")), "aurora-postgresql15");
  const parameters = group.blocks.map(({ body: { attributes } }) => ["name", "value"].map((key) => text_of(attributes.get(key))));
  assert.deepEqual(parameters, [["rds.force_ssl", "1"], ["ssl_min_protocol_version", "TLSv1.2"]]);
  const instance = body_of("aws_rds_cluster_instance", "database").attributes;
  assert.equal(text_of(instance.get("publicly_accessible")), "false");
  assert.equal(text_of(instance.get("count")), "var.database_instances");
  const instances = body_of("database_instances");
  assert.equal(text_of(instances.blocks[0].body.attributes.get("condition")), "var.database_instances>=2");
  assert.equal(text_of(instances.attributes.get("default")), "2");
  assert.doesNotMatch(all, /0\.0\.0\.0\/0|::\/0|cidr/, "no address reaches the database, only a security group");
  assert.doesNotMatch(all, /(master_password|secret_key|access_key)\s*=/);
});

test("each server has its queue, which takes messages of the topic alone, as they are", () => {
  // As SnsSqsBus asks for it.
  assert.match(readFileSync(join(repository, "src/bus/sns_sqs_bus.cc"), "utf8"), /name = "weft-" \+ config_\.replica_id;/);
  const [name] = body_of("aws_sqs_queue", "replica").attributes.get("name");
  assert.equal(name.text, "weft-${}");
  assert.equal(text_of(name.parts.flat()), "each.key");
  const subscription = body_of("aws_sns_topic_subscription", "replica").attributes;
  assert.equal(text_of(subscription.get("raw_message_delivery")), "true");
  assert.equal(text_of(subscription.get("protocol")), "sqs");
  for (const type of ["aws_sqs_queue", "aws_sqs_queue_policy", "aws_sns_topic_subscription"]) {
    assert.equal(text_of(body_of(type, "replica").attributes.get("for_each")), "var.replica_ids", type);
  }
  const [statement] = body_of("aws_iam_policy_document", "queue").blocks;
  const condition = statement.body.blocks.find(({ type }) => type === "condition").body.attributes;
  assert.deepEqual(["test", "variable", "values"].map((name) => text_of(condition.get(name))),
    ["ArnEquals", "aws:SourceArn", "[aws_sns_topic.news[0].arn]"]);
  for (const { body } of body_of("aws_iam_policy_document", "server").blocks) {
    assert.doesNotMatch(text_of(body.attributes.get("actions")), /\*|Create|DeleteQueue|SetQueue/);
    assert.doesNotMatch(text_of(body.attributes.get("resources")), /\*/);
  }
});
