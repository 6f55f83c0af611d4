// Owns how a meter gets into a registry by the command line, and out of it: what a household keeps, what an installer is
// shown, and what each is told of a mistake. It refuses a secret anywhere but in the household's own file.

import { readFileSync, statSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { connectionTag } from "../../clients/cli/connection-tag.ts";
import {
  enrolmentRequestText,
  readEnrolmentRequest,
  requestEnrolment,
  WIDEST_LIMITS,
} from "../../clients/household/enrolment-request.ts";
import { readMeterDocument } from "../../clients/household/meter-documents.ts";
import { derivedKey } from "../../clients/local/neighbourhood.ts";
import { gatewayIdOf, gatewayIdOfSeed, regionTag } from "../../evidence/gateway-window.ts";
import { meterLeaf, secretCommitment } from "../../evidence/meter-statement.ts";
import { nodeHex } from "../../protocol/quad-tree.ts";
import { CommandLine } from "../support/client-commands.ts";
import { type OpenRegion, openRegionAt, REGION, SEED } from "../support/client-region.ts";

vi.setConfig({ testTimeout: 120_000 });

const INSTALLER = { POLDER_WALLET_KEY: derivedKey(SEED, "installer") };
const REGISTRAR = { POLDER_REGISTRAR_KEY: derivedKey(SEED, "registrar") };
const GATEWAY_SEED = derivedKey(SEED, "sealed gateway");
const TAG = ["--connection-tag", derivedKey(SEED, "a connection")];

let region: OpenRegion;
let line: CommandLine;

beforeAll(async () => {
  region = await openRegionAt(2);
  // The installer is appointed with the first household.
  await region.household("somebody");
  line = new CommandLine(region.stack.url, region.stateFolder);
});
afterAll(() => region.stop());

const file = (name: string) => line.file(name);
const entries = async () => (await region.client.head(REGION)).entry;

/** The leaves of the next window. */
async function leaves(): Promise<readonly string[]> {
  const { slot } = await region.client.market(REGION);
  return (await region.client.registry(REGION, slot - (slot % 4) + 4)).leaves;
}

function leafOf(meterFile: string): string {
  const {
    chainId,
    settlement,
    region: regionId,
    secret,
    gateway,
    limits,
  } = readMeterDocument(readFileSync(meterFile, "utf8"));
  const context = { chainId, settlement, regionId, windowSlots: 4 } as const;
  return nodeHex(meterLeaf(gateway, secretCommitment(secret), regionTag(context), limits));
}

async function prepared(
  name: string,
  ...more: string[]
): Promise<{ meter: string; request: string; said: string }> {
  const [meter, request] = [file(`${name}.meter.json`), file(`${name}.request.json`)];
  const said = await line.good(["meter", "prepare", "--meter-file", meter, "--request", request, ...more]);
  return { meter, request, said };
}

describe("a connection's tag", () => {
  const key = derivedKey("tags", "registrar");

  test("rejects: what is no number of a connection", () => {
    for (const number of ["", "   ", "é", "1_2", "1".repeat(65), "12;34"])
      expect(() => connectionTag(key, number), number).toThrow(/up to 64 letters and digits/);
  });

  test("behavior: is the same however the number is written, and another under another key", () => {
    const tag = connectionTag(key, "871685900012345678");
    expect(tag).toMatch(/^0x[0-9a-f]{64}$/);
    for (const written of ["8716 8590 0012 3456 78", " 871685900012345678\n", "8716-8590-0012-3456-78"])
      expect(connectionTag(key, written), written).toBe(tag);
    expect(connectionTag(key, "nmi 41a")).toBe(connectionTag(key, "NMI41A"));
    expect(connectionTag(derivedKey("tags", "another"), "871685900012345678")).not.toBe(tag);
  });
});

describe("an enrolment's request", () => {
  const context = {
    chainId: 31_337,
    settlement: `0x${"00".repeat(20)}`,
    regionId: REGION,
    windowSlots: 4,
  } as const;
  const text = enrolmentRequestText(requestEnrolment(context, GATEWAY_SEED, 7n, WIDEST_LIMITS));

  test("rejects: what is none, is for elsewhere, says more, or whose gateway did not consent", () => {
    const bent = (changes: object) => JSON.stringify({ ...JSON.parse(text), ...changes });
    const cases: [string, RegExp][] = [
      ["{", /^must be JSON/],
      [bent({ format: "polder-meter/1" }), /^format: /],
      [bent({ commitment: "7" }), /^consent: is not the gateway's signature/],
      [bent({ region: "elsewhere" }), /^consent: is not the gateway's signature/],
      [bent({ chainId: 1 }), /^consent: is not the gateway's signature/],
      [bent({ windowSlots: 96 }), /^consent: is not the gateway's signature/],
      [bent({ gatewayX: "7" }), /^consent: the gateway's key is not a point/],
      [bent({ consent: { kind: "meter-proof" } }), /^consent/],
      [bent({ limits: { ...WIDEST_LIMITS, saleCapWh: 2 ** 27 } }), /^limits\.saleCapWh: /],
      [bent({ account: "0x" }), /account/],
    ];
    for (const [odd, reason] of cases)
      expect(() => readEnrolmentRequest(odd), odd.slice(0, 80)).toThrow(reason);
  });

  test("behavior: is read as it was written, with nothing in it that only its household knows", () => {
    const request = readEnrolmentRequest(text);
    expect(enrolmentRequestText(request)).toBe(text);
    expect(request).toMatchObject({ context, commitment: secretCommitment(7n), limits: WIDEST_LIMITS });
    expect(Object.keys(JSON.parse(text))).toEqual([
      ...["format", "chainId", "settlement", "region", "windowSlots"],
      ...["gatewayX", "gatewayY", "commitment", "consent", "limits"],
    ]);
  });
});

describe("what is refused", () => {
  test("rejects: files, connections, keys and gateways that are none, each in words", async () => {
    const before = await entries();
    const { request, meter } = await prepared("refused");
    const enrol = (which: string) => ["meter", "enroll", which, ...TAG];
    await line.bad([
      [enrol(file("absent.json")), /absent\.json: ENOENT/, INSTALLER],
      [enrol(meter), /meter\.json: format: /, INSTALLER],
      [["meter", "enroll", request], /name the grid connection with --connection-number or/, INSTALLER],
      [["meter", "enroll", request, "--connection-number", "1"], /set POLDER_REGISTRAR_KEY/, INSTALLER],
      [
        ["meter", "enroll", request, "--connection-number", "1_2"],
        /up to 64 letters and digits/,
        { ...INSTALLER, ...REGISTRAR },
      ],
      [["meter", "enroll", request, "--connection-number", "1", ...TAG], /cannot be used with/, INSTALLER],
      [enrol(request), /set POLDER_API_KEY .* or POLDER_WALLET_KEY/],
      [enrol(request), /^not_installer: /, { POLDER_WALLET_KEY: derivedKey(SEED, "somebody/wallet") }],
      [["meter", "rotate", request, ...TAG], /^meter_not_found: /, INSTALLER],
      [["meter", "revoke", `0x${"12".repeat(32)}`], /^meter_not_found: /, INSTALLER],
      [["region", "installers"], /name the installers' wallets, or nobody with --none/, INSTALLER],
      [["region", "installers", "--none"], /^not_operator: /, INSTALLER],
      [["region", "admit", `0x${"12".repeat(20)}`], /^not_operator: /, INSTALLER],
    ]);
    expect(await entries()).toBe(before);
  });

  test("rejects: a household's file is not written over, and not read where others may", async () => {
    const { meter, request } = await prepared("kept");
    const before = readFileSync(meter, "utf8");
    await line.bad([
      [
        ["meter", "prepare", "--meter-file", meter, "--request", file("x.json")],
        /kept\.meter\.json is there already/,
      ],
      [
        ["meter", "prepare", "--meter-file", file("x.json"), "--request", request],
        /kept\.request\.json is there already/,
      ],
      [
        ["meter", "prepare", "--meter-file", file("x.json"), "--nameplate-wh", "-1"],
        /whole number from 0 to/,
      ],
      [
        ["meter", "prepare", "--meter-file", file("x.json"), "--request", file("y.json")],
        /not a gateway's seed/,
        { POLDER_GATEWAY_SEED: "0x12" },
      ],
      [["meter", "limits", file("none.json")], /none\.json: ENOENT/],
    ]);
    expect(readFileSync(meter, "utf8")).toBe(before);
    writeFileSync(file("open.json"), before, { mode: 0o644 });
    await line.bad([[["meter", "limits", file("open.json")], /others may read it: chmod 600/]]);
  });
});

describe("a meter's life", () => {
  test("behavior: a household prepares, an installer enrols by the connection's number, and only the leaf is known", async () => {
    const { meter, request, said } = await prepared(
      "alive",
      "--nameplate-wh",
      "1500",
      "--sale-cap-wh",
      "60000",
    );
    expect(statSync(meter).mode & 0o777).toBe(0o600);
    const { secret, gateway, gatewaySeed, limits } = readMeterDocument(readFileSync(meter, "utf8"));
    expect(limits).toMatchObject({ nameplateWh: 1_500, saleCapWh: 60_000 });
    expect(gatewayIdOfSeed(gatewaySeed as `0x${string}`)).toBe(gatewayIdOf(gateway));
    expect(said).toContain(gatewayIdOf(gateway));
    for (const text of [said, readFileSync(request, "utf8")]) {
      expect(text).not.toContain(String(secret));
      expect(text).not.toContain((gatewaySeed as string).slice(2));
    }
    expect(readEnrolmentRequest(readFileSync(request, "utf8")).limits).toEqual(limits);
    const number = ["--connection-number", "8716 8590 0012 3456 78"];
    const keys = { ...INSTALLER, ...REGISTRAR };
    const enrolled = await line.good(["meter", "enroll", request, ...number], keys);
    expect(enrolled).toMatch(/^gateway 0x[0-9a-f]{64} measures from \d{4}-\d\d-\d\d \d\d:\d\d on\n$/);
    expect(await leaves()).toContain(leafOf(meter));
    // Another meter of the same connection, however its number is written.
    const second = await prepared("second");
    const written = ["--connection-number", "871685900012345678"];
    await line.bad([[["meter", "enrol", second.request, ...written], /^meter_exists: .*connection/, keys]]);
  });

  test("behavior: an installer's other limits are taken over by a household, or nothing can be claimed", async () => {
    const { meter, request } = await prepared("limited");
    const tag = ["--connection-tag", derivedKey(SEED, "limited")];
    const said = await line.good(["meter", "enroll", request, ...tag, "--nameplate-wh", "700"], INSTALLER);
    const told = /polder meter limits <meter-file> (.*)$/m.exec(said)?.[1] as string;
    expect(await leaves()).not.toContain(leafOf(meter));
    expect(await line.good(["meter", "limits", meter, ...told.split(" ")])).toMatch(
      /a slot exports up to 700 and/,
    );
    expect(statSync(meter).mode & 0o777).toBe(0o600);
    expect(await leaves()).toContain(leafOf(meter));
  });

  test("behavior: a secret is rotated in place, a gateway is exchanged, and a meter is revoked at once", async () => {
    const sealed = { POLDER_GATEWAY_SEED: GATEWAY_SEED };
    const tag = ["--connection-tag", derivedKey(SEED, "rotating")];
    const [meter, request] = [file("first.meter.json"), file("first.request.json")];
    await line.good(["meter", "prepare", "--meter-file", meter, "--request", request], sealed);
    expect(readFileSync(meter, "utf8"), "a sealed gateway's seed is in no file").not.toContain(
      GATEWAY_SEED.slice(2),
    );
    await line.good(["meter", "enroll", request, ...tag], INSTALLER);
    const old = leafOf(meter);
    const position = (await leaves()).indexOf(old);
    // The same gateway, another secret.
    const args = ["meter", "prepare", "--gateway-of", meter];
    await line.bad([
      [[...args, "--meter-file", file("x.json"), "--request", file("y.json")], /set POLDER_GATEWAY_SEED to/],
    ]);
    const [again, anew] = [file("again.meter.json"), file("again.request.json")];
    await line.good([...args, "--meter-file", again, "--request", anew], sealed);
    await line.bad([[["meter", "enroll", anew, ...tag], /^meter_exists: .*gateway/, INSTALLER]]);
    await line.good(["meter", "rotate", anew, ...tag], INSTALLER);
    expect((await leaves()).at(position)).toBe(leafOf(again));
    expect(await leaves()).not.toContain(old);
    // Another gateway on the same connection.
    const exchanged = await prepared("exchanged");
    const gateway = gatewayIdOfSeed(GATEWAY_SEED);
    const rotate = ["meter", "rotate", exchanged.request, "--replaces", gateway];
    await line.bad([
      [[...rotate, "--connection-tag", derivedKey(SEED, "other")], /^connection_mismatch: /, INSTALLER],
    ]);
    await line.good([...rotate, ...tag], INSTALLER);
    expect((await leaves()).at(position)).toBe(leafOf(exchanged.meter));
    const { gateway: key } = readMeterDocument(readFileSync(exchanged.meter, "utf8"));
    expect(await line.good(["meter", "revoke", gatewayIdOf(key), "--emergency"], INSTALLER)).toMatch(
      /^revoked at once/,
    );
    expect(await leaves()).not.toContain(leafOf(exchanged.meter));
  });

  test("behavior: an operator names installers and admits accounts", async () => {
    const operator = { POLDER_WALLET_KEY: derivedKey(SEED, "operator") };
    const [low, high] = [`0x${"1a".repeat(20)}`, `0x${"c3".repeat(20)}`] as const;
    expect(
      await line.good(["region", "installers", high, low.toUpperCase().replace("X", "x"), high], operator),
    ).toBe(`${low}\n${high}\n`);
    const { request } = await prepared("too late");
    await line.bad([[["meter", "enroll", request, ...TAG], /^not_installer: /, INSTALLER]]);
    expect(await line.good(["region", "installers", "--none"], operator)).toBe("nobody may enrol meters\n");
    expect(await line.good(["region", "admit", high], operator)).toBe(`${high} is open\n`);
    await line.bad([[["region", "admit", high], /^account_exists: /, operator]]);
  });
});
