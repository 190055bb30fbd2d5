// Reads and writes the databases of a Worker that is not running.
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const folderOf = (stateDir) => join(stateDir, "v3", "d1", "miniflare-D1DatabaseObject");
const isLog = (database) => database.prepare("select 1 from sqlite_master where name = 'deliveries'").get() !== undefined;

/** Gives the LOG database below a state folder to `work`, to be written: the Worker was stopped, not killed. */
export function changeLog(stateDir, work) {
  const folder = folderOf(stateDir);
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".sqlite"))) {
    const database = new DatabaseSync(join(folder, name));
    try {
      if (isLog(database)) return work(database);
    } finally {
      database.close();
    }
  }
  throw new Error(`no LOG database below ${stateDir}`);
}

/**
 * The rows of a query on the LOG database below a state folder. It reads a copy: opening the files
 * of a killed Worker would tidy up its write-ahead log, which is the Worker's to do.
 */
export function readLog(stateDir, sql, ...params) {
  const folder = folderOf(stateDir);
  const copies = mkdtempSync(join(tmpdir(), "posthorn-d1-"));
  try {
    for (const name of readdirSync(folder)) copyFileSync(join(folder, name), join(copies, name));
    for (const name of readdirSync(copies).filter((file) => file.endsWith(".sqlite"))) {
      const database = new DatabaseSync(join(copies, name));
      try {
        if (isLog(database)) return database.prepare(sql).all(...params);
      } finally {
        database.close();
      }
    }
    throw new Error(`no LOG database below ${stateDir}`);
  } finally {
    rmSync(copies, { recursive: true, force: true });
  }
}
