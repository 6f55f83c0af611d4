// Owns what a contract's refusal means in words, with its error's name and fields. It refuses to guess: an error that no
// contract of ours has is told as the node told it.

import { type Abi, BaseError, ContractFunctionRevertedError, InsufficientFundsError } from "viem";
import { decimalOfMicros } from "../../protocol/units.ts";

/** Thrown for a call that the contract refuses. Nothing was sent, or nothing of it holds. */
export class ContractRefusal extends Error {
  override readonly name = "ContractRefusal";
  /** The contract's name of the error. */
  readonly code: string;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(code: string, fields: Readonly<Record<string, unknown>>) {
    super(`${code}: ${inWords(code, fields)}`);
    this.code = code;
    this.fields = fields;
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** What people meet; `{field}` stands for a field, `{field$}` for one in micros. */
const WORDS: Readonly<Record<string, string>> = {
  Settlement_RegionUnknown: "the region has not been opened on this chain",
  Settlement_RegionNotOpen: "the region takes no deposits now: it is frozen, silent for too long, or over",
  Settlement_DepositAccount: "nothing can be deposited for {account}",
  Settlement_DepositTooSmall: "{amountMicros$} is less than the least deposit, {leastMicros$}",
  Settlement_DepositTooLarge: "{amountMicros$} is more than the region may still take, {mostMicros$}",
  Settlement_TransferFellShort:
    "of {expectedMicros$} only {arrivedMicros$} arrived: this token is not supported",
  Settlement_EpochNotFinal: "the report of epoch {epoch} is not final yet",
  Settlement_NothingToClaim: "nothing is left to claim: of {entitled} all {paid} was paid",
  Settlement_PaidTwice: "the region's report owes {owed} in all, and {wouldBePaid} would have been paid",
  Settlement_LeaveByExit: "the region is over: leave it by its exit (epoch {epoch})",
  Settlement_RewardTokenMissing: "rewards cannot be claimed before their token is named; they are not lost",
  Settlement_ExitNotOpen: "the region reports, and can be left by withdrawing",
  Settlement_NotLastFinal: "epoch {epoch} is not the last final one",
  Settlement_OtherExitEpoch: "everybody leaves by the report of epoch {epoch}",
  Settlement_DepositCounted: "deposit {index} is in a leaf already",
  Settlement_DepositRefundedBefore: "deposit {index} was paid back before",
  Settlement_DepositUnknown: "there is no deposit {index}",
  Settlement_TermOutOfBounds: "{term} is {value}, and must be from {least} to {most}",
  Settlement_FirstEpoch: "epoch {epoch} cannot be the first: the running one is {runningEpoch}",
  Settlement_EpochLength: "epochs of {epochSlots} slots cannot be",
  SumTree_LeafNotInTree: "the leaf is not in the report on the chain: {root}",
  MeterRegistry_NotInstaller: "{caller} is no installer of the region",
  MeterRegistry_GatewayLive: "the gateway {gateway} is enrolled already",
  MeterRegistry_ConnectionLive: "the connection {connection} has a meter already",
  MeterRegistry_NoSuchMeter: "there is no such meter: {gateway}",
  PolderToken_AboveCeiling:
    "the token's ceiling leaves {most} for now, and {amount} is claimed: it may be claimed later, and is not lost",
  PolderGovernor_ProposerNotNamed: "the description must end with #proposer={proposer}",
  PolderGovernor_SettingOutOfBounds: "{setting} is {value}, and must be from {least} to {most}",
  GovernorRestrictedProposer: "the description names another proposer than {proposer}",
  GovernorInsufficientProposerVotes:
    "{proposer} had {votes} votes a second ago, and {threshold} are needed to propose",
  GovernorAlreadyCastVote: "{voter} has voted",
  GovernorNonexistentProposal: "there is no proposal {proposalId}",
  GovernorUnableToCancel: "{account} may not cancel it now",
  CallList_NotAllowed: "votes may not call {selector} of {target}: a vote must list it first",
  CallList_CodeChanged: "{target} is not the contract that was listed: its code has changed",
  CallList_EtherRefused: "votes send no ether",
  RewardParameters_RegionUnknown: "the region has no governed values on this chain",
  RewardParameters_NothingToChange: "nothing is to be changed",
  RewardParameters_BeyondWindow:
    "evidence cannot be awaited for {proofDelaySeconds} s: a window has {windowSeconds}",
  GovernorUnexpectedProposalState:
    "that cannot be done with it now: its state is {current} (0 pending, 1 active, 2 cancelled, 3 defeated, 4 passed, 5 queued, 6 expired, 7 executed)",
  TimelockUnexpectedOperationState:
    "the operation is not ready: its delay is not over, or it was done or cancelled",
  ProviderStake_RegionNotOpen: "the region is frozen or over",
  ProviderStake_StakedBefore: "{account} has a stake in the region already: top it up",
  ProviderStake_NoStake: "{account} has no stake in the region",
  ProviderStake_TooSmall: "{amountMicros$} is less than the least deposit, {leastMicros$}",
  ProviderStake_BelowMinimum: "{wouldBeMicros$} would be less than the minimum stake, {minimumMicros$}",
  ProviderStake_TooLarge: "{amountMicros$} is more than a stake may still take, {mostMicros$}",
  ProviderStake_TransferFellShort:
    "of {expectedMicros$} only {arrivedMicros$} arrived: this token is not supported",
  ProviderStake_KeyTaken: "the key {nodeKey} is {account}'s, now or once",
  ProviderStake_TooSoon: "the last act was a moment ago: again from {untilS} on (Unix seconds)",
  ProviderStake_IsUnbonding: "the stake is unbonding until {unbondsAtS} (Unix seconds)",
  ProviderStake_NotUnbonding: "the stake is not unbonding",
  ProviderStake_StillBonded: "the stake is bonded until {untilS} (Unix seconds)",
  ProviderStake_NothingToWithdraw: "nothing is left but {queuedMicros$}, which slashes wait for",
  ProviderStake_NotOperator: "{caller} is not the region's operator",
  ProviderStake_WrongOutOfTime: "a wrong of {atS} cannot be slashed any more, or not yet",
  ProviderStake_OtherKey: "the key {nodeKey} never was {account}'s",
  ProviderStake_SlashedBefore: "{account} was slashed for this job before",
  ProviderStake_AboveShare: "{wouldBeMicros$} would be waiting, and the share is {mostMicros$}",
  ProviderStake_AboveStake: "{amountMicros$} is more than the stake, {bondedMicros$}",
  ProviderStake_NotQueued: "no such slash is queued: {slash}",
  ProviderStake_NotDue: "the slash is due from {dueAtS} on (Unix seconds)",
  ProviderStake_MayNotCancel: "{caller} is not the owner, and the region is not over",
  OwnableUnauthorizedAccount: "{account} is not the owner",
  ERC20InsufficientBalance: "{sender} has {balance$} of the quote asset, and {needed$} is needed",
  ERC20InsufficientAllowance: "{spender} may take {allowance$} of the quote asset, and {needed$} is needed",
  ERC2612ExpiredSignature: "the permit has expired",
};

/** A chain's error as a refusal with its name and fields, where the contract said why; otherwise in the node's own words. */
export function refusalOf(error: unknown): Error {
  if (!(error instanceof BaseError)) return error instanceof Error ? error : new Error(String(error));
  const reverted = error.walk((cause) => cause instanceof ContractFunctionRevertedError);
  if (reverted instanceof ContractFunctionRevertedError && reverted.data !== undefined)
    return new ContractRefusal(reverted.data.errorName, fieldsOf(reverted.data));
  if (error.walk((cause) => cause instanceof InsufficientFundsError) !== null)
    return new ContractRefusal("InsufficientFunds", {
      reason: "the wallet has too little ether for the fee",
    });
  // The short forms: the long one repeats the whole call.
  const { shortMessage, details = "" } = error;
  return new Error(shortMessage.includes(details) ? shortMessage : `${shortMessage} ${details}`, {
    cause: error,
  });
}

function fieldsOf({
  abiItem,
  args = [],
}: {
  abiItem: Abi[number];
  args?: readonly unknown[] | undefined;
}): Fields {
  if (abiItem.type !== "error") return { reason: args.join(", ") };
  return Object.fromEntries(
    abiItem.inputs.map(({ name }, index) => [
      name === "" || name === undefined ? `${index}` : name,
      args[index],
    ]),
  );
}

function inWords(code: string, fields: Fields): string {
  const words = WORDS[code];
  if (words !== undefined)
    return words.replaceAll(/\{(\w+)(\$?)\}/g, (_all, name: string, isMoney: string) =>
      isMoney === "" ? String(fields[name]) : decimalOfMicros(fields[name] as bigint),
    );
  const listed = Object.entries(fields).map(([name, value]) => `${name} ${String(value)}`);
  return listed.length === 0 ? "the contract refuses" : listed.join(", ");
}
