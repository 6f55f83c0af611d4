// Owns what somebody who is shown a certificate may conclude from it. It refuses, with the reason, what is about another
// region, epoch or root, for somebody else, or forged; that nobody used it before is for the asker to say, by its nullifier.

import { verifyCertificate } from "../../evidence/certificate-proof.ts";
import { audienceTag } from "../../evidence/certificate-statement.ts";
import type { Groth16Verifier } from "../../evidence/groth16.ts";
import type { Hex } from "../../protocol/fields.ts";
import type { Certificate } from "./certificate-file.ts";
import { candidatesOf, type EpochRecords } from "./epoch-records.ts";

/** What the asker knows of itself. */
export interface Expectation {
  /** Its own name; whatever the certificate says without it. */
  readonly audience?: string;
  /** The epoch's root where it is known from elsewhere, such as an audit of one's own. */
  readonly root?: Hex;
}

/**
 * Checks a certificate against a region's epoch.
 * @returns null when what it says is established, else why not
 */
export function refuseCertificate(
  certificate: Certificate,
  records: EpochRecords,
  verifier: Groth16Verifier,
  expected: Expectation = {},
): string | null {
  const { deployment, region, epoch, tag } = records;
  const { audience = certificate.for, root = records.root } = expected;
  if (certificate.chainId !== deployment.chainId || certificate.settlement !== deployment.settlement)
    return `it is about chain ${certificate.chainId} and contract ${certificate.settlement}, not about this deployment`;
  if (certificate.region !== region || certificate.epoch !== epoch)
    return `it is about epoch ${certificate.epoch} of ${certificate.region}, not about epoch ${epoch} of ${region}`;
  if (certificate.for !== audience)
    return `it was made for ${JSON.stringify(certificate.for)}, not for ${JSON.stringify(audience)}`;
  if (certificate.root !== root)
    return `its root ${certificate.root} is not that of epoch ${epoch} of ${region}, ${root}`;
  if (candidatesOf(records, certificate.side, certificate.atLeastWh) === 0)
    return `${region} contradicts itself: by its own sums no account of epoch ${epoch} reaches that`;
  const statement = {
    root: BigInt(root),
    epochTag: tag,
    audienceTag: audienceTag(audience),
    nullifier: BigInt(certificate.nullifier),
    isPurchase: certificate.side === "bought",
    thresholdWh: certificate.atLeastWh,
  };
  const verdict = verifyCertificate(verifier, statement, certificate.proof);
  if (verdict.ok) return null;
  if (verdict.reason === "malformed") return `its ${verdict.path} is malformed`;
  return "its proof is not one of what it says: it was forged or changed";
}
