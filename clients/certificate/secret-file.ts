// Owns the file that keeps an account's certificate secrets, one a line, newest last. It refuses a file that others may
// read, and to forget a secret that was replaced: certificates about older epochs need it.

import { existsSync, statSync } from "node:fs";
import { z } from "zod";
import { address, commitment, count, fieldElement, type Hex, regionId } from "../../protocol/fields.ts";
import type { SigningDomain } from "../../protocol/typed-data.ts";
import { openLines } from "../household/line-file.ts";

const secretSchema = z.strictObject({
  chainId: count,
  settlement: address,
  region: regionId,
  account: address,
  secret: fieldElement,
  commitment,
});

/** A secret, and for what it was drawn. */
export type CertificateSecret = z.infer<typeof secretSchema>;

/** A line of the file; lines of a release that keeps more are left alone. */
const lineSchema = z.object({ certificateSecret: secretSchema.optional() });

/** Secrets of one region, open for adding. */
export interface SecretFile {
  /** Oldest first; of one account where it was named. */
  readonly secrets: readonly CertificateSecret[];
  /** On disk when this returns: a commitment whose secret is lost is worth nothing. */
  add(secret: CertificateSecret): void;
}

/**
 * Opens the file, or begins one that only its owner may read.
 * @throws RangeError on a line that holds something else, Error when others may read the file
 */
export function openSecrets(
  file: string,
  { chainId, settlement, region }: SigningDomain & { readonly region: string },
  account?: Hex,
): SecretFile {
  if (process.platform !== "win32" && existsSync(file) && (statSync(file).mode & 0o077) !== 0)
    throw new Error(`${file}: others may read or change it; chmod 600 it, or draw a new secret elsewhere`);
  const lines = openLines(file);
  const secrets = lines.values.flatMap((line, index) => {
    const decoded = lineSchema.safeParse(line);
    if (!decoded.success) {
      const { path, message } = decoded.error.issues[0] as z.core.$ZodIssue;
      throw new RangeError(`${file}, line ${index + 1}, ${path.join(".") || "value"}: ${message}`);
    }
    return decoded.data.certificateSecret ?? [];
  });
  return {
    secrets: secrets.filter(
      (secret) =>
        secret.chainId === chainId &&
        secret.settlement === settlement &&
        secret.region === region &&
        (account === undefined || secret.account === account),
    ),
    add: (secret) => lines.append({ certificateSecret: secret }, true),
  };
}
