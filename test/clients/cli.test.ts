// Owns the command line as a person or a script meets it: what each command prints, how it ends, and what it says of
// bad input. It refuses keys anywhere but in the environment.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { derivedKey, operatorWallet } from "../../clients/local/neighbourhood.ts";
import { type Stack, startStack } from "../../clients/local/stack.ts";
import { PolderClient } from "../../clients/sdk/client.ts";
import { parseApiKey, sessionKeyOf } from "../../evidence/session-signature.ts";
import type { Hex } from "../../protocol/fields.ts";
import { CommandLine } from "../support/client-commands.ts";
import { type Running, start } from "../support/client-process.ts";
import { BEGINS_AT_S, eventually, REGION, SEED, termsOf, varsOf } from "../support/client-region.ts";
import { nem12Of } from "../support/meter-files.ts";

/** A window of an hour in eight seconds of wall time, in which two households prove. */
const RATE = 450;
const PATIENCE_MS = 90_000;
vi.setConfig({ testTimeout: 120_000 });

let stack: Stack;
let folder: string;
let client: PolderClient;
let line: CommandLine;
let clients: Running[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "polder-cli-"));
  stack = await startStack({ vars: varsOf(RATE), logger: () => {} });
  client = new PolderClient(stack.url);
  line = new CommandLine(stack.url, folder);
});

afterAll(async () => {
  for (const { process: started } of clients) started.kill("SIGKILL");
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

const polder = (...args: Parameters<CommandLine["run"]>) => line.run(...args);
const good = (...args: Parameters<CommandLine["good"]>) => line.good(...args);
const bad = (...args: Parameters<CommandLine["bad"]>) => line.bad(...args);
const file = (name: string) => line.file(name);
const write = (...args: Parameters<CommandLine["write"]>) => line.write(...args);

const OPERATOR_KEY = { POLDER_WALLET_KEY: derivedKey(SEED, "operator") };
const INSTALLER_KEY = { POLDER_WALLET_KEY: derivedKey(SEED, "installer") };
const STEP = ["--step", "0.12:500"];

/** A home of this test: its wallet, and what the commands made for it. */
class Home {
  readonly walletKey: Hex;
  readonly account: Hex;
  meterFile = "";
  apiKey = "";
  constructor(name: string) {
    this.walletKey = derivedKey(SEED, `${name}/wallet`);
    this.account = privateKeyToAccount(this.walletKey).address.toLowerCase() as Hex;
  }
  get key() {
    return { POLDER_API_KEY: this.apiKey };
  }
  get wallet() {
    return { POLDER_WALLET_KEY: this.walletKey };
  }
}
const seller = new Home("seller");
const buyer = new Home("buyer");

function openingFile(): string {
  const { profile, ...terms } = termsOf();
  return write("region.json", {
    profile,
    ...terms,
    quote: "test",
    gridOperator: `0x${"11".repeat(20)}`,
    treasury: `0x${"22".repeat(20)}`,
  });
}

describe("before there is a region", () => {
  test("rejects: what is not a command, a deployment, a region or a file", async () => {
    const { status, stderr } = await polder(["sell"]);
    expect(status).toBe(1);
    expect(stderr).toContain("unknown command 'sell'");
    await bad([
      [["region", "show"], /has no region yet/],
      [["region", "show", "--region", "nowhere"], /^region_not_found: /],
      [["region", "list", "--url", "http://127.0.0.1:1"], /no answer from http:\/\/127\.0\.0\.1:1/],
      [["region", "open", file("absent.json")], /ENOENT/, OPERATOR_KEY],
      [["region", "open", write("broken.json", "{")], /broken\.json: .*JSON/, OPERATOR_KEY],
      [["region", "open", write("odd.json", { more: 1 })], /profile: /, OPERATOR_KEY],
      [["region", "open", openingFile()], /set POLDER_API_KEY .* or POLDER_WALLET_KEY/],
      [["region", "open", openingFile()], /^not_operator: /, { POLDER_WALLET_KEY: seller.walletKey }],
    ]);
  });

  test("invariant: no command takes a key on its command line", async () => {
    const nouns = ["region", "account", "bill", "order", "key", "agent", "meter", "certificate", "audit"];
    const help = async (args: string[]) => (await polder([...args, "--help"])).stdout;
    for (const noun of nouns) {
      const text = await help([noun]);
      expect(text).toContain(`Usage: polder ${noun}`);
      const verbs = [...text.matchAll(/^ {2}([a-z]+) (?:\[|<).*$/gm)].map(([, verb]) => verb as string);
      const all = [
        text,
        ...(await Promise.all(verbs.filter((verb) => verb !== "help").map((verb) => help([noun, verb])))),
      ];
      for (const one of all) expect(one).not.toMatch(/--[a-z-]*(seed|secret|token|wallet|private|api-key)/);
    }
  });
});

describe("an operator", () => {
  test("behavior: opens a region, which everybody then finds", async () => {
    expect(await good(["region", "open", openingFile()], OPERATOR_KEY)).toMatch(
      new RegExp(`^${REGION} is open \\(entry 1\\)`),
    );
    const [list, show, json, nearest] = await Promise.all([
      good(["region", "list"]),
      good(["region", "show"]),
      good(["region", "show", "--json", "--region", REGION]),
      good(["region", "nearest", "--latitude", "52.4", "--longitude", "5.5"]),
    ]);
    expect(list).toMatch(/polder-clients.*Flevoland.*simulation/);
    expect(show).toMatch(/network fee.*0\.020000 EUR per kWh/);
    expect(JSON.parse(json)).toMatchObject({
      profile: { operator: operatorWallet(SEED).address.toLowerCase() },
      market: { windowSlots: 4 },
    });
    expect(nearest).toMatch(/polder-clients.*11\.1/);
  });

  test("behavior: appoints an installer who enrols, credits test money, sets parameters; a household makes its keys", async () => {
    const installer = privateKeyToAccount(INSTALLER_KEY.POLDER_WALLET_KEY).address;
    expect(await good(["region", "installers", installer], OPERATOR_KEY)).toBe(
      `${installer.toLowerCase()}\n`,
    );
    for (const home of [seller, buyer]) {
      home.meterFile = file(`${home.account}.meter.json`);
      const request = file(`${home.account}.request.json`);
      await good(["meter", "prepare", "--meter-file", home.meterFile, "--request", request]);
      const connection = ["--connection-tag", derivedKey(SEED, `${home.account}/connection`)];
      expect(await good(["meter", "enroll", request, ...connection], INSTALLER_KEY)).toMatch(
        /^gateway 0x[0-9a-f]{64} measures from \d{4}-\d\d-\d\d \d\d:\d\d on/,
      );
      expect(await good(["region", "credit", home.account, "100"], OPERATOR_KEY)).toBe(
        `credited 100000000 micros to ${home.account}\n`,
      );
      home.apiKey = (await good(["key", "create", "--spend", "50"], home.wallet)).trim();
      expect(parseApiKey(home.apiKey)?.account).toBe(home.account);
    }
    const { parameters } = termsOf({ takeRateBps: 90 });
    expect(await good(["region", "parameters", write("parameters.json", parameters)], OPERATOR_KEY)).toMatch(
      /^version 2 holds from epoch \d+ on/,
    );
  });
});

/** Every quarter-hour of the test's first days, as rows of their net. */
function csvMeter(name: string, netWh: number): string {
  const rows = Array.from(
    { length: 960 },
    (_, index) => `${new Date((BEGINS_AT_S + index * 900) * 1000).toISOString()},${netWh}`,
  );
  return `csv:${write(name, ["start,netWh", ...rows].join("\n"))}`;
}

/** The same days as their import and, to be netted, their export. */
function nem12Meter(name: string, importWh: number, exportWh: number): string {
  const days = 12 * 96;
  const text = nem12Of(
    [
      { register: "E1", minutes: 5, microWh: Array<number>(3 * days).fill((importWh * 1e6) / 3) },
      { register: "B1", minutes: 15, microWh: Array<number>(days).fill(exportWh * 1e6) },
    ],
    BEGINS_AT_S - 86_400,
  );
  return `nem12:${write(name, text)}`;
}

describe("a household", () => {
  test("behavior: two agents trade until Ctrl-C, and the bill shows it as a table, as CSV and as JSON", async () => {
    const agents = [
      [seller, csvMeter("seller.csv", 400)] as const,
      [buyer, nem12Meter("buyer.csv", 330, 30)] as const,
    ].map(([home, meter]) => {
      const { account, meterFile, key } = home;
      const own = ["--meter", meter, "--meter-file", meterFile, "--memory", file(`${account}.ndjson`)];
      return start("cli/main.ts", ["agent", "start", ...own], { POLDER_URL: stack.url, ...key });
    });
    clients = agents;
    const hasTraded = async () =>
      (await client.bill(REGION, buyer.account)).lines.some(({ tradedWh }) => tradedWh === -300);
    expect(await eventually(hasTraded, PATIENCE_MS)).toBe(true);
    for (const { process: started } of agents) started.kill("SIGINT");
    for (const { ended, stdout, stderr } of agents) {
      expect(await ended).toBe(0);
      expect(stdout()).toMatch(
        /^agent trades for 0x[0-9a-f]{40} in polder-clients with gateway 0x[0-9a-f]{64}; claims are rounded down to 50 Wh/m,
      );
      expect(stdout()).toMatch(
        /[24] orders placed, [1-9]\d* proofs made, [1-9]\d* windows claimed, \d+ missed, [1-9]\d* receipts in .*ndjson\n$/,
      );
      // On a busy machine a window may be missed, which is said and no fault; so is one before the enrolment.
      expect(stderr().replaceAll(/^.* (was missed|is not claimed): .*\n/gm, "")).toBe("");
    }
    const [table, csv, json, dear, account, slots] = await Promise.all([
      good(["bill", buyer.account]),
      good(["bill", buyer.account, "--csv"]),
      good(["bill", buyer.account, "--json"]),
      good(["bill", buyer.account, "--retail", "0.9", "--feed-in", "-0.1", "--json"]),
      good(["account", "show", buyer.account]),
      good(["region", "slots", "--last", "4"]),
    ]);
    expect(table).toMatch(/sold, bought\W+0\.000, \d+\.\d{3} kWh/);
    expect(table).toMatch(/your tariff alone \(flat: 0\.300000 \/ 0\.080000\)/);
    const lines = JSON.parse(json) as { tradedWh: number; gainMicros: number }[];
    const [head, ...rows] = csv.trimEnd().split(/\r?\n/);
    expect(head).toMatch(/^slot,start\w*,meteredWh,tradedWh,/);
    expect(rows.length).toBeGreaterThanOrEqual(lines.length - 4);
    expect(lines.some(({ tradedWh, gainMicros }) => tradedWh === -300 && gainMicros > 0)).toBe(true);
    const gain = (text: string) =>
      (JSON.parse(text) as typeof lines).reduce((sum, { gainMicros }) => sum + gainMicros, 0);
    expect(gain(dear)).toBeGreaterThan(gain(json));
    expect(account).toMatch(/free\W+\d+\.\d{6} EUR/);
    expect(slots).toMatch(/surplus kWh/);
  });

  test("behavior: a file's owner learns what it would have gained under the region's terms and share", async () => {
    const tariff = write("own.json", {
      name: "own",
      currency: "EUR",
      feedInPerKwh: "0.08",
      retail: { kind: "flat", perKwh: "0.30" },
    });
    const args = ["meter", "estimate", file("buyer.csv"), "--tariff", tariff, "--region", REGION, "--json"];
    const measured = JSON.parse(await good(args));
    expect(measured.assumptions.join("\n")).toMatch(/fee, take rate and price rule are those of .* today/);
    expect(measured.assumptions.join("\n")).toMatch(/traded of all homes' at the same hour of the day/);
    expect(measured.total).toMatchObject({ slots: 12 * 96, needWh: 12 * 96 * 300, surplusWh: 0 });
    expect(measured.total.gainMicros).toBeGreaterThan(0);
    const all = JSON.parse(await good([...args, "--share", "1"]));
    expect(all.total.boughtWh).toBe(all.total.needWh);
    expect(all.total.gainMicros).toBeGreaterThanOrEqual(measured.total.gainMicros);
  });

  test("behavior: orders are placed, listed, replaced and cancelled; a key revokes itself", async () => {
    const placed = await good(
      ["order", "place", "sell", "--step", "0.11:500", "--step", "0.2", "--hours", "9,10"],
      seller.key,
    );
    const number = /^order (\d+) stands/.exec(placed)?.[1] as string;
    const replaced = await good(["order", "replace", number, "sell", "--step", "0.13"], seller.wallet);
    const second = /^order (\d+) stands/.exec(replaced)?.[1] as string;
    const listed = await good(["order", "list", seller.account]);
    expect(listed).toMatch(new RegExp(`${second}.*sell.*0\\.130000 up to 1000\\.000 kWh.*live`));
    expect(await good(["order", "cancel", second], seller.key)).toMatch(new RegExp(`^order ${second} ends`));
    const shown = JSON.parse(await good(["account", "show", seller.account, "--json"])) as {
      sessions: { key: Hex }[];
    };
    const key = sessionKeyOf(parseApiKey(seller.apiKey)?.seed as Hex);
    expect(shown.sessions.map((session) => session.key)).toContain(key);
    expect(await good(["key", "revoke", "-"], seller.key)).toMatch(/^revoked/);
    await bad([[["order", "place", "sell", ...STEP], /^session_(revoked|unknown): /, seller.key]]);
  });
});

describe("an auditor", () => {
  test("behavior: audits what it downloads, keeps it, and audits it again with the households' receipts", async () => {
    const words = await good(["audit", "--receipts", folder, "--save", file("journal.txt")]);
    expect(words).toMatch(
      /^audit ok: polder-clients, \d+ entries: \d+ commands with \d+ signatures and [1-9]\d* evidences, [1-9]\d* proofs of meters, [1-9]\d* roots of the registry/,
    );
    expect(words).toMatch(/head [0-9a-f]{64}\nstate 0x[0-9a-f]{64}\n$/);
    const report = JSON.parse(
      await good([
        "audit",
        "--json",
        "--journal",
        file("journal.txt"),
        "--receipts",
        file(`${buyer.account}.ndjson`),
      ]),
    );
    expect(report).toMatchObject({ auditOk: true, failure: null });
    expect(report.receipts).toBeGreaterThan(0);
    expect(readFileSync(file("journal.txt"), "utf8").split("\n")).toHaveLength(report.entries + 1);
  });

  test("rejects: a tampered journal, with status 1 and the number of its entry", async () => {
    const saved = readFileSync(file("journal.txt"), "utf8");
    const lines = saved.split("\n");
    const index = lines.findIndex((line) => line.includes('"type":"credit_test_quote"'));
    const richer = (lines[index] as string).replaceAll(
      '"amountMicros":100000000',
      '"amountMicros":900000000',
    );
    const receipts = readFileSync(file(`${buyer.account}.ndjson`), "utf8")
      .split("\n")
      .filter((line) => line.includes('"receipt"'));
    const last = (JSON.parse(receipts.at(-1) as string) as { receipt: { entry: number } }).receipt.entry;
    const first = (JSON.parse(receipts[0] as string) as { receipt: { entry: number } }).receipt.entry;
    const cases: [string, string, string[], number][] = [
      ["richer.txt", lines.with(index, richer).join("\n"), [], index + 1],
      ["carriage.txt", saved.replace("}\n", "}\r"), [], 1],
      ["missing.txt", lines.toSpliced(4, 1).join("\n"), [], 5],
      [
        "cut.txt",
        `${lines.slice(0, first - 1).join("\n")}\n`,
        ["--receipts", file(`${buyer.account}.ndjson`)],
        first,
      ],
      ["noise.txt", `${saved}more\n`, [], lines.length],
    ];
    expect(last).toBeGreaterThan(first);
    for (const [name, content, more, entry] of cases) {
      const { status, stdout } = await polder(["audit", "--journal", write(name, content), ...more]);
      expect(status, name).toBe(1);
      expect(stdout, name).toMatch(new RegExp(`^audit failed at entry ${entry}: `));
    }
    await bad([[["audit", "--journal", file("absent.txt")], /ENOENT/]]);
  });
});
