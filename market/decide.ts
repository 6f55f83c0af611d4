// Owns the order in which a command is judged: is it new, in time, for this region, by somebody who may; then its own
// rules. It refuses without touching the state; what it accepts is a list of events.

import {
  type CommandOf,
  type CommandType,
  INSTALLER_COMMANDS,
  OPERATOR_COMMANDS,
  REFEREE_COMMANDS,
  SESSION_COMMANDS,
} from "../protocol/commands.ts";
import { type Rejection, rejected } from "../protocol/errors.ts";
import type { Hex } from "../protocol/fields.ts";
import { MAX_COMMAND_LIFE_S, MAX_REMEMBERED_COMMANDS_PER_ACCOUNT } from "../protocol/limits.ts";
import type { Decision, Occasion, Request } from "./decision.ts";
import { commitAudits, recordAudit, revealAudits } from "./decisions/audits.ts";
import { commitCertificate } from "./decisions/certificates.ts";
import { creditDeposit, scheduleParameters, scheduleTerms, withdraw } from "./decisions/chain.ts";
import { buyJob, releaseRun, reportResult } from "./decisions/jobs.ts";
import { appointInstallers, enrolMeter, revokeMeter } from "./decisions/meters.ts";
import { settleObligation } from "./decisions/obligations.ts";
import { cancelOrder, placeOrder } from "./decisions/orders.ts";
import { submitReadings } from "./decisions/readings.ts";
import { admitAccount, creditTestQuote, openRegion, setParameters } from "./decisions/region.ts";
import { cancelResourceOrder, placeResourceOrder } from "./decisions/resource-orders.ts";
import { authoriseSession, revokeSession, sessionRefusal } from "./decisions/sessions.ts";
import { recordStake } from "./decisions/stakes.ts";
import { nextDueS } from "./due.ts";
import { type ChainStream, mirroredStream, refuseOrder } from "./mirror.ts";
import { type RegionState, termsOf } from "./state.ts";

type Deciders = { readonly [T in CommandType]: (occasion: Occasion<CommandOf<T>>) => Decision };

const DECIDERS: Deciders = {
  open_region: openRegion,
  set_parameters: setParameters,
  credit_test_quote: creditTestQuote,
  credit_deposit: creditDeposit,
  schedule_terms: scheduleTerms,
  schedule_parameters: scheduleParameters,
  record_stake: recordStake,
  withdraw,
  authorise_session: authoriseSession,
  revoke_session: revokeSession,
  appoint_installers: appointInstallers,
  admit_account: admitAccount,
  enrol_meter: enrolMeter,
  revoke_meter: revokeMeter,
  place_order: placeOrder,
  cancel_order: cancelOrder,
  submit_readings: submitReadings,
  commit_certificate: commitCertificate,
  place_resource_order: placeResourceOrder,
  cancel_resource_order: cancelResourceOrder,
  settle_obligation: settleObligation,
  buy_job: buyJob,
  report_result: reportResult,
  commit_audits: commitAudits,
  reveal_audits: revealAudits,
  record_audit: recordAudit,
  release_run: releaseRun,
};

/**
 * Judges a command at a market time, as entry `header.entry + 1`. Reads the state only.
 * @throws Error when something the region does by itself is due and was not done first, or when the command was
 * accepted before: a fault of ours, and in an audit the mark of a journal that holds one signature twice.
 */
export function decide(state: RegionState, request: Request, atS: number): Decision {
  if (atS < state.header.atS) throw new Error("market time went back");
  const due = nextDueS(state);
  if (due !== null && due <= atS) throw new Error("a command was decided before what is due");
  if (isRemembered(state, request.commandId)) throw new Error("an accepted command was decided again");
  const { command, signer, evidence } = request;
  const refusal = refuseEnvelope(state, request, atS);
  if (refusal !== null) return { rejection: refusal };
  const account = "account" in command ? (state.indexes.accountByAddress.get(command.account) ?? -1) : -1;
  const occasion: Occasion = {
    state,
    command,
    atS,
    entry: state.header.entry + 1,
    account,
    signer,
    evidence,
  };
  const stranger = refuseSigner(occasion);
  if (stranger !== null) return { rejection: stranger };
  const stream = mirroredStream(state, command.type);
  if (stream !== null) return decideMirrored(stream, occasion);
  if (account >= 0 && !OPERATOR_COMMANDS.has(command.type)) {
    const held = state.tables.accounts.columns.commands[account] as number;
    if (held >= MAX_REMEMBERED_COMMANDS_PER_ACCOUNT) {
      return { rejection: rejected("commands_exhausted", { limit: MAX_REMEMBERED_COMMANDS_PER_ACCOUNT }) };
    }
  }
  return decideOwn(occasion);
}

/** By the rules of the command's own kind. */
function decideOwn(occasion: Occasion): Decision {
  return (DECIDERS[occasion.command.type] as (occasion: Occasion) => Decision)(occasion);
}

/** What the mirror brings is decided like anything else, in the order that it had on the chain. */
function decideMirrored(stream: ChainStream, occasion: Occasion): Decision {
  const number = occasion.command.nonce;
  const refusal = refuseOrder(occasion.state, stream, number);
  if (refusal !== null) return { rejection: refusal };
  const decision = decideOwn(occasion);
  if ("rejection" in decision) return decision;
  return { events: [{ type: "chain_event_mirrored", stream, number }, ...decision.events] };
}

/** True when the command is remembered: its first answer is then the answer. */
export function isRemembered(state: RegionState, commandId: Hex): boolean {
  return state.indexes.commands.has(commandId);
}

function refuseEnvelope(state: RegionState, { command }: Request, atS: number): Rejection | null {
  const { opened } = state.header;
  if (opened === null && command.type !== "open_region") return rejected("region_not_open");
  if (opened !== null && command.region !== opened.region) {
    return rejected("wrong_region", { expected: opened.region, got: command.region });
  }
  if (opened !== null && command.type === "open_region")
    return rejected("region_exists", { region: opened.region });
  if (command.expiresAtS <= atS) return rejected("command_expired", { expiredAtS: command.expiresAtS, atS });
  const latestS = atS + MAX_COMMAND_LIFE_S;
  if (command.expiresAtS > latestS)
    return rejected("command_expires_too_late", { expiresAtS: command.expiresAtS, latestS });
  return null;
}

function refuseSigner(occasion: Occasion): Rejection | null {
  const { state, command, account, signer } = occasion;
  if (mirroredStream(state, command.type) !== null) {
    const { quote, mirror } = termsOf(state);
    const isMirror = quote === "settlement" && signer.scheme === "wallet" && signer.address === mirror;
    return isMirror ? null : rejected("not_mirror");
  }
  if (OPERATOR_COMMANDS.has(command.type)) {
    const operator = command.type === "open_region" ? command.operator : termsOf(state).operator;
    const isOperator = signer.scheme === "wallet" && signer.address === operator;
    return isOperator ? null : rejected("not_operator");
  }
  if (INSTALLER_COMMANDS.has(command.type)) {
    const isInstaller = signer.scheme === "wallet" && state.header.installers.includes(signer.address);
    return isInstaller ? null : rejected("not_installer");
  }
  if (REFEREE_COMMANDS.has(command.type)) {
    const isReferee = signer.scheme === "session" && signer.key === termsOf(state).receiptKey;
    return isReferee ? null : rejected("not_referee");
  }
  if (!("account" in command)) throw new Error(`${command.type} has neither an account nor an operator`);
  if (account < 0) return rejected("account_unknown", { account: command.account });
  if (signer.scheme === "wallet")
    return signer.address === command.account ? null : rejected("not_account_owner");
  const refusal = sessionRefusal(occasion);
  if (refusal !== null) return refusal;
  return SESSION_COMMANDS.has(command.type)
    ? null
    : rejected("session_scope", { limit: "command", asked: command.type });
}
