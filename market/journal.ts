// Owns the journal: what an entry is, how entries are chained by hash, and how they are made and applied. It refuses
// entries out of order; hashing itself is handed in, so the core stays free of platforms.

import { type Command, MIRROR_COMMANDS, OPERATOR_COMMANDS } from "../protocol/commands.ts";
import type { Rejection } from "../protocol/errors.ts";
import type { MarketEvent } from "../protocol/events.ts";
import type { Hex } from "../protocol/fields.ts";
import { decide } from "./decide.ts";
import type { Request } from "./decision.ts";
import { advance, nextDueS } from "./due.ts";
import { evolve } from "./evolve.ts";
import { canonicalBytes } from "./snapshot.ts";
import { indexCommands, NO_ACCOUNT, type RegionState, RULES_VERSION } from "./state.ts";
import { writeHex } from "./table.ts";

/** How a command was signed, as it stands in the journal. */
export type Authentication =
  | { readonly scheme: "wallet"; readonly signature: Hex }
  | { readonly scheme: "session"; readonly key: Hex; readonly signature: Hex };

/** One entry: a command with its signature and evidence, or, without a command, what the region did by itself. */
export interface Entry {
  readonly number: number;
  readonly atS: number;
  /** Version of the rules that decided it. */
  readonly rules: number;
  readonly command?: Command;
  readonly commandId?: Hex;
  readonly auth?: Authentication;
  /** The raw evidence, as its kind defines it. */
  readonly evidence?: unknown;
  readonly events: readonly MarketEvent[];
  /** SHA-256 over the state's canonical bytes after this entry; on entries that close an epoch. */
  readonly stateHash?: Hex;
}

/** SHA-256 over the concatenation of pieces, as lower-case hex digits without prefix. */
export type Sha256 = (...pieces: (string | Uint8Array)[]) => string;

/** What the first entry is chained to: 32 zero bytes as hex digits. */
export const GENESIS_HASH = "0".repeat(64);

/** The chain hash of an entry: SHA-256 over the hash before it and the entry's exact bytes. */
export function chainHash(sha256: Sha256, previous: string, body: string): string {
  return sha256(`${previous}\n${body}`);
}

const LINE_HEAD = '{"hash":"';
const LINE_MIDDLE = '","entry":';

/** One line of the journal as NDJSON: the entry's exact bytes and its chain hash. */
export function encodeLine(hash: string, body: string): string {
  return `${LINE_HEAD}${hash}${LINE_MIDDLE}${body}}`;
}

/** Takes a journal line apart again without touching the entry's bytes, or null where it is not one. */
export function decodeLine(line: string): { readonly hash: string; readonly body: string } | null {
  const bodyAt = LINE_HEAD.length + 64 + LINE_MIDDLE.length;
  const isLine =
    line.startsWith(LINE_HEAD) &&
    line.endsWith("}") &&
    line.slice(bodyAt - LINE_MIDDLE.length, bodyAt) === LINE_MIDDLE;
  if (!isLine) return null;
  const hash = line.slice(LINE_HEAD.length, LINE_HEAD.length + 64);
  return /^[0-9a-f]{64}$/.test(hash) ? { hash, body: line.slice(bodyAt, -1) } : null;
}

/** A command decided, journaled and applied; or refused, with the state untouched. */
export function execute(
  state: RegionState,
  request: Request,
  auth: Authentication,
  evidence: unknown,
  atS: number,
): { readonly entry: Entry } | { readonly rejection: Rejection } {
  const decision = decide(state, request, atS);
  if ("rejection" in decision) return decision;
  const { command, commandId } = request;
  const number = state.header.entry + 1;
  const entry: Entry = {
    number,
    atS,
    rules: RULES_VERSION,
    command,
    commandId,
    auth,
    ...(evidence === undefined || evidence === null ? {} : { evidence }),
    events: decision.events,
  };
  applyEntry(state, entry);
  return { entry };
}

/** Does the next thing that is due at or before `atS`, as an entry of its own, or null. */
export function executeDue(state: RegionState, atS: number, sha256: Sha256): Entry | null {
  const dueS = nextDueS(state);
  if (dueS === null || dueS > atS) return null;
  beginEntry(state, state.header.entry + 1, dueS);
  const events = advance(state);
  if (forgets(events)) forgetCommands(state);
  for (const event of events) evolve(state, event);
  const closesEpoch = events.some((event) => event.type === "epoch_closed");
  return {
    number: state.header.entry,
    atS: dueS,
    rules: RULES_VERSION,
    events,
    ...(closesEpoch ? { stateHash: stateHash(state, sha256) } : {}),
  };
}

/** Applies an entry's events without deciding anything: recovery. */
export function applyEntry(state: RegionState, entry: Entry): void {
  beginEntry(state, entry.number, entry.atS);
  if (entry.command === undefined && forgets(entry.events)) forgetCommands(state);
  for (const event of entry.events) evolve(state, event);
  if (entry.command !== undefined) rememberCommand(state, entry.commandId as Hex, entry.command);
}

/** SHA-256 over the canonical bytes of the state. */
export function stateHash(state: RegionState, sha256: Sha256): Hex {
  return `0x${sha256(...canonicalBytes(state))}`;
}

function beginEntry({ header }: RegionState, number: number, atS: number): void {
  if (number !== header.entry + 1) throw new Error(`entry ${number} does not follow ${header.entry}`);
  if (atS < header.atS) throw new Error(`entry ${number} is earlier than the one before`);
  header.entry = number;
  header.atS = atS;
}

function rememberCommand({ header, tables, indexes }: RegionState, commandId: Hex, command: Command): void {
  const isOwn =
    "account" in command && !OPERATOR_COMMANDS.has(command.type) && !MIRROR_COMMANDS.has(command.type);
  const account = isOwn ? (indexes.accountByAddress.get(command.account) as number) : NO_ACCOUNT;
  if (isOwn)
    tables.accounts.columns.commands[account] = (tables.accounts.columns.commands[account] as number) + 1;
  const row = tables.commands.append();
  tables.commands.columns.account[row] = account;
  writeHex(tables.commands.columns.id, row, commandId);
  tables.commands.columns.entry[row] = header.entry;
  tables.commands.columns.expiresAtS[row] = command.expiresAtS;
  indexes.commands.add(row);
}

/** With the steps of windows only: going through all that is remembered for every order that ends would be dear. */
function forgets(events: readonly MarketEvent[]): boolean {
  return events.some(({ type }) => type === "slot_cleared" || type === "window_closed");
}

/** A command that has expired is refused for that, so its id need not be remembered any longer. */
function forgetCommands(state: RegionState): void {
  const { commands, accounts } = state.tables;
  const before = commands.rows;
  const { expiresAtS, account } = commands.columns;
  const held = accounts.columns.commands;
  commands.retain((row) => {
    if ((expiresAtS[row] as number) > state.header.atS) return true;
    const owner = account[row] as number;
    if (owner !== NO_ACCOUNT) held[owner] = (held[owner] as number) - 1;
    return false;
  });
  if (commands.rows !== before) indexCommands(state);
}
