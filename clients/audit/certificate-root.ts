// Owns the certificate root of an epoch as its journal gives it. It refuses to take a commitment from anywhere but the
// replayed state.

import { certificateTree, type EpochCertificate } from "../../evidence/certificate-tree.ts";
import type { RegionState } from "../../market/state.ts";
import { readHex } from "../../market/table.ts";
import type { EpochClosed } from "../../protocol/events.ts";
import type { Hex } from "../../protocol/fields.ts";

/** The root of a closed epoch, from its event and the state right after it. */
export function certificateRootOf({ tables }: RegionState, event: EpochClosed): Hex {
  const { certificate } = tables.accounts.columns;
  const rows = new Map(event.accounts.map((account, row) => [account, row]));
  const certificates = event.certificates.map((account): EpochCertificate => {
    const row = rows.get(account) as number;
    return {
      commitment: BigInt(readHex(certificate, account, 32)).toString(),
      soldWh: event.soldWh[row] as number,
      boughtWh: event.boughtWh[row] as number,
    };
  });
  return certificateTree(certificates).root;
}
