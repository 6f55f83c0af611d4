// Owns what a journal says that everybody is owed at the close of each epoch: whoever has the journal can make every leaf. It
// refuses a journal that does not hold.

import type { Receipt } from "../../evidence/receipt.ts";
import type { SumLeaf } from "../../evidence/sum-tree.ts";
import { accountSums } from "../../market/account-sums.ts";
import type { SigningDomain } from "../../protocol/typed-data.ts";
import { audit } from "../audit/audit.ts";

/** Leaves by epoch, in the region's order of accounts. */
export type ReplayedEpochs = ReadonlyMap<number, readonly SumLeaf[]>;

/** Replays a journal. @throws Error where it does not hold */
export async function replayEpochs(
  domain: SigningDomain,
  lines: AsyncIterable<string> | Iterable<string>,
  receipts: readonly Receipt[] = [],
): Promise<ReplayedEpochs> {
  const epochs = new Map<number, readonly SumLeaf[]>();
  const { failure } = await audit(domain, lines, {
    receipts,
    observe: ({ events }, state) => {
      for (const event of events)
        if (event.type === "epoch_closed") epochs.set(event.epoch, accountSums(state));
    },
  });
  if (failure !== null)
    throw new Error(`the journal does not hold at entry ${failure.entry}: ${failure.reason}`);
  return epochs;
}
