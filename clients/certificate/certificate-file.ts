// Owns the form of a certificate as a file: what is claimed, for whom, and the proof. It refuses unknown fields, names that
// only look like another's, and everything that a proof's verifier would have to guess.

import { z } from "zod";
import { EPOCH_WH_BITS } from "../../evidence/certificate-statement.ts";
import { address, bounded, bytes32, count, regionId } from "../../protocol/fields.ts";

export const CERTIFICATE_FORMAT = "polder-certificate/1";
/** A certificate is some 1.5 kB; more is not read. */
export const MAX_CERTIFICATE_BYTES = 16_384;

/** Whoever asks, as they are named: two spellings of one name would be two nullifiers of one account. */
export const audience = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => text === text.normalize("NFC"), "must be in Unicode's composed form (NFC)")
  .refine((text) => text === text.trim(), "must not begin or end with a space")
  .refine((text) => !/[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/u.test(text), "must be of visible characters");

const digits = z.string().max(80);

/** A certificate. Window and epoch lengths are not in it: whoever checks has them from the region. */
export const certificateSchema = z.strictObject({
  format: z.literal(CERTIFICATE_FORMAT),
  chainId: count,
  settlement: address,
  region: regionId,
  epoch: count,
  root: bytes32,
  for: audience,
  side: z.enum(["sold", "bought"]),
  atLeastWh: bounded(1, 2 ** EPOCH_WH_BITS - 1),
  nullifier: bytes32,
  // Decoded further, to the last digit, by the verifier.
  proof: z.strictObject({
    pi_a: z.array(digits).max(3),
    pi_b: z.array(z.array(digits).max(2)).max(3),
    pi_c: z.array(digits).max(3),
    protocol: z.literal("groth16"),
    curve: z.literal("bn128"),
  }),
});
export type Certificate = z.infer<typeof certificateSchema>;

/**
 * Reads a certificate.
 * @throws Error that says what is wrong with it
 */
export function parseCertificate(text: string): Certificate {
  if (text.length > MAX_CERTIFICATE_BYTES)
    throw new Error(`longer than ${MAX_CERTIFICATE_BYTES} characters: not a certificate`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error("not JSON: not a certificate");
  }
  const { format } = (value ?? {}) as { readonly format?: unknown };
  if (format !== CERTIFICATE_FORMAT)
    throw new Error(`not a certificate: its format is not ${CERTIFICATE_FORMAT}`);
  const decoded = certificateSchema.safeParse(value);
  if (decoded.success) return decoded.data;
  const { path, message } = decoded.error.issues[0] as z.core.$ZodIssue;
  throw new Error(`not a certificate: ${path.join(".") || "value"}: ${message}`);
}
