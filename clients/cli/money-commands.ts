// Owns the commands about money that a chain holds: deposit, withdraw, claim, exit, funds. It refuses amounts that do not fit
// whole micros, and to sign with a session key: only the wallet moves money.

import type { Command } from "commander";
import { formatUnits } from "viem";
import { ContractRefusal } from "../../governance/calls/contract-refusal.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { Profile } from "../../protocol/profile.ts";
import { slotStartS } from "../../protocol/units.ts";
import { type AccountFunds, fundsOf } from "../chain/account-funds.ts";
import { openChain } from "../chain/chain-connection.ts";
import { claimAll, exitAll, type Payment } from "../chain/claims.ts";
import { SettlementClient } from "../chain/settlement-client.ts";
import { SettlementWallet } from "../chain/settlement-wallet.ts";
import type { Market } from "../sdk/client.ts";
import { walletSigner } from "../sdk/signer.ts";
import {
  type ChainPlace,
  keptLeaves,
  microsOf,
  rpcOf,
  settledPlace,
  walletOf,
  withChain,
  withLeaf,
} from "./chain-context.ts";
import { placeOf } from "./context.ts";
import { instant, money, table } from "./figures.ts";
import { type Amount, address, amount } from "./options.ts";

interface AmountOptions extends ChainPlace {
  readonly amount: Amount;
}

interface ExitOptions extends ChainPlace {
  readonly settlement?: Hex;
}

/** Adds `deposit | withdraw | claim | exit | funds`. */
export function moneyCommands(program: Command): void {
  const withAmount = (command: Command): Command =>
    command.requiredOption("--amount <amount>", "in the quote asset, e.g. 50 or 50EUR", amount);
  withAmount(withChain(program.command("deposit")))
    .description("deposit the wallet's money in a region, through its contract")
    .option("--for <address>", "for another account than the wallet's own", address)
    .action(deposit);
  withAmount(withChain(program.command("withdraw")))
    .description("ask for money out of a region; the chain pays it when a report of it is final")
    .action(withdraw);
  withLeaf(withChain(program.command("claim")))
    .description("be paid what was asked out and earned, by the newest final report; anybody may send it")
    .action(claim);
  withLeaf(withChain(program.command("exit")))
    .description("take everything out of a region that is over, with the chain and the kept leaves alone")
    .option("--settlement <address>", "the contract, where no leaf names it", address)
    .action(leave);
  withLeaf(withChain(program.command("funds")))
    .description("where all of an account's money is, and how far the chain is behind")
    .action(showFunds);
}

async function deposit(options: AmountOptions): Promise<void> {
  const signer = await walletOf(options);
  const { profile, settlement } = await settledPlace(options);
  const micros = microsOf(options.amount, profile);
  const wallet = new SettlementWallet(settlement, signer);
  const account = options.for ?? wallet.address;
  const { hash, index } = await wallet.deposit(account, BigInt(micros));
  if (options.json) return print({ index, account, amountMicros: micros, transaction: hash });
  console.log(
    `deposit ${index}: ${money(micros)} ${profile.currency} for ${account} (${hash}); it can be traded with when its block is final and the region has seen it`,
  );
}

async function withdraw(options: AmountOptions): Promise<void> {
  const signer = walletSigner(await walletOf(options));
  const { client, region } = await placeOf(options);
  const { profile, market } = await client.region(region);
  if (market === null) throw new Error(`${region} is not opened yet`);
  const micros = microsOf(options.amount, profile);
  const accepted = await client.submit(region, signer, { type: "withdraw", amountMicros: micros });
  const { epoch, closesAtS } = runningEpoch(market);
  const delayS = await finalityDelayS(options);
  const payableFromS = delayS === null ? null : closesAtS + delayS;
  if (options.json)
    return print({
      entry: accepted.entry,
      amountMicros: micros,
      epoch,
      reportedFromS: closesAtS,
      payableFromS,
    });
  const from =
    payableFromS === null
      ? `the contract's delay after ${instant(closesAtS, profile.timeZone)}`
      : `about ${instant(payableFromS, profile.timeZone)}`;
  console.log(
    `${money(micros)} ${profile.currency} have left the region's ledger (entry ${accepted.entry}); the report of epoch ${epoch} shows them, and polder claim pays them from ${from} on`,
  );
}

/** The epoch whose report will show what is asked for now, and when the region closes it. Unix seconds. */
function runningEpoch({ windowFirstSlot, epochSlots, parameters }: Market): {
  readonly epoch: number;
  readonly closesAtS: number;
} {
  const epoch = Math.floor(windowFirstSlot / epochSlots);
  return { epoch, closesAtS: slotStartS((epoch + 1) * epochSlots) + parameters.proofDelaySeconds };
}

/** From the contract, where an RPC is named: to ask for money, none is needed. */
async function finalityDelayS(options: ChainPlace): Promise<number | null> {
  if ((options.rpc ?? process.env.POLDER_RPC) === undefined) return null;
  const { settlement } = await settledPlace(options);
  return (await settlement.books()).terms.finalityDelaySeconds;
}

async function claim(options: ChainPlace): Promise<void> {
  const signer = await walletOf(options);
  const kept = keptLeaves(options);
  const { client, profile, settlement } = await settledPlace(options);
  const wallet = new SettlementWallet(settlement, signer);
  const account = options.for ?? wallet.address;
  const { epoch, payments } = await claimAll({ settlement, wallet, account, kept }, client);
  if (options.json) return print({ account, epoch, payments });
  if (payments.length === 0)
    console.log(
      `nothing to claim: by the report of epoch ${epoch} ${account} was paid all that it asked for`,
    );
  printPayments(payments, account, profile.currency);
}

async function leave(options: ExitOptions): Promise<void> {
  const signer = await walletOf(options);
  const account = options.for ?? (signer.address.toLowerCase() as Hex);
  const kept = keptLeaves(options).filter(({ claim: { leaf } }) => leaf.account === account);
  const settlement = await exitPlace(options, kept);
  const wallet = new SettlementWallet(settlement, signer);
  const { epoch, payments, missing } = await exitAll({ settlement, wallet, account, kept }).catch(
    async (error: unknown) => {
      throw await withOpening(error, settlement);
    },
  );
  if (missing !== null) console.error(missing);
  if (options.json) return print({ account, epoch, payments, missing });
  if (payments.length === 0) console.log(`nothing is left: ${account} was paid all that it had`);
  printPayments(payments, account, "of the quote asset");
}

/** Chain, contract and region by the newest kept leaf, or as they are named. The region's server is not asked. */
async function exitPlace(
  options: ExitOptions,
  kept: ReturnType<typeof keptLeaves>,
): Promise<SettlementClient> {
  const region = options.region ?? process.env.POLDER_REGION ?? kept.at(-1)?.region;
  const leaf = kept.findLast((one) => one.region === region);
  const contract = options.settlement ?? leaf?.settlement;
  if (region === undefined || contract === undefined)
    throw new Error("no leaf of this account is kept: name the contract with --settlement and the --region");
  const connection = await openChain(rpcOf(options), leaf?.settlement === contract ? leaf.chainId : null);
  return SettlementClient.open(connection, contract, region);
}

/** That the region cannot be left now, with when it could be. */
async function withOpening(error: unknown, settlement: SettlementClient): Promise<unknown> {
  if (!(error instanceof ContractRefusal) || error.code !== "Settlement_ExitNotOpen") return error;
  const { exitOpensAtS } = await settlement.books();
  const at = new Date(exitOpensAtS * 1000).toISOString();
  return new Error(`${error.message}; if it reports nothing more, the exit opens at ${at}`);
}

async function showFunds(options: ChainPlace): Promise<void> {
  const account = options.for ?? ((await walletOf(options)).address.toLowerCase() as Hex);
  const kept = keptLeaves(options);
  const { client, profile, settlement } = await settledPlace(options);
  const funds = await fundsOf(client, settlement, account, kept);
  if (options.json) return print(funds);
  console.log(table([], fundsRows(funds, profile)));
}

function fundsRows(funds: AccountFunds, { currency, timeZone }: Profile): [string, string][] {
  const { depositing, rewards, chain } = funds;
  const amounts = (micros: number | bigint): string => `${money(micros)} ${currency}`;
  const incoming = depositing.reduce((sum, { amountMicros }) => sum + amountMicros, 0n);
  const epochOf = (epoch: number | null): string => (epoch === null ? "none" : String(epoch));
  return [
    ["free in the region", amounts(funds.freeMicros)],
    ["in escrow", amounts(funds.escrowMicros)],
    ["asked for in all", amounts(funds.askedMicros)],
    ["  of it waiting for a final report", amounts(funds.waitingMicros)],
    ["  of it payable now (polder claim)", amounts(funds.payableMicros)],
    ["  of it paid", amounts(funds.paidMicros)],
    ["deposited, not yet credited", amounts(incoming)],
    [
      "rewards earned, claimable, claimed",
      [rewards.earned, rewards.claimable, rewards.claimed].map(tokens).join(", "),
    ],
    [
      "epoch closed, reported, final",
      [chain.closedEpoch, chain.reportedEpoch, chain.finalEpoch].map(epochOf).join(", "),
    ],
    [
      "chain's last block, region's clock",
      `${instant(chain.blockAtS, timeZone)}, ${instant(chain.marketAtS, timeZone)}`,
    ],
    ["the region", chain.isExitOpen ? `can be left now (polder exit): ${chain.stage}` : chain.stage],
    ...(chain.isExitOpen
      ? []
      : ([["if nothing is reported, the exit opens", instant(chain.exitOpensAtS, timeZone)]] as [
          string,
          string,
        ][])),
  ];
}

const PAID_AS: Readonly<Record<Payment["what"], string>> = {
  withdrawal: "what was asked for",
  rewards: "tokens as rewards",
  exit: "all that the last final report shows",
  deposit: "a deposit that no report counted",
};

function printPayments(payments: readonly Payment[], account: Hex, currency: string): void {
  for (const { what, amount: paid, hash } of payments) {
    const figure = what === "rewards" ? tokens(paid) : `${money(paid)} ${currency},`;
    console.log(`${account} was paid ${figure} ${PAID_AS[what]} (${hash})`);
  }
}

/** The reward token has eighteen decimals, as most have. */
const tokens = (baseUnits: bigint): string => formatUnits(baseUnits, 18);

/** Amounts of any size as decimal strings. */
function print(value: object): void {
  console.log(JSON.stringify(value, (_name, part) => (typeof part === "bigint" ? part.toString() : part)));
}
