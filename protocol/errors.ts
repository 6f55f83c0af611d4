// Owns the closed table of everything that can be refused: code, HTTP status, whether trying again may help, and
// what it means. Codes stand in order of precedence, are facts in snake_case, and are never renamed or reused.

import { type ErrorEntry, entry, retired } from "./error-entry.ts";
import { JOB_ERRORS } from "./job-errors.ts";

/** The table. A new code is added where it belongs in the order of checks; nothing is ever removed. */
export const ERRORS = {
  // The request itself: checked in the gateway before anything is computed.
  route_not_found: entry(404, "No such path; /openapi.json lists the ones there are."),
  method_not_allowed: entry(405, "The path exists, but not for this method."),
  body_too_large: entry(413, "The request body is larger than the limit in facts.limitBytes."),
  malformed_json: entry(400, "The body is not JSON."),
  malformed_request: entry(
    400,
    "A field is missing, unknown, of the wrong type or out of its limits; facts.path names it.",
  ),
  evidence_by_post_only: entry(
    400,
    "A command that carries evidence, or whose key must be checked at length, is sent by POST and not over a socket.",
  ),
  region_not_found: entry(404, "No region of this name is in the directory."),

  // Who is asking: signatures and keys, cheapest check first.
  authentication_missing: entry(401, "The request carries neither a signature nor an API key."),
  api_key_malformed: entry(401, "The bearer token is not an API key of the form polder_<account><seed>."),
  wrong_chain: entry(409, "The command names another chain id than the one this deployment serves."),
  wrong_region: entry(409, "The command names another region than the path it was sent to."),
  signature_malformed: entry(400, "The signature has a wrong length, recovery byte or range."),
  signature_high_s: entry(400, "The wallet signature's s is in the upper half of the order (EIP-2)."),
  signature_small_order: entry(400, "The session key or the signature's R is a point of small order."),
  signature_invalid: entry(401, "The signature does not fit the command and the key."),
  evidence_malformed: entry(400, "The evidence is not of a known kind, or not in canonical form."),
  gateway_key_invalid: entry(
    400,
    "The gateway key is not a point of the prime-order subgroup of Baby Jubjub.",
  ),
  gateway_signature_invalid: entry(
    401,
    "The gateway's signature does not fit what it is shown for: its consent, or a window of this region.",
  ),

  proof_invalid: entry(
    401,
    "The proof does not bear out the claims for this account, window and region; three such and no more are looked at.",
  ),

  // A module for jobs: refused at upload, before anything of it is kept.
  module_too_large: entry(413, "The module is larger than facts.limitBytes."),
  module_hash_mismatch: entry(
    400,
    "The bytes have another SHA-256 than the path says; facts.sha256 is theirs.",
  ),
  module_invalid: entry(
    400,
    "Not a valid WebAssembly module; facts.reason says what is wrong, facts.offset at which byte.",
  ),
  module_feature_refused: entry(
    400,
    "The module uses a part of WebAssembly that jobs may not use; facts.feature is its proposal.",
  ),
  module_limit_exceeded: entry(
    400,
    "The module has more of something than any job needs; facts name it and the most there may be.",
  ),
  module_import_refused: entry(
    400,
    "The module imports what no job is given: facts.module and facts.name; jobs have parts of WASI preview 1 only.",
  ),
  module_not_command: entry(
    400,
    "Not a WASI command: facts.missing names the export it lacks, or has of another type.",
  ),
  module_not_found: entry(404, "No module of this SHA-256 was uploaded."),

  // What the region checks for every command.
  rate_limited: entry(
    429,
    "This account sent more commands than the limit in facts allows; wait facts.retryAfterSeconds.",
    true,
  ),
  overloaded: entry(
    503,
    "The region's queue is full, or as many drafts, previews or ballots were looked at as can be; nothing was decided.",
    true,
  ),
  storage_exhausted: entry(
    507,
    "The region's storage is near its limit; only readings and cancellations are accepted.",
  ),
  region_not_open: entry(409, "The region has not been opened by its operator yet."),
  region_exists: entry(409, "A region of this name exists already with other terms."),
  command_expired: entry(409, "The command's expiry has passed in market time."),
  command_expires_too_late: entry(409, "The command's expiry is further ahead than a command may live."),
  not_operator: entry(403, "Only the region's operator may send this command."),
  not_installer: entry(403, "Only an installer that the operator appointed may send this command."),
  not_referee: entry(403, "Only the key with which the region signs receipts may send this command."),
  not_mirror: entry(
    403,
    "Only the region's mirror may send this command: it says what happened on the chain.",
  ),
  account_unknown: entry(404, "The account has not been opened in this region."),
  not_account_owner: entry(403, "The wallet that signed is not the account the command acts for."),
  session_unknown: entry(401, "The session key has not been authorised for this account."),
  session_revoked: entry(401, "The session key was revoked."),
  session_expired: entry(401, "The session key's authorisation has expired."),
  session_scope: entry(403, "The session key may not do this; facts name the limit and what was asked."),
  commands_exhausted: entry(
    429,
    "The account has as many unexpired commands as are remembered; let some expire, or sign shorter lives.",
    true,
  ),

  // What a command may be refused for on its own account.
  chain_event_out_of_order: entry(
    409,
    "Events of the chain are taken in their order, each once; the command's nonce is not the next one's number.",
  ),
  deposit_hash_wrong: entry(409, "The deposit does not follow from those that the region has credited."),
  terms_too_late: entry(409, "The epoch from which the terms are to hold has closed."),
  governed_by_vote: entry(
    403,
    "The region's parameters come from a vote on the chain; the operator does not set them any more.",
  ),
  node_key_taken: entry(409, "Another provider signs its results with this key; facts name it."),
  quote_not_test: entry(403, "Test money exists only in regions marked quote=test."),
  quote_not_settlement: entry(
    403,
    "Test money stays where it is; only what came from a chain can be withdrawn to it.",
  ),
  funds_insufficient: entry(409, "The account's free balance is smaller than the amount."),
  outflow_cap_reached: entry(
    409,
    "As much as may leave the region in one epoch has been asked for; facts.leftMicros may still be, the rest in the next.",
    true,
  ),
  region_money_limit: entry(409, "The region may not hold more than the amount in facts."),
  account_exists: entry(409, "The account is open already."),
  accounts_exhausted: entry(409, "The region holds as many accounts as it may."),
  parameters_out_of_bounds: entry(400, "A parameter is outside its bounds; facts name it."),
  session_exists: entry(409, "The session key is already authorised, or was once."),
  sessions_exhausted: entry(409, "The account holds as many live session keys as it may."),
  ladder_unsorted: entry(400, "The ladder's steps do not go from best to worst price."),
  order_span_empty: entry(400, "The order would apply to no slot: it ends before it begins."),
  slot_already_started: entry(
    409,
    "The order is meant for slots that have all begun already; energy that flowed is not re-priced.",
  ),
  order_not_found: entry(404, "No live order of this number."),
  order_not_owned: entry(403, "The order belongs to another account."),
  orders_exhausted: entry(409, "The account holds as many live orders as it may."),
  meter_exists: entry(409, "The gateway key or the grid connection has a live enrolment already."),
  meters_exhausted: entry(409, "The region's registry holds as many meters as it may."),
  window_length_wrong: entry(400, "Made for windows of another length than this region's."),
  window_unaligned: entry(400, "The first slot is not the first slot of a window."),
  window_not_over: entry(409, "The window has not ended yet in market time.", true),
  window_closed: entry(409, "The window's time for evidence is over; what was not proved counts as zero."),
  meter_not_found: entry(404, "No meter with this gateway key is enrolled."),
  connection_mismatch: entry(
    409,
    "A rotation stays on its connection; another connection is another enrolment.",
  ),
  registry_root_wrong: entry(
    409,
    "The proof is about another set of meters than this window's; facts.root is the window's root.",
  ),
  window_already_proved: entry(409, "This meter's window is already in the journal."),
  proof_attempts_exhausted: entry(
    409,
    "Too many proofs of this account for this window did not verify; no more are looked at.",
  ),
  slot_side_full: entry(409, "The slot holds as much energy on this side as it may."),

  // Votes on the chain: drafts of proposals, and ballots that the relay sends.
  governance_missing: entry(404, "This deployment follows no vote on a chain."),
  chain_away: entry(
    503,
    "The chain's endpoints do not answer, or do not agree; facts say what is in the way.",
    true,
  ),
  proposal_not_found: entry(404, "There is no proposal of this number on the chain."),
  proposer_below_threshold: entry(
    403,
    "The proposer holds fewer votes than a proposal takes; facts say both numbers.",
  ),
  call_not_allowed: entry(
    409,
    "No vote may make this call: it is not on the list of allowed calls, or its target's code has changed.",
  ),
  parameter_unchanged: entry(409, "The governed value is what it shall be already."),
  parameter_step_too_large: entry(
    409,
    "The step from the governed value to the new one is larger than one vote may take; facts name the furthest values.",
  ),
  parameter_cooling_down: entry(
    409,
    "The governed value was changed so recently that no vote begun now could change it again; facts.untilS says when one can.",
  ),
  call_refused: entry(
    409,
    "The contract would refuse the call if it were executed now; facts.refusal is its own word for why.",
  ),
  ballot_nonce_wrong: entry(
    409,
    "The ballot was signed under another nonce than the voter's next one; facts.nonce is that. Where facts.waitsFor is, it is the next one when the voter's ballot on that proposal is in a block.",
  ),
  vote_not_open: entry(409, "The proposal does not take votes now; facts.state says what it is."),
  already_voted: entry(409, "The voter has voted on this proposal, or the ballot is on its way."),
  votes_below_minimum: entry(
    403,
    "The voter holds fewer votes at the proposal's snapshot than the relay pays for; the voter's own wallet may send it.",
  ),
  ballot_refused: entry(
    409,
    "The governor would refuse the ballot if it were sent now; facts.refusal is its own word for why.",
  ),
  relay_closed: entry(
    409,
    "This deployment sends no ballots for others; facts hold the call for the voter's own wallet.",
  ),
  relay_budget_spent: entry(
    429,
    "What the relay may spend today is spent; facts hold the call for the voter's own wallet, which needs nobody.",
    true,
  ),

  // What the continuous book and its obligations refuse.
  order_too_large: entry(400, "Quantity times price is more than all the money of a region."),
  good_till_out_of_bounds: entry(
    400,
    "An order that rests needs an end within the bounds in facts; one that does not has none.",
  ),
  stake_too_small: entry(
    403,
    "The seller has less at stake than a provider of this region must have, or is taking it back; facts have both.",
  ),
  order_would_trade: entry(409, "A post-only order would have traded at once."),
  order_unmatched: entry(409, "Nothing rests at the order's price or better, and the order does not wait."),
  sellers_insufficient: entry(
    409,
    "Fewer sellers than asked for have a job's whole fuel left at its price; facts say how many.",
    true,
  ),
  order_unfillable: entry(
    409,
    "Less than the whole is to be had at the order's price; facts.reachedMega is.",
  ),
  self_trade_prevented: entry(
    409,
    "The order would have traded with one of its own account, which is older.",
  ),
  sweep_limit_reached: entry(409, "The order would have met more resting orders than one may."),
  obligations_exhausted: entry(
    409,
    "The account, or the region, has as many unsettled trades as it may; settle some first.",
    true,
  ),
  obligation_not_found: entry(
    404,
    "No open obligation of this number: it was settled, or its deadline has passed.",
  ),
  obligation_not_owned: entry(
    403,
    "The account is not a party of the obligation, or not the one of the two that may do this.",
  ),
  lease_overdrawn: entry(409, "The run may use more than facts.leftMega, what is left of the lease."),
  voucher_due: entry(
    409,
    "The lease's runs would be more than facts.creditMega ahead of its vouchers.",
    true,
  ),
  provider_away: entry(503, "The provider's node is not connected now.", true),
  run_failed: entry(502, "The node came to no result; facts.reason says why. Nothing is owed.", true),
  delivery_out_of_bounds: entry(
    409,
    "Delivered is less than what is settled already, or more than was traded; facts have both.",
  ),
  delivery_not_agreed: entry(
    403,
    "The evidence is about another delivery, or not from whom it would have to be.",
  ),

  ...JOB_ERRORS,

  // Codes of earlier rules, when a window was a signature in the clear: a proof names no meter, and its circuit holds
  // the limits. They stay, so that nothing else is ever called by their names.
  meter_not_owned: retired(403),
  meter_not_active: retired(409),
  above_nameplate: retired(409),
  above_connection: retired(409),
  above_window_cap: retired(409),

  // Reads.
  account_not_found: entry(404, "No such account in this region."),
  entry_not_found: entry(404, "The journal has no entry of this number."),
  command_not_found: entry(404, "No accepted command of this id is remembered."),
  registry_not_found: entry(
    404,
    "No window that is open, running or next begins at this slot; older ones follow from the journal.",
  ),
  slot_not_found: entry(404, "The slot has not been cleared, or is older than what is kept."),
  epoch_not_found: entry(404, "The epoch has not closed yet, or is older than what is kept."),
  sockets_full: entry(503, "Every intake of this region has as many command sockets as it may.", true),
  feed_full: entry(503, "Every feed of this region has as many listeners as it may.", true),
  upgrade_required: entry(426, "This path is a WebSocket."),

  // Our own faults.
  clock_refused: entry(
    500,
    "A market clock that does not run at wall speed is refused on any chain but the local one.",
  ),
  internal_fault: entry(500, "A fault of ours; the command was not accepted and changed nothing.", true),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

/** Named facts of a refusal: plain values a caller can show or act on. */
export type Facts = Readonly<Record<string, string | number | boolean | null>>;

export interface Rejection {
  readonly code: ErrorCode;
  readonly facts: Facts;
}

/** Makes a rejection; the market returns these and never throws them. */
export function rejected(code: ErrorCode, facts: Facts = {}): Rejection {
  return { code, facts };
}

/** RFC 9457 problem details of a rejection: `type` is a stable relative URI, facts travel as `facts`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly transient: boolean;
  readonly facts: Facts;
}

/** Maps a rejection to its RFC 9457 problem. */
export function problemOf(rejection: Rejection): Problem {
  const { status, transient, meaning } = ERRORS[rejection.code];
  return {
    type: `/docs/errors#${rejection.code}`,
    title: meaning,
    status,
    code: rejection.code,
    transient,
    facts: rejection.facts,
  };
}

/** True for a string that is a code of the table. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(ERRORS, value);
}

/** True for a code that no rule of this release answers. */
export function isRetired(code: ErrorCode): boolean {
  return ERRORS[code].meaning === "Not answered any more.";
}
