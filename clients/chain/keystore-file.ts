// Owns wallets' keys in encrypted files (Web3 Secret Storage, version 3), as other wallets write and read them. It refuses
// files that others may read, costs beyond what a machine has, and to say more of a key than that a password is not its own.

import { readFileSync, statSync, writeFileSync } from "node:fs";
import { Keystore } from "ox";
import { z } from "zod";
import type { Hex } from "../../protocol/fields.ts";

/** Work of guessing a password: some 0.3 GB and a second or two. As other wallets do. */
const SCRYPT = { n: 262_144, r: 8, p: 1 };
/** Memory of a derivation is 128 · n · r bytes: a file must not be able to ask for all of the machine's. */
const MOST_SCRYPT_BYTES = 2 ** 30;
const MOST_ROUNDS = 10_000_000;
const OTHERS = 0o077;

const hexDigits = (bytes: number) =>
  z.string().regex(new RegExp(`^(0x)?[0-9a-fA-F]{${2 * bytes}}$`), `must be ${bytes} bytes of hex`);
const salt = z.string().regex(/^([0-9a-fA-F]{2}){8,64}$/, "must be 8 to 64 bytes of hex");
const scryptSchema = z
  .object({
    dklen: z.literal(32),
    n: z
      .int()
      .min(2)
      .refine((n) => Number.isInteger(Math.log2(n)), "must be a power of two"),
    p: z.int().min(1).max(64),
    r: z.int().min(1).max(64),
    salt,
  })
  .refine(({ n, r }) => 128 * n * r <= MOST_SCRYPT_BYTES, "asks for more than a gigabyte");
const pbkdf2Schema = z.object({
  dklen: z.literal(32),
  c: z.int().min(1).max(MOST_ROUNDS),
  prf: z.literal("hmac-sha256"),
  salt,
});
const cipherFields = {
  cipher: z.literal("aes-128-ctr"),
  ciphertext: hexDigits(32),
  cipherparams: z.object({ iv: hexDigits(16) }),
  mac: hexDigits(32),
};
/** Wallets add fields of their own, such as the address: they are left alone. */
const keystoreSchema = z.object({
  version: z.literal(3),
  id: z.string(),
  crypto: z.discriminatedUnion("kdf", [
    z.object({ kdf: z.literal("scrypt"), kdfparams: scryptSchema, ...cipherFields }),
    z.object({ kdf: z.literal("pbkdf2"), kdfparams: pbkdf2Schema, ...cipherFields }),
  ]),
});

/**
 * Reads a key.
 * @throws Error that names the file and what is wrong with it, never anything that was decrypted
 */
export function readKeystore(file: string, password: string): Hex {
  const keystore = decodeKeystore(file);
  let key: Hex;
  try {
    key = Keystore.decrypt(keystore, Keystore.toKey(keystore, { password }));
  } catch {
    // Nothing of what the library says: it has seen the key.
    throw new Error(`${file}: this is not its password`);
  }
  return key;
}

/** Writes a new key's file. @throws Error where there is a file: a key that is lost moves no money any more */
export function writeKeystore(file: string, key: Hex, address: Hex, password: string): void {
  const [derived, options] = Keystore.scrypt({ password, ...SCRYPT });
  const keystore = { ...Keystore.encrypt(key, derived, options), address: address.slice(2) };
  writeFileSync(file, `${JSON.stringify(keystore)}\n`, { mode: 0o600, flag: "wx", flush: true });
}

function decodeKeystore(file: string): Keystore.Keystore {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`);
  }
  // Windows keeps its permissions elsewhere.
  if (process.platform !== "win32" && (statSync(file).mode & OTHERS) !== 0)
    throw new Error(`${file} holds a wallet's key and others may read it: chmod 600 ${file}`);
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    throw new Error(`${file}: not JSON`);
  }
  // Some wallets call it Crypto.
  const { Crypto: crypto, ...rest } = (written ?? {}) as Record<string, unknown>;
  const decoded = keystoreSchema.safeParse(crypto === undefined ? written : { ...rest, crypto });
  if (decoded.success) return plain(decoded.data);
  const [issue] = decoded.error.issues as [z.core.$ZodIssue];
  throw new Error(`${file}: ${issue.path.join(".") || "value"}: ${issue.message}`);
}

/** The library wants hex without a prefix. */
function plain(keystore: z.infer<typeof keystoreSchema>): Keystore.Keystore {
  const bare = (hex: string) => hex.replace(/^0x/, "");
  const { crypto } = keystore;
  return {
    ...keystore,
    crypto: {
      ...crypto,
      ciphertext: bare(crypto.ciphertext),
      mac: bare(crypto.mac),
      cipherparams: { iv: bare(crypto.cipherparams.iv) },
    },
  } as unknown as Keystore.Keystore;
}
