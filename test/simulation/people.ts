// Owns who takes part in a simulated region and how they sign: an operator, an installer, households with wallets, session
// keys and gateways, an intruder. It refuses nothing: what a key may do is the region's to say.

import { privateKeyToAccount, sign } from "viem/accounts";
import { DOMAIN, seedOf } from "../../bench/fleet.ts";
import { ed25519Signer } from "../../durable-objects/digest.ts";
import { type FieldPoint, poseidonKeyOf } from "../../evidence/eddsa-poseidon.ts";
import { gatewayIdOf } from "../../evidence/gateway-window.ts";
import { sessionKeyOf } from "../../evidence/session-signature.ts";
import type { CommandSignature } from "../../evidence/verified-command.ts";
import type { Command } from "../../protocol/commands.ts";
import type { Hex } from "../../protocol/fields.ts";
import { commandId, type SigningDomain } from "../../protocol/typed-data.ts";
import { kept } from "./kept.ts";

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
  readonly key: FieldPoint;
}

export interface Household extends Person {
  readonly keys: readonly SessionKey[];
  readonly gateways: readonly Gateway[];
}

const KEYS = 3;
/** Gateways of a household; the second is not enrolled from the start. */
export const GATEWAYS = 2;
/** Households whose every step is drawn. */
export const HOUSEHOLDS = 3;

function person(name: string): Person {
  const secret = seedOf(`simulated ${name}`);
  return { name, secret, account: privateKeyToAccount(secret).address.toLowerCase() as Hex };
}

function household(name: string): Household {
  const keys = Array.from({ length: KEYS }, (_, key) => {
    const seed = seedOf(`${name}, key ${key}`);
    const signer = ed25519Signer(seed);
    return { seed, key: sessionKeyOf(seed), sign: signer };
  });
  const gateways = Array.from({ length: GATEWAYS }, (_, gateway) => {
    const seed = seedOf(`${name}, gateway ${gateway}`);
    const key = poseidonKeyOf(Buffer.from(seed.slice(2), "hex"));
    return { seed, id: gatewayIdOf(key), key };
  });
  return { ...person(name), keys, gateways };
}

export const OPERATOR = person("operator");
export const GRID = person("grid operator");
export const TREASURY = person("treasury");
/** Enrols and revokes meters; never sees an account. */
export const INSTALLER = person("installer");
/** Somebody with a household's outfit that nobody ever enrolled or opened an account for. */
export const INTRUDER = household("intruder");
/** The household that the shipping agent runs. */
export const AGENT_HOME: Household = household(`home ${HOUSEHOLDS}`);
export const HOMES: readonly Household[] = Array.from({ length: HOUSEHOLDS }, (_, index) =>
  household(`home ${index}`),
);
/** Everybody who has meters. */
export const METERED: readonly Household[] = [...HOMES, AGENT_HOME];

export const keyOf = ({ keys }: Household, key: number): SessionKey => keys[key] as SessionKey;
export const gatewayOf = ({ gateways }: Household, index: number): Gateway => gateways[index] as Gateway;
/** A household's secret for a gateway; it may draw several, one after the other. */
export const secretOf = ({ name }: Household, gateway: number, number: number): bigint =>
  BigInt(seedOf(`${name}, gateway ${gateway}, secret ${number}`)) >> 8n;
export const homeOf = (who: number): Household => HOMES[who] as Household;

/** Who signs a command, and bound to which deployment. */
export type Pen = (command: Command, domain?: SigningDomain) => Promise<CommandSignature>;

/** Many seeds begin alike and both schemes are deterministic, so what was signed before is not signed again. */
const signatures = new Map<string, Promise<Hex>>();

export function walletPen({ secret }: Person): Pen {
  return async (command, domain = DOMAIN) => {
    const hash = commandId(domain, command);
    const make = (): Promise<Hex> => sign({ hash, privateKey: secret, to: "hex" });
    const signature = await kept(signatures, `${secret}${hash}`, make);
    return { scheme: "wallet", signature };
  };
}

export function sessionPen({ key, sign: signWith }: SessionKey): Pen {
  return async (command, domain = DOMAIN) => {
    const digest = Buffer.from(commandId(domain, command).slice(2), "hex");
    return { scheme: "session", key, signature: signWith(digest) };
  };
}
