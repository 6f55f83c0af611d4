// Owns the certificate root of an epoch as its journal gives it. It refuses to take a commitment from anywhere but the
// replayed state.

import { certificateTree, epochCertificates } from "../../evidence/certificate-tree.ts";
import type { RegionState } from "../../market/state.ts";
import { readHex } from "../../market/table.ts";
import type { EpochClosed } from "../../protocol/events.ts";
import type { Hex } from "../../protocol/fields.ts";

/** The root of a closed epoch, from its event and the state right after it. */
export function certificateRootOf({ tables }: RegionState, event: EpochClosed): Hex {
  const { certificate } = tables.accounts.columns;
  const commitmentOf = (account: number) => BigInt(readHex(certificate, account, 32)).toString();
  return certificateTree(epochCertificates(event, commitmentOf)).root;
}
