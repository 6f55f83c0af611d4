// Owns the making of a certificate: the account's leaf is found, the proof made and verified. It refuses, in words, what no
// proof exists for, and never tells the region which leaf it is about.

import type { ProvingArtifacts } from "../../circuits/prover.ts";
import { proveCertificate } from "../../circuits/prover.ts";
import { verifyCertificate } from "../../evidence/certificate-proof.ts";
import { audienceTag, certificateLeaf } from "../../evidence/certificate-statement.ts";
import type { Groth16Verifier } from "../../evidence/groth16.ts";
import { nodeHex } from "../../protocol/quad-tree.ts";
import { CERTIFICATE_FORMAT, type Certificate, certificateSchema } from "./certificate-file.ts";
import { energyText } from "./energy-amount.ts";
import type { EpochRecords } from "./epoch-records.ts";
import type { CertificateSecret } from "./secret-file.ts";

/** What is to be shown, and to whom. */
export interface CertificateWish {
  readonly side: "sold" | "bought";
  readonly atLeastWh: number;
  readonly audience: string;
}

/** An account's own line of an epoch: where its leaf stands, and what is behind it. */
export interface OwnLeaf {
  readonly position: number;
  readonly secret: bigint;
  readonly account: string;
  readonly soldWh: number;
  readonly boughtWh: number;
}

/**
 * Finds which leaf one of the secrets is behind; the newest first.
 * @throws Error that says why there is none
 */
export function findLeaf(records: EpochRecords, secrets: readonly CertificateSecret[]): OwnLeaf {
  const { sums, leaves } = records;
  for (const { account, secret, commitment } of secrets.toReversed()) {
    const [soldWh, boughtWh] = [sums.soldWh[account] ?? 0, sums.boughtWh[account] ?? 0];
    const leaf = nodeHex(certificateLeaf(BigInt(commitment), soldWh, boughtWh));
    const position = leaves.indexOf(leaf);
    if (position >= 0) return { position, secret: BigInt(secret), account, soldWh, boughtWh };
  }
  throw new Error(whyNot(records, [...new Set(secrets.map(({ account }) => account))]));
}

/**
 * Makes a certificate. About a second.
 * @throws Error when the threshold was not reached, or the proof would not be accepted
 */
export async function makeCertificate(
  records: EpochRecords,
  own: OwnLeaf,
  wish: CertificateWish,
  { artifacts, verifier }: { readonly artifacts: ProvingArtifacts; readonly verifier: Groth16Verifier },
): Promise<Certificate> {
  const { deployment, region, epoch, tag, tree, root } = records;
  const { side, atLeastWh, audience } = wish;
  const reachedWh = side === "sold" ? own.soldWh : own.boughtWh;
  if (reachedWh < atLeastWh) {
    throw new Error(
      `${own.account} ${side} ${energyText(reachedWh)} in epoch ${epoch}, which is less than ${energyText(atLeastWh)}`,
    );
  }
  const isPurchase = side === "bought";
  const asked = { epochTag: tag, audienceTag: audienceTag(audience), isPurchase, thresholdWh: atLeastWh };
  const { secret, soldWh, boughtWh, position } = own;
  const inputs = { secret, soldWh, boughtWh, path: tree.path(position), ...asked };
  const { proof, nullifier } = await proveCertificate(inputs, artifacts);
  const statement = { root: BigInt(root), nullifier, ...asked };
  if (!verifyCertificate(verifier, statement, proof).ok)
    throw new Error("the proof that was made is not accepted: proving and verification key do not fit");
  return certificateSchema.parse({
    format: CERTIFICATE_FORMAT,
    chainId: deployment.chainId,
    settlement: deployment.settlement,
    region,
    epoch,
    root,
    for: audience,
    side,
    atLeastWh,
    nullifier: nodeHex(nullifier),
    proof,
  });
}

function whyNot({ epoch, sums }: EpochRecords, accounts: readonly string[]): string {
  const account = accounts.join(" or ");
  if (accounts.some((one) => (sums.certificates as readonly string[]).includes(one)))
    return `${account} stands in epoch ${epoch} with a commitment whose secret is not in the file`;
  if (accounts.some((one) => sums.soldWh[one] !== undefined))
    return `${account} had given no commitment when epoch ${epoch} closed, and so stands in no certificate tree of it`;
  return `${account} neither sold nor bought anything in epoch ${epoch}`;
}
