// Owns an object's storage as the platform keeps it, over node:sqlite: what one turn writes is one transaction, which is
// durable some time later; a crash loses what is not. It refuses every call of an object that has died.

import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

/** What a disk that was told to fail throws; the object lives on and must roll back. */
export class DiskFailed extends Error {
  override readonly name = "DiskFailed";
}

/** What an object meets that has died in the middle of its work: it can neither read nor write any more. */
export class ObjectDied extends Error {
  override readonly name = "ObjectDied";
}

/** A turn's writes on their way to being durable. */
export interface Turn {
  readonly number: number;
  readonly alarmMs: number | null;
  /** Let go when the turn is durable: answers and calls that the output gate holds back. */
  readonly held: (() => void)[];
}

/** What goes wrong at a coming write: the disk fails it, or the object dies with it. */
export interface Accident {
  readonly kind: "fail" | "die";
  /** Counts writes to this table only, or to any. */
  readonly table: string | null;
  /** Writes that still go well. */
  after: number;
  /** Writes in a row that fail. */
  times: number;
}

type Row = Record<string, SqlStorageValue>;

/** One object's durable storage. It has what the region's store uses of `DurableObjectStorage`, with the same meaning. */
export class SimulatedStorage {
  readonly #database = new DatabaseSync(":memory:");
  readonly #statements = new Map<string, StatementSync>();
  /** Turns that are written and not yet durable, oldest first. */
  readonly #inFlight: Turn[] = [];
  #held: (() => void)[] = [];
  #isDirty = false;
  #isOpen = false;
  /** The last turn before the open database transaction began. */
  #ground = 0;
  #turns = 0;
  #lastDurable = 0;
  #depth = 0;
  #alarmMs: number | null = null;
  #durableAlarmMs: number | null = null;
  accident: Accident | null = null;
  isDead = false;
  /** How often an accident happened, by kind. */
  readonly accidents = { fail: 0, die: 0 };
  /** Bugs of the platform itself, for testing the tester. */
  readonly bugs = {
    keepsHalfTransactions: false,
    answersEarly: false,
    forgetsAlarms: false,
    /** Name of a table that no crash leaves anything of. */
    forgetsOnCrash: "",
  };
  /** Asked before each write; true drops it silently: a bug of the platform, for testing the tester. */
  drops: (query: string) => boolean = () => false;

  readonly sql = {
    exec: (query: string, ...values: unknown[]) => this.#exec(query, values),
    size: () => this.#pages("page_count") * this.#pages("page_size"),
    get databaseSize(): number {
      return this.size();
    },
  };

  /** The same object as the type that the region's code wants; it uses nothing else of it. */
  get asPlatform(): DurableObjectStorage {
    return this as unknown as DurableObjectStorage;
  }

  /** Runs synchronous work in a transaction; a throw undoes it and is thrown on. */
  transactionSync<T>(work: () => T): T {
    this.#begin();
    const name = `step${this.#depth}`;
    this.#database.exec(`SAVEPOINT ${name}`);
    this.#depth += 1;
    try {
      const result = work();
      this.#database.exec(`RELEASE ${name}`);
      return result;
    } catch (fault) {
      if (!this.bugs.keepsHalfTransactions) this.#database.exec(`ROLLBACK TO ${name}`);
      this.#database.exec(`RELEASE ${name}`);
      throw fault;
    } finally {
      this.#depth -= 1;
    }
  }

  async setAlarm(wallMs: number | Date): Promise<void> {
    // Nobody is left to be told.
    if (this.isDead) return new Promise(() => undefined);
    if (this.#depth > 0) throw new Error("an alarm inside a transaction is not simulated");
    if (this.bugs.forgetsAlarms && this.#alarmMs === null && this.#turns > 60) return;
    this.#begin();
    this.#alarmMs = Number(wallMs);
    this.#isDirty = true;
  }

  // --- What the platform does, and no object can. ---

  /** The same data for somebody who only looks: the schema is there already, and every write is refused. */
  reader(): DurableObjectStorage {
    const exec = (query: string, ...values: unknown[]) => {
      if (!/^\s*(SELECT|CREATE TABLE IF NOT EXISTS)/i.test(query))
        throw new Error(`a reader writes: ${query}`);
      return cursorOf(/^\s*SELECT/i.test(query) ? this.#run(query, values) : []);
    };
    return { sql: { exec } } as unknown as DurableObjectStorage;
  }

  /** When the alarm goes off, as far as that is durable. */
  get durableAlarmMs(): number | null {
    return this.#durableAlarmMs;
  }

  /** True when all that was written is durable. */
  get isSettled(): boolean {
    return !this.#isDirty && this.#inFlight.length === 0;
  }

  /** True where sections of a snapshot are stored that does not count yet. */
  get hasHalfSnapshot(): boolean {
    if (this.#tables("sections", "snapshots") < 2) return false;
    const loose =
      "SELECT COUNT(*) AS n FROM sections WHERE generation NOT IN (SELECT generation FROM snapshots)";
    return (this.#run(loose, [])[0] as { n: number }).n > 0;
  }

  /** The alarm is spent as it goes off, in the turn of its handler: a crash brings it back. */
  spendAlarm(): void {
    this.#begin();
    this.#alarmMs = null;
    this.#isDirty = true;
  }

  /** The output gate: lets something leave the object when all that was written before it is durable. */
  leave(send: () => void): void {
    if (this.bugs.answersEarly) send();
    else if (this.#isDirty) this.#held.push(send);
    else if (this.#inFlight.length > 0) (this.#inFlight.at(-1) as Turn).held.push(send);
    else send();
  }

  /** Ends a turn; answers the turn that must become durable, or null when it wrote nothing. */
  endTurn(): Turn | null {
    if (!this.#isDirty) return null;
    this.#turns += 1;
    const turn = { number: this.#turns, alarmMs: this.#alarmMs, held: this.#held };
    this.#database.exec(`SAVEPOINT turn${turn.number}`);
    this.#inFlight.push(turn);
    this.#held = [];
    this.#isDirty = false;
    return turn;
  }

  /** A turn, and every one before it, is durable now. Answers what it held back; null when a crash was faster. */
  makeDurable(turn: Turn): readonly (() => void)[] | null {
    const index = this.#inFlight.indexOf(turn);
    if (index < 0) return null;
    const held = this.#inFlight.splice(0, index + 1).flatMap((one) => one.held);
    this.#lastDurable = turn.number;
    this.#durableAlarmMs = turn.alarmMs;
    if (this.isSettled) this.#commit();
    return held;
  }

  /** The machine under the object is gone: what was not durable never happened, and nothing held back leaves. */
  crash(): void {
    if (this.#isOpen) {
      const reached = this.#lastDurable > this.#ground ? `turn${this.#lastDurable}` : "ground";
      this.#database.exec(`ROLLBACK TO ${reached}`);
      this.#commit();
    }
    if (this.#tables(this.bugs.forgetsOnCrash) === 1)
      this.#database.exec(`DELETE FROM ${this.bugs.forgetsOnCrash}`);
    this.#inFlight.length = 0;
    this.#held = [];
    this.#isDirty = false;
    this.#depth = 0;
    this.#alarmMs = this.#durableAlarmMs;
    this.isDead = false;
  }

  /** Makes every further call fail until `crash` has cleared up. */
  kill(): void {
    this.isDead = true;
  }

  close(): void {
    this.#database.close();
  }

  #begin(): void {
    this.#mustLive();
    if (this.#isOpen) return;
    this.#database.exec("BEGIN; SAVEPOINT ground");
    this.#isOpen = true;
    this.#ground = this.#turns;
  }

  #commit(): void {
    if (!this.#isOpen) return;
    this.#database.exec("COMMIT");
    this.#isOpen = false;
  }

  #mustLive(): void {
    if (this.isDead) throw new ObjectDied("the object has died");
  }

  #exec(query: string, values: readonly unknown[]) {
    this.#mustLive();
    let rows: Row[] = [];
    if (/^\s*SELECT/i.test(query)) rows = this.#run(query, values);
    else {
      this.#begin();
      this.#isDirty = true;
      this.#meetAccident(query);
      if (!this.drops(query)) rows = this.#run(query, values);
    }
    return cursorOf(rows);
  }

  #run(query: string, values: readonly unknown[]): Row[] {
    if (/^\s*CREATE/i.test(query)) {
      this.#database.exec(query);
      return [];
    }
    let statement = this.#statements.get(query);
    if (statement === undefined) {
      statement = this.#database.prepare(query);
      this.#statements.set(query, statement);
    }
    const rows = statement.all(...values.map(storable)) as Record<string, unknown>[];
    for (const row of rows)
      for (const name in row) if (row[name] instanceof Uint8Array) row[name] = row[name].slice().buffer;
    return rows as Row[];
  }

  #meetAccident(query: string): void {
    const { accident } = this;
    if (accident === null) return;
    if (
      accident.table !== null &&
      !query.includes(` ${accident.table} `) &&
      !query.endsWith(` ${accident.table}`)
    )
      return;
    if (accident.after > 0) {
      accident.after -= 1;
      return;
    }
    accident.times -= 1;
    if (accident.times <= 0) this.accident = null;
    this.accidents[accident.kind] += 1;
    if (accident.kind === "fail") throw new DiskFailed("a disk that was told to fail");
    this.kill();
    throw new ObjectDied("the object died while it wrote");
  }

  /** How many of some tables there are. */
  #tables(...names: readonly string[]): number {
    const query = `SELECT COUNT(*) AS n FROM sqlite_master WHERE name IN (${names.map(() => "?").join()})`;
    return (this.#run(query, names)[0] as { n: number }).n;
  }

  #pages(pragma: "page_count" | "page_size"): number {
    return (this.#run(`SELECT ${pragma} AS n FROM pragma_${pragma}`, [])[0] as { n: number }).n;
  }
}

/** What a query answers; it is read to its end at once, so no cursor is open while others write. */
function cursorOf(rows: readonly Row[]) {
  return {
    toArray: () => rows,
    one: () => {
      if (rows.length !== 1) throw new Error(`expected exactly one row and got ${rows.length}`);
      return rows[0] as Row;
    },
    [Symbol.iterator]: () => rows[Symbol.iterator](),
  };
}

/** The platform takes buffers, node:sqlite views of them. */
function storable(value: unknown): SQLInputValue {
  return value instanceof ArrayBuffer ? new Uint8Array(value) : (value as SQLInputValue);
}
