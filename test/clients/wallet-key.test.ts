// Owns the promise that a wallet's key is read from where it is kept and told to nobody: files of other wallets, wrong
// passwords, broken files, and what no message may contain.

import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { privateKeyToAddress } from "viem/accounts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requireOwnKey } from "../../clients/chain/chain-connection.ts";
import { readKeystore } from "../../clients/chain/keystore-file.ts";
import { LOCAL_CHAIN_ID } from "../../protocol/limits.ts";
import { CommandLine } from "../support/client-commands.ts";

/** The examples of the format's own description (Web3 Secret Storage Definition), with their key. */
const SECRET = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
const PASSWORD = "testpassword";
const PBKDF2 = {
  crypto: {
    cipher: "aes-128-ctr",
    cipherparams: { iv: "6087dab2f9fdbbfaddc31a909735c1e6" },
    ciphertext: "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
    kdf: "pbkdf2",
    kdfparams: {
      c: 262_144,
      dklen: 32,
      prf: "hmac-sha256",
      salt: "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
    },
    mac: "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
  },
  id: "3198bc9c-6672-5ab3-d995-4942343ae5b6",
  version: 3,
};

const OWN = `0x${"d1".repeat(32)}` as const;
let folder: string;
let line: CommandLine;
const file = (name: string) => join(folder, name);
const write = (name: string, content: unknown, mode = 0o600): string => {
  writeFileSync(file(name), typeof content === "string" ? content : JSON.stringify(content), { mode });
  return file(name);
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "polder-keys-"));
  line = new CommandLine("http://127.0.0.1:1", folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("rejects: files that are broken, open to others, or ask for more than a machine has", () => {
  const { crypto } = PBKDF2;
  const scrypt = { dklen: 32, n: 2 ** 30, p: 1, r: 8, salt: crypto.kdfparams.salt };
  const cases: [string, RegExp][] = [
    [file("absent.json"), /ENOENT/],
    [write("text.json", `not JSON ${SECRET}`), /text\.json: not JSON$/],
    [write("old.json", { ...PBKDF2, version: 1 }), /version/],
    [write("short.json", { ...PBKDF2, crypto: { ...crypto, mac: "51" } }), /mac: must be 32 bytes/],
    [write("kdf.json", { ...PBKDF2, crypto: { ...crypto, kdf: "bcrypt" } }), /crypto\.kdf/],
    [
      write("dear.json", { ...PBKDF2, crypto: { ...crypto, kdf: "scrypt", kdfparams: scrypt } }),
      /asks for more than a gigabyte/,
    ],
  ];
  if (process.platform !== "win32") {
    const open = write("open.json", PBKDF2);
    chmodSync(open, 0o644);
    cases.push([open, /others may read it: chmod 600/]);
  }
  for (const [path, reason] of cases) {
    expect(() => readKeystore(path, PASSWORD)).toThrow(reason);
    try {
      readKeystore(path, PASSWORD);
    } catch (error) {
      expect(String(error)).not.toContain(SECRET);
    }
  }
});

test("rejects: a wrong password, and a file whose key was changed", () => {
  const cheap = write("kept.json", PBKDF2);
  expect(() => readKeystore(cheap, "testpassword ")).toThrow(/this is not its password$/);
  const other = PBKDF2.crypto.ciphertext.replace("5", "6");
  const changed = write("changed.json", { ...PBKDF2, crypto: { ...PBKDF2.crypto, ciphertext: other } });
  expect(() => readKeystore(changed, PASSWORD)).toThrow(/this is not its password$/);
});

test("behavior: the key of the format's own example, as other wallets spell it too", () => {
  expect(readKeystore(write("one.json", PBKDF2), PASSWORD)).toBe(`0x${SECRET}`);
  const { crypto: Crypto, ...rest } = PBKDF2;
  expect(readKeystore(write("two.json", { ...rest, Crypto, address: "00" }), PASSWORD)).toBe(`0x${SECRET}`);
});

test("rejects: keys that are missing, malformed, contradictory or none, and never shows them", async () => {
  const half = `0x${"d1".repeat(31)}`;
  const one = `0x${"d2".repeat(32)}`;
  const zero = `0x${"00".repeat(32)}`;
  const kept = write("kept-2.json", PBKDF2);
  await line.bad([
    [["key", "show"], /set POLDER_KEY .*--keystore/],
    [["key", "show"], /^POLDER_KEY is not 0x and 64 hex digits\n$/, { POLDER_KEY: half }],
    [["key", "show"], /^POLDER_KEY holds no key of a wallet\n$/, { POLDER_KEY: zero }],
    [
      ["key", "show"],
      /^POLDER_KEY and POLDER_WALLET_KEY are both set, and differ\n$/,
      { POLDER_KEY: OWN, POLDER_WALLET_KEY: one },
    ],
    [
      ["key", "show"],
      /which wallet is meant/,
      { POLDER_KEY: OWN, POLDER_KEYSTORE: kept, POLDER_PASSWORD: PASSWORD },
    ],
    [["key", "show", "--keystore", kept], /^set POLDER_PASSWORD .* no terminal to ask on\n$/],
    [["key", "show", "--keystore", kept], /this is not its password\n$/, { POLDER_PASSWORD: "no" }],
    [
      ["key", "create", "--keystore", kept],
      /is there already, and is not written over/,
      { POLDER_PASSWORD: "no" },
    ],
    [["key", "create", "--keystore", file("fresh.json")], /^set POLDER_PASSWORD/],
  ]);
  expect(existsSync(file("fresh.json"))).toBe(false);
  for (const known of [
    "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  ]) {
    expect(() => requireOwnKey(known, 1)).toThrow(/whose key everybody has: it is refused on chain 1/);
    requireOwnKey(known, LOCAL_CHAIN_ID);
  }
});

test("behavior: a new wallet is a file that only its owner reads; its address is shown, and nothing else of it", {
  timeout: 30_000,
}, async () => {
  const fresh = file("new.json");
  const password = { POLDER_PASSWORD: "a password of this test" };
  const made = await line.good(["key", "create", "--keystore", fresh], password);
  expect(made).toMatch(/^0x[0-9a-f]{40}\n$/);
  expect(statSync(fresh).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(fresh, "utf8"))).toMatchObject({
    version: 3,
    address: made.trim().slice(2),
    crypto: { cipher: "aes-128-ctr", kdf: "scrypt", kdfparams: { n: 262_144, r: 8, p: 1 } },
  });
  expect(await line.good(["key", "show", "--keystore", fresh], password)).toBe(made);
  expect(privateKeyToAddress(readKeystore(fresh, password.POLDER_PASSWORD)).toLowerCase()).toBe(made.trim());
  const shown = await line.good(["key", "show"], { POLDER_KEY: OWN });
  expect(shown).toBe(`${privateKeyToAddress(OWN).toLowerCase()}\n`);
});
