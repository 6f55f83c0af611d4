// Owns the way in which tests talk to the gateway: as strangers do, over HTTP, with wallets, session keys and API keys
// of their own. It refuses to reach behind it, except for reading the state hash.

import { type LocalAccount, privateKeyToAccount } from "viem/accounts";
import { expect } from "vitest";
import { poseidonKeyOf } from "../../evidence/eddsa-poseidon.ts";
import { signConsent } from "../../evidence/enrolment.ts";
import type { ShownWindow } from "../../evidence/meter-proof.ts";
import { secretCommitment } from "../../evidence/meter-statement.ts";
import { receiptKeyOf } from "../../evidence/receipt.ts";
import { sessionKeyOf, signSession } from "../../evidence/session-signature.ts";
import type { Command, CommandType } from "../../protocol/commands.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { type Hex, NO_ADDRESS } from "../../protocol/fields.ts";
import { commandDigest, typedDataOf } from "../../protocol/typed-data.ts";
import { profileNamed } from "../durable-objects/profile.ts";
import {
  FIRST_SLOT,
  gateway,
  MIDNIGHT_S,
  prover,
  RegionUnderTest,
} from "../durable-objects/region-under-test.ts";
import { DOMAIN, GRID, PARAMETERS, TREASURY, word } from "../support/market.ts";
import { DEPLOYMENT, OPERATOR_SECRET } from "../support/object-deployment.ts";
import type { WindowToProve } from "../support/window-to-prove.ts";
import proofs from "../vectors/proofs.json" with { type: "json" };

export const ORIGIN = "https://polder.example";
export const CHAIN_ID = 31_337;
export const RECEIPT_KEY = receiptKeyOf(`0x${DEPLOYMENT.RECEIPT_SEED}`);

/** A wallet of a number's own. */
export const walletOf = (number: number): LocalAccount => privateKeyToAccount(word(number));
export const operator: LocalAccount = privateKeyToAccount(OPERATOR_SECRET);
export const addressOf = (wallet: LocalAccount): Hex => wallet.address.toLowerCase() as Hex;

/** Who may enrol meters in the regions under test. */
export const installer: LocalAccount = walletOf(0x1257);

const LIMITS = { nameplateWh: 5_000, connectionWh: 4_000, saleCapWh: 12_000, purchaseCapWh: 10_000 };

/** The secret of the household that a gateway's seed belongs to. */
export const secretOf = (seed: Hex): bigint => (BigInt(seed) >> 8n) + 1n;

const WELL_FORMED = {
  kind: "meter-proof",
  root: word(1),
  nullifier: word(2),
  heldBack: [],
  proof: proofs[0]?.proof,
};

/** Claims of a window and what they rest on. */
export interface Readings {
  readonly command: Command;
  readonly evidence: unknown;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: an answer is whatever came
  readonly json: any;
}

/** One request; a body that is not a string is sent as JSON. */
export async function request(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const response = await gateway.fetch(`${ORIGIN}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  let json: unknown = null;
  try {
    json = JSON.parse(text);
  } catch {
    // CSV, NDJSON, HTML.
  }
  return { status: response.status, headers: response.headers, text, json };
}

type Fields = Readonly<Record<string, unknown>>;

export interface SignedBody {
  readonly chainId: number;
  readonly command: Command;
  readonly signature: Hex;
  readonly sessionKey?: Hex;
  readonly evidence?: unknown;
}

let regions = 0;
let nonces = 0;

/** A region of the deployment, with a home that has a meter, money, a session key and an API key. */
export class GatewayUnderTest {
  readonly name: string;
  readonly path: string;
  /** The same region from behind. */
  readonly region: RegionUnderTest;
  readonly home = walletOf(1);
  readonly account = addressOf(this.home);
  readonly gatewaySeed = word(0x6a7e);
  readonly sessionSeed = word(0x5e55);
  readonly apiKey = { authorization: `Bearer polder_${this.account.slice(2)}${this.sessionSeed.slice(2)}` };

  constructor(name?: string) {
    regions += 1;
    this.name = name ?? `polder-${regions}`;
    this.path = `/v1/regions/${this.name}`;
    this.region = new RegionUnderTest(this.name);
  }

  /** A command bound to now. */
  command(type: CommandType, fields: Fields = {}): Command {
    nonces += 1;
    const expiresAtS = Math.floor(Date.now() / 1000) + 600;
    return { type, region: this.name, nonce: nonces, expiresAtS, ...fields } as unknown as Command;
  }

  /** Signs as a wallet does, by viem and not by our own hashing. */
  async signed(wallet: LocalAccount, command: Command, evidence?: unknown): Promise<SignedBody> {
    const signature = await wallet.signTypedData(typedDataOf(DOMAIN, command) as never);
    return { chainId: CHAIN_ID, command, signature, ...(evidence === undefined ? {} : { evidence }) };
  }

  /** Signs as the session key of a seed. */
  bySession(seed: Hex, command: Command, evidence?: unknown): SignedBody {
    const signature = signSession(seed, commandDigest(DOMAIN, command));
    return {
      chainId: CHAIN_ID,
      command,
      signature,
      sessionKey: sessionKeyOf(seed),
      ...(evidence === undefined ? {} : { evidence }),
    };
  }

  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply> {
    return request("POST", `${this.path}${path}`, body, headers);
  }

  get(path: string, headers?: Record<string, string>): Promise<Reply> {
    return request("GET", `${this.path}${path}`, undefined, headers);
  }

  openCommand(more: Fields = {}): Command {
    return this.command("open_region", {
      timeZone: "Europe/Amsterdam",
      windowSlots: 4,
      epochSlots: 8,
      quote: "test",
      operator: addressOf(operator),
      gridOperator: GRID,
      treasury: TREASURY,
      mirror: NO_ADDRESS,
      receiptKey: RECEIPT_KEY,
      parameters: PARAMETERS,
      ...more,
    });
  }

  async open(more: Fields = {}): Promise<Reply> {
    const body = await this.signed(operator, this.openCommand(more));
    return request("POST", "/v1/regions", { ...body, profile: profileNamed(this.name) });
  }

  enrolCommand(seed: Hex, more: Fields = {}): Command {
    const [x, y] = poseidonKeyOf(bytesOfHex(seed));
    return this.command("enrol_meter", {
      gatewayX: x.toString(),
      gatewayY: y.toString(),
      commitment: secretCommitment(secretOf(seed)).toString(),
      connection: seed,
      ...LIMITS,
      windowSlots: 4,
      replaces: word(0),
      ...more,
    });
  }

  /** A gateway's enrolment by the installer, with the gateway's consent. */
  enrol(seed: Hex, more: Fields = {}): Promise<SignedBody> {
    const command = this.enrolCommand(seed, more);
    return this.signed(installer, command, signConsent(seed, this.context, secretCommitment(secretOf(seed))));
  }

  /** What this region's evidence is bound to. */
  get context() {
    return { ...DOMAIN, regionId: this.name, windowSlots: 4 } as const;
  }

  sessionCommand(seed: Hex, more: Fields = {}): Command {
    return this.command("authorise_session", {
      account: this.account,
      key: sessionKeyOf(seed),
      resources: ["energy"],
      sides: ["sell", "buy"],
      leastAskMicrosPerKwh: 50_000,
      highestBidMicrosPerKwh: 400_000,
      dailyWh: 1_000_000,
      leastAskMicrosPerTera: 0,
      highestBidMicrosPerTera: 0,
      dailyMega: 0,
      spendingLimitMicros: 1_000_000_000,
      sessionExpiresAtS: MIDNIGHT_S + 86_400,
      ...more,
    });
  }

  orderFields(more: Fields = {}): Fields {
    const steps = [{ limitPriceMicrosPerKwh: 100_000, capWhPerSlot: 1_000 }];
    return {
      account: this.account,
      side: "sell",
      steps,
      validFromS: 0,
      validUntilS: 0,
      hours: [],
      replaces: 0,
      ...more,
    };
  }

  /** Claims with evidence that is well formed and proves nothing: for what is refused before a pairing. */
  readings(netWh: readonly number[], firstSlot = FIRST_SLOT, more: Fields = {}): Readings {
    const command = this.command("submit_readings", { account: this.account, firstSlot, netWh });
    return { command, evidence: { ...WELL_FORMED, ...more } };
  }

  /** Claims of a window with a real proof of them. */
  async proved(
    netWh: readonly number[],
    { firstSlot = FIRST_SLOT, seed = this.gatewaySeed, account = this.account, policy = {} } = {},
  ): Promise<Readings> {
    const { leaves } = (await this.get(`/registry/${firstSlot}`)).json;
    const window: WindowToProve = {
      context: this.context,
      firstSlot,
      account,
      netWh,
      gatewaySeed: seed,
      secret: secretOf(seed).toString(),
      limits: LIMITS,
      leaves,
      policy,
    };
    const response = await prover.fetch("https://prover", { method: "POST", body: JSON.stringify(window) });
    if (!response.ok) throw new Error(await response.text());
    const shown = (await response.json()) as ShownWindow;
    const command = this.command("submit_readings", { account, firstSlot, netWh: shown.netWh });
    return { command, evidence: shown.evidence };
  }

  /** Opened, with the home's meter, money and session key. */
  static async furnished(name?: string, opening: Fields = {}): Promise<GatewayUnderTest> {
    const polder = new GatewayUnderTest(name);
    expectAccepted(await polder.open(opening), 201);
    const appointment = polder.command("appoint_installers", { installers: [addressOf(installer)] });
    const steps: [string, LocalAccount, Command][] = [
      ["/installers", operator, appointment],
      [
        "/credits",
        operator,
        polder.command("credit_test_quote", { account: polder.account, amountMicros: 1_000_000_000 }),
      ],
      ["/sessions", polder.home, polder.sessionCommand(polder.sessionSeed)],
    ];
    for (const [path, wallet, command] of steps)
      expectAccepted(await polder.post(path, await polder.signed(wallet, command)), 201);
    expectAccepted(await polder.post("/meters", await polder.enrol(polder.gatewaySeed)), 201);
    return polder;
  }

  /** Expects a request to be refused with this code as a problem document, and the region's state to be the same. */
  async refuse(code: ErrorCode, send: () => Promise<Reply>): Promise<Record<string, unknown>> {
    const before = await this.region.stateHash();
    const reply = await send();
    expect(reply.json?.code ?? reply.text).toBe(code);
    expect(reply.status).toBe(reply.json.status);
    expect(reply.headers.get("content-type")).toContain("application/problem+json");
    expect(await this.region.stateHash()).toEqual(before);
    return reply.json.facts as Record<string, unknown>;
  }
}

/** Expects an accepted command's answer. */
export function expectAccepted(reply: Reply, status: number): Reply["json"] {
  expect(reply.json ?? reply.text).toMatchObject({
    entry: expect.any(Number),
    receipt: { key: RECEIPT_KEY },
  });
  expect(reply.status).toBe(status);
  return reply.json;
}

function bytesOfHex(hex: Hex): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, index) =>
    Number.parseInt(hex.slice(2 + 2 * index, 4 + 2 * index), 16),
  );
}
