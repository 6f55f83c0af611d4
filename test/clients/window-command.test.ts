// Owns the promises of `polder agent window`: a window is signed once, when it is over, of what the meter knows, and comes
// out as the proving page takes it.

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readSignedWindow } from "../../clients/household/meter-documents.ts";
import { pairMisfit, windowMisfit } from "../../web/proving/document-fit.ts";
import { type Ended, runToEnd } from "../support/client-process.ts";
import { type ProvingRegion, startProvingRegion, WINDOW_SLOTS } from "../support/proving-region.ts";
import { REGION } from "../support/web-region.ts";

const folder = mkdtempSync(join(tmpdir(), "polder-window-"));
const meterFile = join(folder, "meter.json");
const memory = join(folder, "agent.ndjson");
const out = join(folder, "window.json");
let region: ProvingRegion;
let over: number;

const write = (args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
  runToEnd(
    "cli/main.ts",
    [
      "agent",
      "window",
      "--url",
      region.url,
      "--meter-file",
      meterFile,
      "--memory",
      memory,
      "--out",
      out,
      ...args,
    ],
    env,
  );

describe("a signed window as a file", () => {
  beforeAll(async () => {
    region = await startProvingRegion();
    writeFileSync(meterFile, region.meterText(), { mode: 0o600 });
    over = region.firstSlot() - 4 * WINDOW_SLOTS;
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await region?.stop();
  });

  test("rejects: a window not over or of no such start, one nobody measured, a missing or wrong seed; nothing is written", async () => {
    const seed = { POLDER_GATEWAY_SEED: region.keys.gatewaySeed };
    const series = join(folder, "old.csv");
    writeFileSync(series, "start,net\n2020-01-01T00:00:00Z,0.1\n2020-01-01T00:15:00Z,0.2\n");
    const mapping = join(folder, "mapping.json");
    const values = { net: { column: "net", positive: "export" } };
    writeFileSync(mapping, JSON.stringify({ time: { columns: "start" }, unit: "kWh", values }));
    const old = `csv:${series},${mapping}`;
    const refused: [readonly string[], Record<string, string>, RegExp][] = [
      [["--first-slot", String(over + 400)], seed, /is not over yet/],
      [["--first-slot", String(over + 1)], seed, /no window begins at slot/],
      [["--first-slot", String(over)], seed, /has no such window: name what to sign with --meter/],
      [["--first-slot", String(over), "--meter", old], seed, /knows nothing of the window/],
      [["--first-slot", String(over), "--meter", "generated:7"], {}, /has no gateway's seed/],
      [
        ["--first-slot", String(over), "--meter", "generated:7"],
        { POLDER_GATEWAY_SEED: `0x${"77".repeat(32)}` },
        /seed of another gateway/,
      ],
    ];
    for (const [args, env, words] of refused) {
      const { status, stderr } = await write(args, env);
      expect(stderr, `${words}`).toMatch(words);
      expect(status).toBe(1);
      expect(() => statSync(out)).toThrow();
    }
  });

  test("behavior: it is signed once, fits the region and the meter, and is read by its owner alone", async () => {
    const seed = { POLDER_GATEWAY_SEED: region.keys.gatewaySeed };
    const args = ["--first-slot", String(over), "--meter", "generated:7"];
    const { status, stdout, stderr } = await write(args, seed);
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(stdout).toContain(`${region.url}/prove?region=${REGION}`);
    expect(statSync(out).mode & 0o077).toBe(0);
    const text = readFileSync(out, "utf8");
    const window = readSignedWindow(text);
    expect(window.firstSlot).toBe(over);
    expect(window.netWh.some((wh) => wh !== 0)).toBe(true);
    const { chainId, settlement } = region.context;
    expect(
      windowMisfit(window, { chainId, settlement, region: REGION, windowSlots: WINDOW_SLOTS }),
    ).toBeNull();
    expect(pairMisfit(window, region.meter)).toBeNull();
    expect((await write(args, seed)).stderr).toMatch(/is there already/);
    // Another meter's readings change nothing: what was signed stands in the memory.
    rmSync(out);
    expect((await write(["--first-slot", String(over), "--meter", "generated:8"], seed)).status).toBe(0);
    expect(readFileSync(out, "utf8")).toBe(text);
  });
});
