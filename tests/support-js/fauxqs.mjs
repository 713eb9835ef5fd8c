// SNS and SQS on this machine, for tests: an emulator behind a door that lets in only what is signed
// as AWS wants it (Signature Version 4, computed here from the description), and that can be told to
// fail. Prints its port, and ends with its standard input.
//
//   POST /fail {"action": "PublishBatch", "status": 503, "times": 2, "body": "..."}
//   POST /faults {"lost": 0.5, "doubled": 0.3, "late_ms": 200}: of what is published from now on
//   POST /topic NAME: makes a topic; its ARN
//   POST /envelope {fields}: a message signed as SNS does, to be sent by the test
//   GET /calls: how often each action was let in, and certificates were asked for
//   GET /SimpleNotificationService-….pem: whose key signs what SNS brings by HTTP
//   GET /container and /latest/...: keys, as a container's endpoint and a machine's metadata service
//   give them
import { createHash, createHmac } from "node:crypto";
import { createServer } from "node:http";
import { buildApp } from "fauxqs";
import { SnsCaller } from "./sns_caller.mjs";

const secrets = new Map([
  ["AKIDTEST", "secret/of+tests"],
  ["AKIDCONTAINER", "secret/of+the/container"],
  ["AKIDINSTANCE", "secret/of+the/instance"],
]);
const session_token = "FwoGZXIvYXdzEBYaD/+==";
const app = buildApp({ logger: false, defaultRegion: "eu-central-1" });
const caller = new SnsCaller("eu-central-1");
const failures = [];
const calls = {};
let faults = { lost: 0, doubled: 0, late_ms: 0 };

const hmac = (key, text) => createHmac("sha256", key).update(text).digest();
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

function signature_problem(request, body) {
  const given = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/
    .exec(request.headers.authorization ?? "");
  if (!given) return "no signature";
  const [, id, date, region, service, names, signature] = given;
  if (!secrets.has(id)) return "unknown key";
  if (region !== "eu-central-1") return "another region";
  if (service !== (request.headers["x-amz-target"] ? "sqs" : "sns")) return "another service";
  const signed = names.split(";");
  if (!signed.includes("host") || !signed.includes("x-amz-date")) return "too little is signed";
  const token = request.headers["x-amz-security-token"];
  if (id !== "AKIDTEST" && token !== session_token) return "no token";
  if (token !== undefined && !signed.includes("x-amz-security-token")) return "the token is not signed";
  const time = request.headers["x-amz-date"];
  if (!time.startsWith(date)) return "another day";
  const canonical = [
    "POST", "/", "",
    ...signed.map((name) => `${name}:${String(request.headers[name]).trim().replace(/ +/g, " ")}`),
    "", names, sha256(body),
  ].join("\n");
  const scope = `${date}/${region}/${service}/aws4_request`;
  const key = [region, service, "aws4_request"].reduce(hmac, hmac(`AWS4${secrets.get(id)}`, date));
  const expected = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`).toString("hex");
  return signature === expected ? undefined : "the signature does not match";
}

const key_json = (id) =>
  JSON.stringify({
    AccessKeyId: id,
    SecretAccessKey: secrets.get(id),
    Token: session_token,
    Expiration: new Date(Date.now() + 3_600_000).toISOString(),
  });

/** What those ask who look for a key; nothing when it is another question. */
function key_answer({ method, url, headers }) {
  if (url === "/container") {
    return headers.authorization === "Bearer of the container" ? key_json("AKIDCONTAINER") : undefined;
  }
  if (url === "/latest/api/token") {
    return method === "PUT" && headers["x-aws-ec2-metadata-token-ttl-seconds"] ? "imds-token" : undefined;
  }
  if (headers["x-aws-ec2-metadata-token"] !== "imds-token") return undefined;
  const list = "/latest/meta-data/iam/security-credentials/";
  if (url === list) return "weft-role\n";
  return url === `${list}weft-role` ? key_json("AKIDINSTANCE") : undefined;
}

const action_of = (request, body) =>
  request.headers["x-amz-target"]?.replace("AmazonSQS.", "") ??
  new URLSearchParams(body.toString()).get("Action") ?? "";

const inject = (headers, payload) => app.inject({ method: "POST", url: "/", headers, payload });

/** What reaches SNS and SQS; SNS calls on who is subscribed by HTTP, too. */
function pass_on(headers, body) {
  if (action_of({ headers }, body) === "PublishBatch") caller.publish(new URLSearchParams(body.toString()));
  return inject(headers, body);
}

/** As the owner of the account; the ARN. */
async function make_topic(name) {
  const { payload } = await inject({
    "content-type": "application/x-www-form-urlencoded",
    authorization: "AWS4-HMAC-SHA256 Credential=x/20260101/eu-central-1/sns/aws4_request, SignedHeaders=host, Signature=0",
  }, `Action=CreateTopic&Name=${name}`);
  return /<TopicArn>([^<]+)</.exec(payload)[1];
}

/** Publishing as it is on a bad day: whoever publishes hears that all went well. */
async function publish_badly(headers, body) {
  const form = new URLSearchParams(body.toString());
  form.set("TopicArn", await make_topic("nobody-listens"));
  const copies = Math.random() < faults.lost ? 0 : 1 + Number(Math.random() < faults.doubled);
  for (let copy = 0; copy < copies; ++copy) {
    setTimeout(() => void pass_on(headers, body), Math.random() * faults.late_ms);
  }
  return inject({ ...headers, "content-length": undefined }, form.toString());
}

async function answer(request, body, response) {
  const reply = (status, text) => response.writeHead(status).end(text);
  if (request.url === "/fail") {
    failures.push(JSON.parse(body));
    return reply(200, "");
  }
  if (request.url === "/faults") {
    faults = { ...faults, ...JSON.parse(body) };
    return reply(200, "");
  }
  if (request.url === "/topic") return reply(200, await make_topic(body.toString()));
  if (request.url === "/calls") {
    return reply(200, JSON.stringify({ ...calls, certificates: caller.asked_for_certificates }));
  }
  if (request.url === "/envelope") return reply(200, caller.envelope(JSON.parse(body)));
  if (request.url.startsWith("/SimpleNotificationService-")) {
    const pem = caller.certificate(request.url);
    return reply(pem === undefined ? 404 : 200, pem);
  }
  const key = key_answer(request);
  if (key !== undefined) return reply(200, key);
  const problem = signature_problem(request, body);
  if (problem) return reply(403, `<Code>SignatureDoesNotMatch</Code><Message>${problem}</Message>`);
  const action = action_of(request, body);
  calls[action] = (calls[action] ?? 0) + 1;
  const failure = failures.find((one) => one.action === action && one.times > 0);
  if (failure) {
    failure.times -= 1;
    return reply(failure.status, failure.body ?? "");
  }
  const own = caller.action(new URLSearchParams(body.toString()));
  if (own !== undefined) return reply(own === "" ? 400 : 200, own);
  const is_bad = action === "PublishBatch" && (faults.lost > 0 || faults.doubled > 0 || faults.late_ms > 0);
  const result = await (is_bad ? publish_badly : pass_on)(request.headers, body);
  response.writeHead(result.statusCode, { "content-type": result.headers["content-type"] ?? "text/plain" });
  response.end(result.rawPayload);
}

const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    answer(request, Buffer.concat(parts), response).catch((error) => response.writeHead(500).end(String(error)));
  });
});
await app.ready();
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume().on("end", () => process.exit(0));
