// The database as a killed server left it, read from outside with sqlite3 or psql: SQL is what people
// would ask too. Of SQLite a copy is read, because opening a database repairs it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { head, NaiveReplica, nameOf } from "../replay/naive_rga.mjs";

/** What both databases are asked. A child class brings query(sql), rows as objects. */
class View {
  /** Whole, and each log dense in its indexes and in every site's seqs. */
  assertSound() {
    assert.deepEqual(
      this.query(`
        SELECT d.document_id FROM documents AS d
          LEFT JOIN (SELECT document_id, min(log_index) AS first, max(log_index) AS last,
                            count(*) AS rows, sum(len) AS elements
                       FROM operations GROUP BY document_id) AS o USING (document_id)
         WHERE d.last_index <> coalesce(o.last, 0) OR d.sum_total <> coalesce(o.elements, 0)
            OR coalesce(o.first, 1) <> 1 OR coalesce(o.rows, 0) <> coalesce(o.last, 0)`),
      [], "log indexes are dense, and the catalog agrees");
    assert.deepEqual(
      this.query(`
        SELECT document_id, sid, seq FROM (
          SELECT document_id, sid, seq,
                 lag(seq + len, 1, 1) OVER (PARTITION BY document_id, sid ORDER BY seq) AS expected
            FROM operations) AS o
         WHERE seq <> expected`),
      [], "every site's sequence numbers are dense");
  }

  rows(id) {
    return this.query(`
      SELECT log_index, kind, sum, sid, seq, len, ref_sid, ref_seq, value FROM operations
       WHERE document_id = '${id}' ORDER BY log_index`);
  }
}

export class DatabaseCopy extends View {
  #directory = mkdtempSync(join(tmpdir(), "weft-copy-"));

  constructor(data) {
    super();
    for (const name of ["weft.db", "weft.db-wal"]) {
      const from = join(data, name);
      if (existsSync(from)) copyFileSync(from, join(this.#directory, name));
    }
  }
  remove() {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Rows as objects. */
  query(sql) {
    const output = execFileSync("sqlite3", ["-json", join(this.#directory, "weft.db"), sql], {
      encoding: "utf8", maxBuffer: 1 << 28, timeout: 20_000,
    });
    return output.trim() === "" ? [] : JSON.parse(output);
  }

  assertSound() {
    assert.deepEqual(this.query("PRAGMA integrity_check"), [{ integrity_check: "ok" }]);
    super.assertSound();
  }
}

/** PostgreSQL goes on by itself: what it answers is what is stored. */
export class PostgresView extends View {
  #postgres;
  constructor(postgres) {
    super();
    this.#postgres = postgres;
  }
  remove() {}
  query(sql) {
    return this.#postgres.query(sql);
  }
}

/** What was acknowledged is in the log, character by character, and nothing is in it that was not sent. */
export function assertLogHolds(rows, record) {
  const seqs = new Map();
  for (const row of rows) {
    seqs.set(row.sid, Math.max(seqs.get(row.sid) ?? 0, row.seq + row.len - 1));
    if (row.kind !== 0) continue;
    for (const [i, char] of [...row.value].entries()) {
      assert.equal(record.characterOf({ sid: row.sid, seq: row.seq + i }), char);
    }
  }
  for (const sid of record.sids) {
    const acked = record.ackedSeq(sid);
    assert.ok((seqs.get(sid) ?? 0) >= acked, `site ${sid}: ${acked} acknowledged, ${seqs.get(sid)} kept`);
  }
}

/** The text that the log means, by the paper's naive algorithm. */
export function textOf(rows) {
  const replica = new NaiveReplica(0);
  for (const row of rows) {
    const ref = row.ref_sid === null ? null : { sid: row.ref_sid, seq: row.ref_seq };
    const chars = row.value === null ? [] : [...row.value];
    for (let i = 0; i < row.len; ++i) {
      const id = { sid: row.sid, seq: row.seq + i, sum: row.sum + i };
      if (row.kind === 0) {
        const left = i > 0 ? { sid: row.sid, seq: row.seq + i - 1 } : ref;
        replica.integrate({ ...id, ref: left === null ? head : nameOf(left), char: chars[i] });
      } else {
        const step = row.kind === 2 ? -i : i;
        replica.integrate({ ...id, erases: nameOf({ sid: ref.sid, seq: ref.seq + step }) });
      }
    }
  }
  return replica.text();
}
