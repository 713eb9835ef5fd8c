// Servers behind cables that can be cut: each server is in a Linux network namespace of its own, with
// one virtual cable (a pair of veth devices) to its clients and one to the database. A cut is silent, as
// a switch that has gone dark is: both ends send to an address of the link layer that nobody has,
// so nothing arrives, and nobody is told so. Needs root, and fails where it cannot be had.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const relay = fileURLToPath(new URL("relay.mjs", import.meta.url));
const nobody = "02:ff:ff:ff:ff:ff";
const commandLimit = 10_000;
// Inside of a namespace all ports are free.
const serverPort = 8080;
const clientsPort = 8081;

function run(command, args, input) {
  try {
    return execFileSync(command, args, { input, timeout: commandLimit, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });
  } catch (error) {
    assert.fail(`a network to be cut needs root, iproute2 and util-linux; ${command} ${args.join(" ")}: ${error.stderr || error.message}`);
  }
}

/** A child process that ends when this one does, however that ends. Its first lines, as they come. */
function attached(t, [program, ...args]) {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"]) child[stream].on("data", (text) => (said[stream] += text));
  child.stdin.on("error", () => {});
  t.after(() => child.kill("SIGKILL"));
  return {
    child,
    async says(pattern) {
      for (const deadline = Date.now() + commandLimit; ;) {
        const found = pattern.exec(said.stdout);
        if (found !== null) return found;
        assert.ok(child.exitCode === null && Date.now() < deadline, `${program} ${args.join(" ")}: ${said.stderr}`);
        await Promise.race([once(child.stdout, "data"), once(child, "exit"), new Promise((r) => setTimeout(r, 100))]);
      }
    },
  };
}

/** One virtual cable between the test and a namespace. */
class Cable {
  #ends;

  /** `number`: no other cable of this machine has it. `name`: of its end inside. */
  constructor(t, within, pid, number, name) {
    const at = (host) => `10.231.${number >> 6}.${(number & 63) * 4 + host}`;
    const mac = (end) => `02:77:${[number >> 8, number & 255, end].map((b) => b.toString(16).padStart(2, "0")).join(":")}:01`;
    const device = `weft${process.pid.toString(36)}-${number & 7}`;
    this.outer = at(1);
    this.inner = at(2);
    this.#ends = [
      { ip: ["ip"], device, peer: this.inner, mac: mac(2) },
      { ip: [...within, "ip"], device: name, peer: this.outer, mac: mac(1) },
    ];
    t.after(() => {
      // With its namespace it may be gone already.
      try { execFileSync("ip", ["link", "del", device], { timeout: commandLimit, stdio: "ignore" }); } catch {}
    });
    run("ip", ["link", "add", device, "address", mac(1), "type", "veth", "peer", "name", name, "address", mac(2), "netns", String(pid)]);
    const up = (address, dev) => `addr add ${address}/30 dev ${dev}\nlink set ${dev} up\n`;
    this.#at(0, up(this.outer, device));
    this.#at(1, up(this.inner, name));
    this.heal();
  }

  cut() {
    this.#lead(() => nobody);
  }
  heal() {
    this.#lead((end) => end.mac);
  }

  #lead(to) {
    this.#ends.forEach((end, i) => this.#at(i, `neigh replace ${end.peer} lladdr ${to(end)} dev ${end.device} nud permanent\n`));
  }
  #at(i, commands) {
    const [program, ...args] = [...this.#ends[i].ip, "-batch", "-"];
    run(program, args, commands);
  }
}

/** Where a server is: a namespace, and two cables that lead there. */
class Place {
  static async make(t, number) {
    const place = new Place();
    const holder = attached(t, ["unshare", "--net", "sh", "-c", "echo ready && exec cat"]);
    await holder.says(/ready\n/);
    const { pid } = holder.child;
    const within = ["nsenter", "--target", String(pid), "--net", "--"];
    run(within[0], [...within.slice(1), "ip", "link", "set", "lo", "up"]);
    place.clients = new Cable(t, within, pid, 2 * number, "clients");
    place.database = new Cable(t, within, pid, 2 * number + 1, "database");
    // A server without access control answers only on the loopback.
    const there = `${place.clients.inner}:${clientsPort}`;
    await attached(t, [...within, process.execPath, relay, there, `127.0.0.1:${serverPort}`]).says(/at /);
    const [, reached] = await attached(t, [process.execPath, relay, "127.0.0.1:0", there]).says(/at (\S+)\n/);
    /** For Server.start; without the database. */
    place.server = { within, port: serverPort, reached };
    return place;
  }
}

/** At most four in a process at the same time. */
export async function makePlaces(t, count) {
  const places = [];
  for (let i = 0; i < count; ++i) places.push(await Place.make(t, (process.pid * 4 + i) % (1 << 13)));
  return places;
}
