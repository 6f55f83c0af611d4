// Owns the balances: every change of money is a posting whose debits and credits are equal. It refuses, by assertion,
// anything that would take a balance below zero or make money.

import { MAX_REGION_MICROS } from "../protocol/limits.ts";
import type { RegionState } from "./state.ts";

/** Changes of balances in micros; positive is credited to the account. */
export interface Posting {
  readonly account: number;
  readonly amountMicros: number;
}

/**
 * Moves money between accounts of the region.
 * @throws Error when the postings do not sum to zero or would overdraw an account: a fault of ours, never a rejection.
 */
export function transfer(state: RegionState, postings: Iterable<Posting>): void {
  let sum = 0;
  for (const posting of postings) {
    sum += posting.amountMicros;
    change(state, posting);
  }
  if (sum !== 0) throw new Error(`a transfer does not balance: ${sum} micros are left over`);
}

/** Brings money into the region: the other side of the posting is `depositedMicros`. */
export function deposit(state: RegionState, posting: Posting): void {
  state.header.depositedMicros += posting.amountMicros;
  if (heldMicros(state) > MAX_REGION_MICROS) throw new Error("a deposit passes the region's limit");
  change(state, posting);
}

/** Takes money out of the region: the other side of the posting is `withdrawnMicros`, the account's and the region's. */
export function withdraw(state: RegionState, { account, amountMicros }: Posting): void {
  change(state, { account, amountMicros: -amountMicros });
  const { withdrawnMicros } = state.tables.accounts.columns;
  withdrawnMicros[account] = (withdrawnMicros[account] as number) + amountMicros;
  state.header.withdrawnMicros += amountMicros;
  state.header.epochWithdrawnMicros += amountMicros;
}

/** Moves an account's free money into its escrow. */
export function hold(state: RegionState, { account, amountMicros }: Posting): void {
  change(state, { account, amountMicros: -amountMicros });
  changeEscrow(state, account, amountMicros);
}

/** Moves money out of an account's escrow; the postings say where to, and sum to what leaves. */
export function release(state: RegionState, account: number, postings: readonly Posting[]): void {
  let sum = 0;
  for (const posting of postings) {
    sum += posting.amountMicros;
    change(state, posting);
  }
  changeEscrow(state, account, -sum);
}

/** What the region holds for everybody, in micros. */
export function heldMicros({ header }: RegionState): number {
  return header.depositedMicros - header.withdrawnMicros;
}

/** What an account may spend now, in micros. */
export function freeMicros(state: RegionState, account: number): number {
  return state.tables.accounts.columns.freeMicros[account] as number;
}

/** What an account's orders and unsettled trades hold, in micros. */
export function escrowMicros(state: RegionState, account: number): number {
  return state.tables.accounts.columns.escrowMicros[account] as number;
}

function changeEscrow(state: RegionState, account: number, amountMicros: number): void {
  const held = state.tables.accounts.columns.escrowMicros;
  const sum = (held[account] as number) + amountMicros;
  if (!Number.isSafeInteger(sum) || sum < 0)
    throw new Error(`a posting of ${amountMicros} micros takes the escrow of account ${account} to ${sum}`);
  held[account] = sum;
}

function change(state: RegionState, { account, amountMicros }: Posting): void {
  const balances = state.tables.accounts.columns.freeMicros;
  const balance = (balances[account] as number) + amountMicros;
  if (!Number.isSafeInteger(balance) || balance < 0) {
    throw new Error(`a posting of ${amountMicros} micros takes account ${account} to ${balance}`);
  }
  balances[account] = balance;
}
