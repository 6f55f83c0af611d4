// Owns what five years of the economy must show from outside, at every price and under every demand: nothing minted or paid that
// a rule does not give. It refuses options that are none.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Ended, runToEnd } from "../support/client-process.ts";

const TIMEOUT_MS = 240_000;
const TOKEN = 10n ** 18n;
const MILLION = 1_000_000n;
/** The local region's. */
const PER_FEE = 100n * TOKEN;
const BREAK_EVEN = 10_000n;
const RESOURCES = ["energy", "compute", "bandwidth"] as const;
type Resource = (typeof RESOURCES)[number];

/** What is read of the printed object: base units and prices are decimal texts. */
interface ResourceYear {
  readonly feesMicros: number;
  readonly networkMicros: number;
  readonly rewards: string;
  readonly providersAtEnd: number;
  readonly selfTradeResultMicros: string;
}
interface Year {
  readonly year: number;
  readonly epochs: number;
  readonly paidMicros: number;
  readonly receivedMicros: number;
  readonly feesMicros: number;
  readonly networkMicros: number;
  readonly dustMicros: number;
  readonly emission: string;
  readonly rewards: string;
  readonly unreached: string;
  readonly outrunsAboveMicros: string | null;
  readonly outrunEpochs: number;
  readonly treasuryAtEndMicros: number;
  readonly mintedAtEnd: string;
  readonly supplyAtEnd: string;
  readonly treasuryPerTokenMicros: string;
  readonly resources: Readonly<Record<Resource, ResourceYear>>;
}
interface Run {
  readonly tokenMicros: string;
  readonly years: readonly Year[];
}
interface Printed {
  readonly scenario: string;
  readonly seed: number;
  readonly epochs: number;
  readonly token: { readonly cap: string; readonly atBirth: string };
  readonly resources: readonly { readonly resource: Resource; readonly exists: boolean }[];
  readonly breakEvenMicrosPerToken: string | null;
  readonly pricesMicros: readonly string[];
  readonly curves: readonly { readonly curve: string; readonly runs: readonly Run[] }[];
  readonly selfTraderShares: readonly {
    readonly rewardPerFee: string;
    readonly breakEvenMicrosPerToken: string;
    readonly atPrices: readonly {
      readonly tokenMicros: string;
      readonly shareBps: number;
      readonly resultMicros: string;
    }[];
  }[];
  readonly files: readonly string[];
}

const folder = mkdtempSync(join(tmpdir(), "polder-economy-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const scenario = (...args: string[]) => runToEnd("scenario/main.ts", ["economy", ...args]);

function printed({ status, stdout, stderr }: Ended): Printed {
  const lines = stdout.trimEnd().split("\n");
  expect({ status, lines: lines.length }, stderr).toEqual({ status: 0, lines: 1 });
  return JSON.parse(lines[0] as string) as Printed;
}

/** The run that the docs show. */
const out = join(folder, "five");
let ended: Ended;
let result: Printed;
beforeAll(async () => {
  ended = await scenario("--years", "5", "--json", "--out", out);
  result = printed(ended);
}, TIMEOUT_MS);

describe("what cannot be run", () => {
  test(
    "rejects: options and files that are none, in one line and with status 1, and writes nothing",
    async () => {
      const file = (name: string, content: string) => {
        writeFileSync(join(folder, name), content);
        return join(folder, name);
      };
      const cases: [string[], RegExp][] = [
        [["--years", "0"], /whole number from 1 to 30/],
        [["--price", "0.1,cheap"], /not a plain decimal/],
        [["--weights", "1,2"], /three whole numbers/],
        [["--parameters", join(folder, "absent.json")], /absent\.json/],
        [
          ["--parameters", file("rate.json", '{"takeRateBps":2001}')],
          /takeRateBps.*got 2001, least 0, most 2000/,
        ],
      ];
      const none = join(folder, "none");
      await Promise.all(
        cases.map(async ([args, reason]) => {
          const { status, stdout, stderr } = await scenario("--json", "--out", none, ...args);
          expect({ status, stdout }, args.join(" ")).toEqual({ status: 1, stdout: "" });
          expect(stderr).toMatch(reason);
          expect(stderr.trimEnd().split("\n"), args.join(" ")).toHaveLength(1);
        }),
      );
      expect(existsSync(none)).toBe(false);
    },
    TIMEOUT_MS,
  );
});

describe("five years of days", () => {
  const runs = () => result.curves.flatMap(({ curve, runs }) => runs.map((run) => ({ curve, ...run })));
  const years = () =>
    runs().flatMap(({ curve, tokenMicros, years }) => years.map((year) => ({ curve, tokenMicros, ...year })));

  test("behavior: three demands at prices from nothing to far above the break-even price, with their seed", () => {
    expect(result).toMatchObject({ scenario: "economy", seed: 1, epochs: 1_825 });
    expect(ended.stderr).toMatch(/seed 1: 5 years/);
    expect(result.breakEvenMicrosPerToken).toBe(String(BREAK_EVEN));
    expect(result.pricesMicros[0]).toBe("0");
    expect(BigInt(result.pricesMicros.at(-1) as string)).toBeGreaterThan(BREAK_EVEN * 10n);
    expect(result.curves.map(({ curve }) => curve)).toEqual(["steady", "growth", "collapse"]);
    expect(years()).toHaveLength(3 * result.pricesMicros.length * 5);
    expect(result.resources.map(({ resource, exists }) => [resource, exists])).toEqual([
      ["energy", true],
      ["compute", false],
      ["bandwidth", false],
    ]);
  });

  test("invariant: what may be emitted falls as the rule says, and rewards stay within it", () => {
    let emission = 1_000n * TOKEN;
    const byYear = Array.from({ length: 5 }, () => {
      let sum = 0n;
      for (let epoch = 0; epoch < 365; epoch += 1) {
        sum += emission;
        emission = (emission * 9_990n) / 10_000n;
      }
      return sum;
    });
    for (const year of years()) {
      expect(BigInt(year.emission)).toBe(byYear[year.year - 1]);
      expect(BigInt(year.rewards) + BigInt(year.unreached)).toBe(BigInt(year.emission));
      expect(BigInt(year.unreached)).toBeGreaterThanOrEqual(0n);
      expect(BigInt(year.rewards)).toBeGreaterThan(0n);
    }
  });

  test("invariant: the supply is what was there and what was rewarded, below the cap and the emission's sum", () => {
    const { cap, atBirth } = result.token;
    for (const run of runs()) {
      let emitted = 0n;
      let rewarded = 0n;
      for (const year of run.years) {
        emitted += BigInt(year.emission);
        rewarded += BigInt(year.rewards);
        expect(BigInt(year.mintedAtEnd)).toBe(rewarded);
        expect(BigInt(year.supplyAtEnd)).toBe(BigInt(atBirth) + rewarded);
        expect(rewarded).toBeLessThanOrEqual(emitted);
        expect(BigInt(year.supplyAtEnd)).toBeLessThanOrEqual(BigInt(cap));
      }
    }
  });

  test("invariant: rewards never exceed the fees times what a fee may earn, so they outrun fees above break-even only", () => {
    for (const year of years()) {
      for (const { rewards, feesMicros } of [year, ...Object.values(year.resources)]) {
        expect(BigInt(rewards) * MILLION).toBeLessThanOrEqual(BigInt(feesMicros) * PER_FEE);
      }
      expect(BigInt(year.outrunsAboveMicros as string)).toBeGreaterThanOrEqual(BREAK_EVEN);
      const price = BigInt(year.tokenMicros);
      if (price <= BREAK_EVEN) expect(year.outrunEpochs, `${year.curve} at ${price}`).toBe(0);
      else expect(year.outrunEpochs, `${year.curve} at ${price}`).toBeGreaterThan(0);
    }
  });

  test("invariant: every micro that buyers paid is with sellers, the grid operator or the treasury", () => {
    for (const run of runs()) {
      let treasury = 0;
      for (const year of run.years) {
        const { paidMicros, receivedMicros, feesMicros, networkMicros, dustMicros } = year;
        expect(paidMicros - receivedMicros).toBe(feesMicros + networkMicros + dustMicros);
        const { energy, compute, bandwidth } = year.resources;
        expect(energy.feesMicros + compute.feesMicros + bandwidth.feesMicros).toBe(feesMicros);
        expect(energy.networkMicros).toBe(networkMicros);
        treasury += feesMicros + dustMicros;
        expect(year.treasuryAtEndMicros).toBe(treasury);
        expect(networkMicros).toBeGreaterThan(0);
      }
    }
  });

  test("invariant: trading with oneself loses up to the break-even price and gains far enough above it", () => {
    for (const { curve, tokenMicros, years } of runs()) {
      const price = BigInt(tokenMicros);
      for (const { resources, year } of years) {
        for (const resource of RESOURCES) {
          const left = BigInt(resources[resource].selfTradeResultMicros);
          const told = `${resource}, ${curve}, year ${year}, at ${price}`;
          if (price <= BREAK_EVEN) expect(left < 0n, told).toBe(true);
          // A kWh pays the grid's fee besides: the more the others sell of a small emission, the more a token must bear.
          else if (resource !== "energy" || price >= BREAK_EVEN * 50n) expect(left > 0n, told).toBe(true);
        }
      }
    }
  });

  test("invariant: whoever picks the volume trades nothing with itself up to break-even, whatever a fee may earn", () => {
    expect(new Set(result.selfTraderShares.map(({ rewardPerFee }) => rewardPerFee)).size).toBeGreaterThan(4);
    for (const { breakEvenMicrosPerToken, rewardPerFee, atPrices } of result.selfTraderShares) {
      expect(BigInt(breakEvenMicrosPerToken) * BigInt(rewardPerFee)).toBe(MILLION * TOKEN);
      for (const { tokenMicros, shareBps, resultMicros } of atPrices) {
        expect(shareBps).toBeLessThanOrEqual(10_000);
        if (BigInt(tokenMicros) <= BigInt(breakEvenMicrosPerToken)) {
          expect({ shareBps, resultMicros }).toEqual({ shareBps: 0, resultMicros: "0" });
        } else {
          expect(shareBps).toBeGreaterThan(0);
          expect(BigInt(resultMicros) > 0n).toBe(true);
        }
      }
    }
  });

  test("invariant: in every epoch too, as the table of epochs has it", () => {
    const [head, ...lines] = readFileSync(join(out, "epochs.csv"), "utf8").trimEnd().split("\n");
    const names = (head as string).split(",");
    expect(lines).toHaveLength(3 * result.pricesMicros.length * result.epochs);
    let treasury = 0n;
    let minted = 0n;
    for (const line of lines) {
      const cells = line.split(",");
      const at = (name: string) => BigInt(cells[names.indexOf(name)] as string);
      if (at("epoch") === 0n) treasury = minted = 0n;
      let rewards = 0n;
      for (const resource of RESOURCES) {
        const reward = at(`${resource}.rewards`);
        const fee = at(`${resource}.feeMicros`);
        if (reward * MILLION > fee * PER_FEE)
          expect.fail(`${line}: ${resource} earns more than its fees allow`);
        rewards += reward;
        treasury += fee + at(`${resource}.dustMicros`);
      }
      minted += rewards;
      if (rewards > at("emission")) expect.fail(`${line}: more than the emission`);
      if (treasury !== at("treasuryMicros") || minted !== at("minted"))
        expect.fail(`${line}: does not add up`);
    }
  });

  test("behavior: charts are pictures that need nothing from elsewhere", () => {
    const pictures = result.files.filter((file) => file.endsWith(".svg"));
    expect(pictures.map((file) => basename(file, ".svg")).sort()).toEqual([
      "fees-against-rewards",
      "providers",
      "self-trader-share",
      "self-trading",
      "supply",
    ]);
    for (const picture of pictures) {
      const text = readFileSync(picture, "utf8");
      expect(text).toMatch(/^<svg /);
      expect(text).toMatch(/steady demand/);
      expect(text.replaceAll(/xmlns(:\w+)?="[^"]*"/g, "")).not.toMatch(/https?:|<script|NaN|undefined/);
    }
  });
});

describe("docs/ECONOMY.md", () => {
  const docs = join(import.meta.dirname, "../../docs");
  const figure = (value: bigint | number) => value.toLocaleString("en");

  test("invariant: its pictures are those of the run (npm run scenario -- economy, then copy .polder/economy/*.svg)", () => {
    const pictures = result.files.filter((file) => file.endsWith(".svg"));
    expect(pictures.length).toBeGreaterThan(0);
    for (const picture of pictures) {
      const kept = readFileSync(join(docs, "pictures/economy", basename(picture)), "utf8");
      expect(kept === readFileSync(picture, "utf8"), basename(picture)).toBe(true);
    }
  });

  test("invariant: its tables say what the run says", () => {
    const page = readFileSync(join(docs, "ECONOMY.md"), "utf8");
    for (const { curve, runs } of result.curves) {
      const at = (price: bigint) => runs.find(({ tokenMicros }) => BigInt(tokenMicros) === price) as Run;
      const { years } = at(BREAK_EVEN);
      const sum = (of: (year: Year) => string | number) =>
        years.reduce((all, year) => all + BigInt(of(year)), 0n);
      const last = years.at(-1) as Year;
      const money = [
        figure(sum(({ feesMicros }) => feesMicros) / MILLION),
        figure(sum(({ networkMicros }) => networkMicros) / MILLION),
        figure(sum(({ rewards }) => rewards) / TOKEN),
        figure(sum(({ emission }) => emission) / TOKEN),
        figure(BigInt(last.supplyAtEnd) / TOKEN),
        (Number(last.treasuryPerTokenMicros) / 1e6).toFixed(4),
      ];
      expect(page).toContain(`| ${curve} | ${money.join(" | ")} |`);
      const providers = [0n, BREAK_EVEN, BREAK_EVEN * 10n, BREAK_EVEN * 50n].map(
        (price) => (at(price).years.at(-1) as Year).resources.energy.providersAtEnd,
      );
      expect(page).toContain(`| ${curve} | ${providers.join(" | ")} |`);
    }
  });
});

describe("a year", () => {
  const year = async (name: string, ...args: string[]) => {
    const { files, ...result } = printed(
      await scenario("--years", "1", "--json", "--out", join(folder, name), ...args),
    );
    return { result, files: files.map((file) => readFileSync(file, "utf8")) };
  };

  test(
    "behavior: a seed is a run, to the last byte of every file, and another seed another",
    async () => {
      const first = await year("first", "--seed", "7");
      expect(await year("second", "--seed", "7")).toEqual(first);
      expect((await year("third", "--seed", "8")).result.curves).not.toEqual(first.result.curves);
    },
    TIMEOUT_MS,
  );

  test(
    "behavior: a region's file is taken as it is, and where fees earn nothing nobody is rewarded",
    async () => {
      const region = JSON.parse(
        readFileSync(join(import.meta.dirname, "../../docs/examples/region.json"), "utf8"),
      ) as { readonly parameters: Record<string, unknown> };
      const file = join(folder, "region.json");
      writeFileSync(file, JSON.stringify(region));
      const { result } = await year("region", "--parameters", file, "--price", "0.5,0,2");
      expect(result).toMatchObject({ parameters: region.parameters, breakEvenMicrosPerToken: "10000" });
      expect(result.pricesMicros).toEqual(["0", "500000", "2000000"]);
      for (const { years } of result.curves.flatMap(({ runs }) => runs)) {
        for (const { resources } of years) {
          expect(BigInt(resources.energy.rewards)).toBeGreaterThan(0n);
          // What neither exists nor has a weight is not in it.
          expect(resources.compute).toMatchObject({ rewards: "0", feesMicros: 0, providersAtEnd: 0 });
        }
      }

      writeFileSync(file, JSON.stringify({ rewardPerFee: "0" }));
      const { result: without } = await year("without", "--parameters", file);
      expect(without).toMatchObject({
        breakEvenMicrosPerToken: null,
        pricesMicros: ["0"],
        selfTraderShares: [],
      });
      for (const { rewards, outrunsAboveMicros } of without.curves.flatMap(
        ({ runs }) => runs[0]?.years ?? [],
      ))
        expect({ rewards, outrunsAboveMicros }).toEqual({ rewards: "0", outrunsAboveMicros: null });
    },
    TIMEOUT_MS,
  );
});
