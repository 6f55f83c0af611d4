// Owns drafts of what a mirror brings into a region that settles on a chain, numbered and chained as the contract does it. It
// refuses to keep a chain: the region's own counters say which event is next.

import { depositsHashOf } from "../../evidence/deposit-chain.ts";
import { figuresOf } from "../../market/schedule.ts";
import type { CommandOf, Figures, Parameters } from "../../protocol/commands.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { EvidenceFacts } from "../../protocol/verified-facts.ts";
import {
  address,
  appoint,
  type Draft,
  INSTALLER,
  Market,
  OPENED_AT_S,
  open,
  PARAMETERS,
  wallet,
  word,
} from "./market.ts";

export const MIRROR = address(0xa5);

/** A region whose money is a chain's, half an hour before its first slot at midnight; its mirror has named an installer. */
export function openSettlement(parameters: Partial<Parameters> = {}): Market {
  const market = new Market(OPENED_AT_S);
  market.accept(open({ quote: "settlement", mirror: MIRROR, parameters: { ...PARAMETERS, ...parameters } }));
  market.accept(mirrored(market, "registry", appoint([INSTALLER], wallet(MIRROR))));
  return market;
}

/** A draft with the number of the next event of its stream. */
export function mirrored(market: Market, stream: "deposits" | "registry" | "terms", draft: Draft): Draft {
  return numbered(draft, market.state.header.mirrored[stream] + 1);
}

/** A draft with a number of its own. */
export function numbered(draft: Draft, nonce: number): Draft {
  return { ...draft, command: { ...draft.command, nonce } };
}

/** The next deposit, for an account. */
export function deposit(
  market: Market,
  account: Hex,
  amountMicros: number,
  more: { readonly nonce?: number; readonly previousHash?: Hex } = {},
  signer = wallet(MIRROR),
): Draft {
  const { mirrored: counted, depositsHash } = market.state.header;
  const command = {
    type: "credit_deposit",
    account,
    amountMicros,
    nonce: counted.deposits + 1,
    previousHash: depositsHash,
    ...more,
  } as const;
  const evidence: EvidenceFacts = {
    kind: "deposit-chain",
    depositsHash: depositsHashOf({ region: market.region, ...command }),
  };
  return { command, signer, evidence };
}

/** Terms that hold from an epoch on; the next version. */
export function terms(
  market: Market,
  fromEpoch: number,
  more: Partial<CommandOf<"schedule_terms">> = {},
  signer = wallet(MIRROR),
): Draft {
  const { outflowCapBps, emissionPerEpoch, emissionDecayBps } = PARAMETERS;
  const command = {
    type: "schedule_terms",
    nonce: market.state.header.mirrored.terms + 1,
    fromEpoch,
    outflowCapBps,
    emissionPerEpoch,
    emissionDecayBps,
    ...more,
  } as const;
  return { command, signer, evidence: null };
}

export function withdraw(account: Hex, amountMicros: number, signer = wallet(account)): Draft {
  return { command: { type: "withdraw", account, amountMicros } as const, signer, evidence: null };
}

/** How a provider stands; the next stake event. */
export function stake(
  market: Market,
  account: Hex,
  more: Partial<CommandOf<"record_stake">> = {},
  signer = wallet(MIRROR),
): Draft {
  const command = {
    type: "record_stake",
    nonce: market.state.header.mirrored.stakes + 1,
    account,
    nodeKey: word(0x5e1),
    stakedMicros: 50_000_000,
    isUnbonding: false,
    ...more,
  } as const;
  return { command, signer, evidence: null };
}

/** Parameters of a vote that hold from an epoch on; the next version. */
export function vote(
  market: Market,
  fromEpoch: number,
  figures: Partial<Figures> = {},
  signer = wallet(MIRROR),
): Draft {
  const command = {
    type: "schedule_parameters",
    nonce: market.state.header.mirrored.parameters + 1,
    fromEpoch,
    figures: { ...figuresOf(PARAMETERS), ...figures },
  } as const;
  return { command, signer, evidence: null };
}
