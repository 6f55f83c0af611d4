// Owns the honest beginning that every lie follows on: homes trade, one is paid a withdrawal, two epochs are reported by the real
// mirror. It refuses to be called honest where the audit against the chain says otherwise.

import { audit } from "../audit/audit.ts";
import { chainOfRegion } from "../audit/chain-of-region.ts";
import { claimAll } from "../chain/claims.ts";
import { admitHousehold, openRegion } from "../local/neighbourhood.ts";
import { walletSigner } from "../sdk/signer.ts";
import { closesAtS, EPOCH_SECONDS, SettledMarket, type SettledMarketOptions } from "./settled-market.ts";
import { FIRST_EPOCH, REGION, SEED, TRUST_SCENE } from "./trust-scene.ts";

/** The last epoch that was reported honestly; it is final when the lies have been told. */
export const HONEST_EPOCH = FIRST_EPOCH + 1;
/** When the lies begin: in the epoch after it, which nobody has reported yet. Unix seconds. */
export const LIES_BEGIN_AT_S = closesAtS(HONEST_EPOCH) + 300;
const WITHDRAWN_MICROS = 7_000_000;

/** What traded, and the region's journal so far. */
export interface HonestEpochs {
  readonly tradedWh: number;
  readonly entries: number;
}

/** Plays the beginning in a folder and takes everything down again. */
export async function playHonestEpochs(
  options: Omit<SettledMarketOptions, "isMirrored" | "atS">,
  beginsAtS: number,
): Promise<HonestEpochs> {
  const { progress } = options;
  const market = await SettledMarket.open({ ...options, isMirrored: true, atS: beginsAtS });
  try {
    await openRegion(market.client, SEED, TRUST_SCENE.terms);
    for (const { enrolment } of market.homes) await admitHousehold(market.client, REGION, SEED, enrolment);
    await market.until("the mirror brings the meters", async () => {
      const { meters } = await market.client.market(REGION);
      return meters === market.homes.length;
    });
    progress(`${market.homes.length} homes have deposited, and order`);
    await market.work();
    const ben = market.home("ben");
    const withdrawal = { type: "withdraw", amountMicros: WITHDRAWN_MICROS } as const;
    const { receipt } = await market.client.submit(REGION, walletSigner(ben.wallet), withdrawal);
    ben.memory.rememberReceipt(receipt);
    await market.goTo((FIRST_EPOCH + 1) * EPOCH_SECONDS + 5);
    await market.work();
    progress("they have proved what they sold and bought");
    for (let epoch = FIRST_EPOCH; epoch <= HONEST_EPOCH; epoch += 1) {
      await market.close(epoch);
      await market.until(`the mirror reports epoch ${epoch}`, async () => {
        const { reportedEpoch } = await market.settlement.books();
        return reportedEpoch === epoch;
      });
      progress(`epoch ${epoch} is reported`);
    }
    const first = await market.settlement.report(FIRST_EPOCH);
    await market.passTo((first as NonNullable<typeof first>).finalAtS);
    const { account, leaves } = ben;
    const claiming = { settlement: market.settlement, wallet: market.wallet(ben), account, kept: leaves() };
    await claimAll(claiming, market.client);
    return await checked(market);
  } finally {
    await market.end();
  }
}

async function checked(market: SettledMarket): Promise<HonestEpochs> {
  await market.finalise();
  const { client, rpc } = market;
  const { chain, reported } = await chainOfRegion(client, REGION, rpc);
  let tradedWh = 0;
  const report = await audit(await client.deployment(), client.journal(REGION), {
    receipts: market.receipts(),
    chain,
    reported,
    observe: ({ events }) => {
      for (const event of events) if (event.type === "slot_cleared") tradedWh += event.tradedWh;
    },
  });
  const { deposits, registryEvents } = chain.record;
  const isWhole =
    report.reports === reported.size &&
    report.deposits === deposits.length &&
    report.registryEvents === registryEvents?.length;
  if (!report.auditOk || !isWhole || tradedWh === 0)
    throw new Error(`the honest beginning is none: ${report.failure?.reason ?? "nothing traded"}`);
  return { tradedWh, entries: report.entries };
}
