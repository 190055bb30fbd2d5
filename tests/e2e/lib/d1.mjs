// Reads and writes the databases of a Worker that is not running, those of its objects too.
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const folderOf = (stateDir) => join(stateDir, "v3", "d1", "miniflare-D1DatabaseObject");
const holds = (database, table) => database.prepare("select 1 from sqlite_master where name = ?").get(table) !== undefined;
const isLog = (database) => holds(database, "deliveries");

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
  const [rows] = readEach(folderOf(stateDir), (database) => isLog(database) && database.prepare(sql).all(...params));
  if (!rows) throw new Error(`no LOG database below ${stateDir}`);
  return rows;
}

/** The rows of a query on the storage of every intake below a state folder, read as `readLog` does. */
export function readIntakes(stateDir, sql, ...params) {
  const objects = join(stateDir, "v3", "do");
  const folders = readdirSync(objects).filter((name) => name.endsWith("Intake"));
  const read = (database) => holds(database, "waiting") && database.prepare(sql).all(...params);
  const found = folders.flatMap((name) => readEach(join(objects, name), read));
  if (!found.length) throw new Error(`no intake below ${stateDir}`);
  return found.flat();
}

/** What `read` answers for each database in a folder, where that is anything. */
function readEach(folder, read) {
  const copies = mkdtempSync(join(tmpdir(), "posthorn-d1-"));
  try {
    for (const name of readdirSync(folder)) copyFileSync(join(folder, name), join(copies, name));
    return readdirSync(copies).filter((file) => file.endsWith(".sqlite")).flatMap((name) => {
      const database = new DatabaseSync(join(copies, name));
      try {
        const found = read(database);
        return found ? [found] : [];
      } finally {
        database.close();
      }
    });
  } finally {
    rmSync(copies, { recursive: true, force: true });
  }
}
