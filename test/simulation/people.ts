// Owns who takes part in a simulated region and how they sign: an operator, households with wallets, session keys and
// gateways, an intruder. It refuses nothing: what a key may do is the region's to say.

import { privateKeyToAccount, sign } from "viem/accounts";
import { DOMAIN, seedOf } from "../../bench/fleet.ts";
import { ed25519Signer } from "../../durable-objects/digest.ts";
import { poseidonKeyOf } from "../../evidence/eddsa-poseidon.ts";
import { type GatewayWindow, gatewayIdOfSeed, signWindow } from "../../evidence/gateway-window.ts";
import { sessionKeyOf } from "../../evidence/session-signature.ts";
import type { CommandSignature } from "../../evidence/verified-command.ts";
import type { Command } from "../../protocol/commands.ts";
import type { Hex } from "../../protocol/fields.ts";
import { commandId, type SigningDomain } from "../../protocol/typed-data.ts";

export { DOMAIN };
export const REGION = "simulated";

/** Somebody with a wallet. */
export interface Person {
  readonly name: string;
  readonly account: Hex;
  readonly secret: Hex;
}

/** A key an account's wallet may authorise. */
export interface SessionKey {
  readonly seed: Hex;
  readonly key: Hex;
  readonly sign: (digest: Uint8Array) => Hex;
}

/** A device that measures and signs. */
export interface Gateway {
  readonly seed: Hex;
  readonly id: Hex;
  readonly x: string;
  readonly y: string;
}

export interface Household extends Person {
  readonly keys: readonly SessionKey[];
  readonly gateways: readonly Gateway[];
}

const KEYS = 3;
const GATEWAYS = 2;
/** Households whose every step is drawn. */
export const HOUSEHOLDS = 3;

function person(name: string): Person {
  const secret = seedOf(`simulated ${name}`);
  return { name, secret, account: privateKeyToAccount(secret).address.toLowerCase() as Hex };
}

function household(index: number): Household {
  const name = `home ${index}`;
  const keys = Array.from({ length: KEYS }, (_, key) => {
    const seed = seedOf(`${name}, key ${key}`);
    const signer = ed25519Signer(seed);
    return { seed, key: sessionKeyOf(seed), sign: signer };
  });
  const gateways = Array.from({ length: GATEWAYS }, (_, gateway) => {
    const seed = seedOf(`${name}, gateway ${gateway}`);
    const [x, y] = poseidonKeyOf(Buffer.from(seed.slice(2), "hex"));
    return { seed, id: gatewayIdOfSeed(seed), x: x.toString(), y: y.toString() };
  });
  return { ...person(name), keys, gateways };
}

export const OPERATOR = person("operator");
export const GRID = person("grid operator");
export const TREASURY = person("treasury");
export const INTRUDER = person("intruder");
/** The household that the shipping agent runs. */
export const AGENT_HOME: Household = household(HOUSEHOLDS);
export const HOMES: readonly Household[] = Array.from({ length: HOUSEHOLDS }, (_, index) => household(index));

export const keyOf = ({ keys }: Household, key: number): SessionKey => keys[key] as SessionKey;
export const gatewayOf = ({ gateways }: Household, index: number): Gateway => gateways[index] as Gateway;
export const homeOf = (who: number): Household => HOMES[who] as Household;

/** Who signs a command, and bound to which deployment. */
export type Pen = (command: Command, domain?: SigningDomain) => Promise<CommandSignature>;

/** Many seeds begin alike and both schemes are deterministic, so what was signed before is not signed again. */
const signatures = new Map<string, Hex>();
const MOST_KEPT = 20_000;

async function once(name: string, make: () => Hex | Promise<Hex>): Promise<Hex> {
  const kept = signatures.get(name);
  if (kept !== undefined) return kept;
  const signature = await make();
  if (signatures.size < MOST_KEPT) signatures.set(name, signature);
  return signature;
}

export function walletPen({ secret }: Person): Pen {
  return async (command, domain = DOMAIN) => {
    const hash = commandId(domain, command);
    const signature = await once(`${secret}${hash}`, () => sign({ hash, privateKey: secret, to: "hex" }));
    return { scheme: "wallet", signature };
  };
}

export function sessionPen({ key, sign: signWith }: SessionKey): Pen {
  return async (command, domain = DOMAIN) => {
    const digest = Buffer.from(commandId(domain, command).slice(2), "hex");
    return { scheme: "session", key, signature: signWith(digest) };
  };
}

const windows = new Map<string, GatewayWindow>();

/** A gateway's signature over a window of four slots. */
export function windowOf({ seed }: Gateway, firstSlot: number, netWh: readonly number[]): GatewayWindow {
  const name = `${seed} ${firstSlot} ${netWh.join()}`;
  let window = windows.get(name);
  if (window === undefined) {
    window = signWindow(seed, { ...DOMAIN, regionId: REGION, windowSlots: 4 }, firstSlot, netWh);
    if (windows.size < MOST_KEPT) windows.set(name, window);
  }
  return window;
}
